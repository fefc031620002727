"""One invocation of `pdfingest bench`: the rounds, the pictures, the verdict."""

import gc
import json
import os
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Console
from rich.text import Text

from pdfingest.bench.corpus import make_corpus
from pdfingest.bench.rounds import Leak, Round, find_sources, isolated, reused
from pdfingest.cli.charts import bars, curves
from pdfingest.cli.console import ProgressView, on_stderr
from pdfingest.cli.declared import default_of
from pdfingest.cli.outputs import write_text
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.tables import LEFT, RIGHT, hanging, put, table, width_of
from pdfingest.errors import ExitCode
from pdfingest.events import Listener
from pdfingest.measure.flatness import THRESHOLD_BYTES, Verdict
from pdfingest.options import IngestOptions, Order
from pdfingest.report import html
from pdfingest.report.figures import Figures, percentile, read_figures
from pdfingest.stop import Stop
from pdfingest.text import mib

_COLUMNS = {
    "": LEFT,
    "files/s": RIGHT,
    "ms of a lane": RIGHT,
    "failed": RIGHT,
    "deaths": RIGHT,
    "highest": RIGHT,
    "bytes per file": RIGHT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Options of `pdfingest bench`, as the user gave them."""

    inputs: Sequence[str]
    files: int
    workers: int | None
    engine: str
    timeout_s: float
    leak_bytes: int
    json_file: str | None
    html_file: str | None
    quiet: bool


@dataclass(frozen=True, slots=True)
class Bench:
    """Both rounds of a bench, and the figures of its files."""

    wanted: Wanted
    isolated: Round
    reused: Round
    figures: Figures
    """Figures of the files in the isolated round."""

    @property
    def exit_code(self) -> ExitCode:
        """0 only if the memory of the isolated round is seen to be flat."""
        flat = self.isolated.trend.verdict is Verdict.FLAT
        return ExitCode.OK if flat else ExitCode.GATE

    @property
    def price_ms(self) -> float:
        """Milliseconds of a lane that isolation costs for each file."""
        return self.isolated.lane_ms - self.reused.lane_ms

    def to_json(self) -> dict[str, Any]:
        """Return the figures as `--json` writes them."""
        return {
            "schema": 1,
            "engine": self.wanted.engine,
            "injected_leak_bytes": self.wanted.leak_bytes,
            "threshold_bytes_per_file": THRESHOLD_BYTES,
            "verdict": self.isolated.trend.verdict.value,
            "isolated": self.isolated.to_json(),
            "reused": self.reused.to_json(),
            "isolation_ms_per_file": round(self.price_ms, 3),
            "peak_rss_bytes": dict(_percentiles(self.figures.costs.peaks)),
        }

    def verdict_line(self) -> str:
        """Return the verdict as one line, for a CI log."""
        trend = self.isolated.trend
        return f"{trend.verdict.upper()}: {trend}, over {self.isolated.files:,} files"

    def control_line(self) -> str:
        """Return what the control shows, and what to do if it shows nothing."""
        trend = self.reused.trend
        said = f"{trend.verdict}: {trend}, at most {mib(self.reused.highest_bytes)}"
        if trend.verdict is not Verdict.LEAK:
            said += (
                ". These files do not make it leak; others may, such as long and complex ones, "
                "and other engines: try --engine pdfplumber"
            )
        return said


def _percentiles(peaks: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Yield the usual percentiles by name; 0 if there is no peak."""
    for name, fraction in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0)):
        yield name, percentile(peaks, fraction) if peaks else 0


def run_bench(wanted: Wanted) -> ExitCode:
    """Run both rounds, show them, and return the exit code.

    Raises:
        NoInputError: no input is a PDF that can be read.
        EngineUnavailableError: the engine is not installed, or pictures need the extra `report`.
    """
    console = on_stderr()
    if wanted.html_file:
        html.check()
    gc.freeze()  # as in a run
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pdfingest-bench-"))
        stop = stack.enter_context(stop_on_signals())
        done = _rounds(wanted, folder, console, stop)
    with done.figures:
        return stop.exit_code or _tell(console, done)


def _tell(console: Console, done: Bench) -> ExitCode:
    wanted = done.wanted
    if not wanted.quiet:
        _show(console, done)
    if wanted.json_file:
        write_text(wanted.json_file, [json.dumps(done.to_json(), indent=2), "\n"])
    if wanted.html_file:
        lines = [done.verdict_line(), f"control: {done.control_line()}"]
        write_text(wanted.html_file, [html.render(done.figures, "pdfingest bench", lines)])
    sys.stderr.write(f"pdfingest bench: {done.verdict_line()}\n")
    return done.exit_code


def _rounds(wanted: Wanted, folder: str, console: Console, stop: Stop) -> Bench:
    inputs = wanted.inputs
    if not inputs:
        inputs = [os.path.join(folder, "pdfs")]
        os.mkdir(inputs[0])
        make_corpus(inputs[0])
    output = os.path.join(folder, "out")
    options = IngestOptions(
        output=output,
        workers=wanted.workers,
        engine=wanted.engine,
        timeout_s=wanted.timeout_s,
        page_timeout_s=min(wanted.timeout_s, default_of("page_timeout_s")),
        order=Order.NAME,  # the order of the control
    )
    sources = find_sources(inputs, wanted.files)
    with _progress(console, quiet=wanted.quiet) as listeners:
        # Also without a leak, so that both cases run the same code.
        listeners.append(Leak(wanted.leak_bytes, wanted.files))
        first = isolated(sources, wanted.files, options, listeners, stop)
    with nullcontext() if wanted.quiet else console.status("the control: one process for all"):
        second = reused(sources, wanted.files, options, folder, stop)
    figures = replace(read_figures(output), reused=second.points)
    return Bench(wanted, first, second, figures)


def _show(console: Console, bench: Bench) -> None:
    """Print curves, peaks and figures, as wide as the terminal."""
    width = min(console.width, 120)
    console.print("Memory of what outlives a file, over the files done", style="bold")
    series = [("isolated: parent and its helpers", bench.isolated.points)]
    series.append(("reused: one process for all files", bench.reused.points))
    put(console, curves(series, width))
    console.print("\nPeaks of the files, each in a process of its own", style="bold")
    put(console, bars(bench.figures.costs.peaks, width))
    console.print()
    rows = [_row(bench.isolated), _row(bench.reused)]
    put(console, table(_COLUMNS, rows, width_of(console), title=0))
    console.print()
    price = f"isolation costs {bench.price_ms:,.1f} ms of a lane for each file"
    put(console, hanging(console, Text(), price))
    put(console, hanging(console, Text(), f"control: {bench.control_line()}"))


def _row(each: Round) -> list[str]:
    """Return the figures of a round, as a row of the table."""
    trend = each.trend
    return [
        each.name,
        f"{each.files / max(each.wall_s, 1e-9):,.0f}",
        f"{each.lane_ms:,.1f}",
        f"{each.failed:,}",
        f"{each.deaths:,}",
        mib(each.highest_bytes),
        f"{trend.slope:+,.0f} ({trend.low:+,.0f} to {trend.high:+,.0f})",
    ]


@contextmanager
def _progress(console: Console, *, quiet: bool) -> Generator[list[Listener], None, None]:
    """Yield a list with a progress bar if there is a terminal, else an empty list."""
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield []
    else:
        with ProgressView(console) as view:
            yield [view]
