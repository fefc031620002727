"""What `report` shows on a terminal, and the HTML file that it and `run --html` write."""

import os
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.text import Text

from pdfingest.cli.charts import bars, change_chart, memory_chart
from pdfingest.cli.messages import shown
from pdfingest.cli.outputs import write_text
from pdfingest.cli.tables import LEFT, RIGHT, LossLine, hanging, losses, put, table, width_of
from pdfingest.output.layout import PICTURES, REPORT
from pdfingest.report import html
from pdfingest.report.costs import Costs, FileCost
from pdfingest.report.figures import ISOLATED, Figures, growth_heading
from pdfingest.text import mib, printable

SHOWN_LOSSES = 20
"""Most files with lost pages to list; the report has them all."""
_WIDEST = 120
_MIB = 1 << 20
_COLUMNS = {
    "peak": RIGHT,
    "of its own": RIGHT,
    "time": RIGHT,
    "size": RIGHT,
    "pages": RIGHT,
    "status": LEFT,
    "highest peaks": LEFT,
}


def show(figures: Figures, folder: str, file: TextIO, top: int, workers: int) -> None:
    """Print memory and peaks as pictures, the highest peaks, what was lost, and a summary.

    Args:
        figures: what to print.
        folder: the output directory, to name the report.
        file: receives the text.
        top: number of files with the highest peaks to list.
        workers: number of workers whose memory is computed.
    """
    console = Console(file=file, highlight=False)
    costs = figures.costs
    show_memory(console, figures)
    if highest := costs.top(top):
        put(console, table(_COLUMNS, [*map(_row, highest)], width_of(console)))
        console.print()
    if costs.lost:
        put(console, _losses(console, costs, folder))
        console.print()
    for fact in facts(figures, workers):
        put(console, hanging(console, Text(), fact))


def show_memory(console: Console, figures: Figures) -> None:
    """Print growth, all memory and peaks as pictures, as wide as the terminal."""
    width = min(console.width, _WIDEST)
    if held := figures.held:
        heading = growth_heading(held)
        for name, points in (figures.others or {ISOLATED: held}).items():
            console.print(heading, style="bold")
            put(console, change_chart({ISOLATED: held, name: points}, width))
            console.print()
            heading = "The same, enlarged"
        console.print("All memory that outlives a file", style="bold")
        put(console, memory_chart({ISOLATED: held, **figures.others}, width))
        console.print()
    if peaks := figures.costs.peaks:
        console.print("Peaks of the files, each in a process of its own", style="bold")
        put(console, bars(peaks, width))
        console.print()


def facts(figures: Figures, workers: int) -> list[str]:
    """Return what is said of all files together, a line each."""
    found = [figures.counts]
    if figures.not_begun:
        left = f"{figures.not_begun:,} not begun"
        found.append(f"{left}: the newest run was stopped, and the next goes on from there")
    return [*found, f"memory {figures.verdict}", str(figures.sizing(workers))]


def _row(cost: FileCost) -> list[str]:
    return [
        mib(cost.peak_bytes),
        mib(cost.own_bytes),
        f"{cost.wall_s:,.2f} s",
        mib(size) if (size := cost.size_bytes) > _MIB else f"{size / 1024:,.1f} KiB",
        f"{cost.pages:,}",
        cost.failure or cost.status,
        shown(cost.source),
    ]


def _losses(console: Console, costs: Costs, folder: str) -> Iterator[Text]:
    """Lay out the first files that lost pages, and say where the others are."""
    yield Text("Lost, the whole file or pages of it", style="bold")
    first = [
        LossLine(cost.source, cost.failure, cost.loss, cost.status == "partial")
        for cost in costs.losses(SHOWN_LOSSES)
    ]
    yield from losses(console, first)
    if more := costs.lost - len(first):
        where = shown(os.path.join(folder, REPORT))
        yield from hanging(console, Text(), f"… and {more:,} more in {where}, or by --json")


def write_html(figures: Figures, folder: str, workers: int) -> None:
    """Write the pictures of a run into its output directory.

    Raises:
        EngineUnavailableError: the extra `report` is not installed.
        OutputError: the file cannot be written.
    """
    page = html.render(figures, f"pdfingest: {printable(folder)}", facts(figures, workers))
    write_text(os.path.join(folder, PICTURES), [page])
