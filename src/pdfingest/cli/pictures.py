"""What `report` shows in a terminal, and the HTML file that it and `run --html` write."""

import os

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pdfingest.cli.charts import bars, curves
from pdfingest.cli.write import write_text
from pdfingest.layout import PICTURES
from pdfingest.report import html
from pdfingest.report.figures import Figures, FileCost
from pdfingest.text import mib, printable

_WIDEST = 120


def show(figures: Figures, top: int, workers: int) -> None:
    """Curve, peaks, failures, the files to look at, and what they need; to stdout."""
    console = Console(highlight=False)
    width = min(console.width, _WIDEST)
    if figures.held:
        console.print("Memory of what outlives a file, over the files done", style="bold")
        for line in curves([("parent and its helpers", figures.held)], width):
            console.print(line, no_wrap=True, overflow="crop")
    console.print("\nPeaks of the files, each in a process of its own", style="bold")
    for line in bars([each.peak_bytes for each in figures.files if each.peak_bytes], width):
        console.print(line, no_wrap=True, overflow="crop")
    if top and figures.files:
        console.print()
        console.print(_table(figures.top(top), width * 2 // 5))
    console.print()
    for fact in facts(figures, workers):
        console.print(fact)


def facts(figures: Figures, workers: int) -> list[str]:
    """What is said of a run, a line each."""
    failures = ", ".join(f"{kind} {count:,}" for kind, count in figures.failures)
    return [
        f"{len(figures.files):,} files; failures: {failures or 'none'}",
        f"memory {figures.verdict}",
        figures.sizing(workers),
    ]


def _table(files: list[FileCost], name_width: int) -> Table:
    """The files to look at."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("highest peaks", no_wrap=True)
    for heading in ("peak", "of its own", "time", "size", "pages"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("status", no_wrap=True)
    for each in files:
        table.add_row(
            Text(printable(each.source, name_width)),
            mib(each.peak_bytes),
            mib(each.own_bytes),
            f"{each.wall_s:,.2f} s",
            mib(each.size_bytes),
            f"{each.pages:,}",
            each.failure or each.status,
        )
    return table


def write_html(figures: Figures, folder: str, workers: int) -> None:
    """Write the pictures of an output directory into it.

    Raises:
        EngineUnavailableError: the extra is not installed.
        OutputError: it cannot be written.
    """
    title = f"pdfingest: {printable(folder)}"
    write_text(os.path.join(folder, PICTURES), html.render(figures, title, facts(figures, workers)))
