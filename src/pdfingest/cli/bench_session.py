"""One invocation of `pdfingest bench`: its legs, the pictures, the verdict."""

import gc
import json
import os
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from rich.console import Console
from rich.text import Text

from pdfingest.bench.corpus import make_corpus
from pdfingest.bench.legs import Leg, find_inputs, isolated
from pdfingest.bench.long_lived import Watch
from pdfingest.bench.loop import looped
from pdfingest.bench.server import served
from pdfingest.bench.verdict import Bench
from pdfingest.cli.charts import bars, change_chart, memory_chart
from pdfingest.cli.console import ProgressView, on_stderr
from pdfingest.cli.declared import default_of
from pdfingest.cli.outputs import write_text
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.tables import LEFT, RIGHT, hanging, put, table, width_of
from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode, UsageError
from pdfingest.events import Listener
from pdfingest.measure.flatness import LEAST_FILES, Point
from pdfingest.measure.machine import load
from pdfingest.options import IngestOptions, Order
from pdfingest.report import html
from pdfingest.report.figures import growth_heading, read_figures
from pdfingest.stop import Stop
from pdfingest.text import mib

NO_CONTROL = "none"
_LOOP_FILES = 500
"""Files of the leg `loop`: enough to know its time."""
_WIDEST = 120
_COLUMNS = {
    "": LEFT,
    "files": RIGHT,
    "failed": RIGHT,
    "ended": RIGHT,
    "ms a file": RIGHT,
    "highest": RIGHT,
    "bytes a file": RIGHT,
    "verdict": LEFT,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Options of `pdfingest bench`, as the user gave them."""

    inputs: Sequence[str]
    files: int
    workers: int | None
    engine: str
    timeout_s: float
    control: str
    """Engine of the server, or `NO_CONTROL`."""
    control_time_s: float
    leak_bytes: int
    json_file: str | None
    html_file: str | None
    quiet: bool


def run_bench(wanted: Wanted) -> ExitCode:
    """Run the legs, show them, and return the exit code.

    Raises:
        UsageError: no verdict is possible with these options.
        NoInputError: no input is a PDF that can be read.
        EngineUnavailableError: an engine is not installed, or pictures need the extra `report`.
    """
    _check(wanted)
    console = on_stderr()
    gc.freeze()  # as in a run
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pdfingest-bench-"))
        stop = stack.enter_context(stop_on_signals())
        done = _legs(wanted, folder, console, stop)
    with done.figures:
        return stop.exit_code or _tell(console, wanted, done)


def _check(wanted: Wanted) -> None:
    """Check, before the work, that it can have a verdict and be shown."""
    if wanted.files < LEAST_FILES:
        raise UsageError(
            f"--files {wanted.files}: a verdict takes {LEAST_FILES} files at least, since fewer "
            "cannot tell a leak from what a program takes at first. The PDFs are read in turn, so "
            "a few of them are enough."
        )
    if wanted.leak_bytes <= 0:
        raise UsageError("--inject-leak must be more than 0: it shows that a leak is seen")
    if wanted.html_file:
        html.check()


def _legs(wanted: Wanted, folder: str, console: Console, stop: Stop) -> Bench:
    options = IngestOptions(
        output=os.path.join(folder, "out"),
        workers=wanted.workers,
        engine=wanted.engine,
        timeout_s=wanted.timeout_s,
        page_timeout_s=min(wanted.timeout_s, default_of("page_timeout_s")),
        order=Order.NAME,  # the order of the other legs
    )
    leaky = replace(options, output=os.path.join(folder, "leaking"))
    if wanted.control != NO_CONTROL:
        find_engines(wanted.control)  # now, before the work, as it may not be installed
    inputs = find_inputs(wanted.inputs or [_made(folder)], wanted.files)
    with _progress(console, quiet=wanted.quiet) as listeners:
        first = isolated(inputs, options, listeners, stop)
        load_average = load()
    with _told(console, "loop", quiet=wanted.quiet) as told:
        second = looped(replace(inputs, files=_LOOP_FILES), options, folder, Watch(stop, told))
    with _progress(console, quiet=wanted.quiet) as listeners:
        third = isolated(inputs, leaky, listeners, stop, wanted.leak_bytes)
    fourth: Leg | None = None
    if wanted.control != NO_CONTROL:
        with _told(console, "control", quiet=wanted.quiet) as told:
            watch = Watch(stop, told, wanted.control_time_s)
            fourth = served(inputs, options, wanted.control, watch)
    return Bench(
        engine=wanted.engine,
        control_engine=wanted.control,
        leak_bytes=wanted.leak_bytes,
        load=load_average,
        isolated=first,
        leaking=third,
        control=fourth,
        loop=second,
        figures=read_figures(options.output),
    )


def _made(folder: str) -> str:
    """Make PDFs, and return their folder."""
    pdfs = os.path.join(folder, "pdfs")
    os.mkdir(pdfs)
    make_corpus(pdfs)
    return pdfs


def _tell(console: Console, wanted: Wanted, done: Bench) -> ExitCode:
    """Show the pictures, write the files, and say the verdict on stderr, last."""
    if not wanted.quiet:
        _show(console, done)
    if wanted.json_file:
        write_text(wanted.json_file, [json.dumps(done.to_json(), indent=2), "\n"])
    if wanted.html_file:
        facts = [done.conclusion(), *(f"{name}: {said}" for name, said in done.lines())]
        others = {
            done.names[leg.name]: leg.points
            for leg in (done.control, done.leaking)
            if leg is not None and leg.points
        }
        pictured = replace(done.figures, others=others)
        write_text(wanted.html_file, [html.render(pictured, "pdfingest bench", facts)])
    lines = [*done.lines(), ("bench", done.conclusion())]
    for name, said in lines:
        put(console, hanging(console, Text(f"{name:<9} "), said))
    return ExitCode.OK if done.has_passed else ExitCode.GATE


def _show(console: Console, bench: Bench) -> None:
    """Print curves, peaks and figures, as wide as the terminal."""
    width = min(console.width, _WIDEST)
    points = {leg.name: leg.points for leg in bench.legs if leg is not bench.loop}
    names = bench.names
    for heading, chart, legs in (
        (growth_heading(bench.isolated.points), change_chart, "control"),
        ("The same, enlarged, beside a leak on purpose", change_chart, "leaking"),
        ("All memory that outlives a file", memory_chart, "control"),
    ):
        shown = {names[name]: points[name] for name in ("isolated", legs) if name in points}
        console.print(heading, style="bold")
        put(console, chart(shown, width))
        console.print()
    console.print("Peaks of the files, each in a process of its own", style="bold")
    put(console, bars(bench.figures.costs.peaks, width))
    console.print()
    put(console, table(_COLUMNS, [*map(_row, bench.legs)], width_of(console), title=0))
    console.print()


def _row(leg: Leg) -> list[str]:
    """Return the figures of a leg, as a row of the table."""
    trend = leg.trend
    is_judged = leg.name != "loop"  # which is there for its time, and too short
    return [
        leg.name,
        f"{leg.files:,}",
        f"{leg.failed:,}",
        f"{leg.deaths:,}",
        f"{leg.lane_ms:,.1f}",
        mib(leg.highest_bytes),
        f"{trend.bytes_per_file:+,.0f}" if is_judged else "",
        trend.verdict if is_judged else "",
    ]


@contextmanager
def _progress(console: Console, *, quiet: bool) -> Generator[list[Listener], None, None]:
    """Yield a list with a progress bar if there is a terminal, else an empty list."""
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield []
    else:
        with ProgressView(console) as view:
            yield [view]


@contextmanager
def _told(console: Console, name: str, *, quiet: bool) -> Generator[Callable[[Point], object]]:
    """Yield a function that shows how far a server is, if there is a terminal."""
    if quiet:
        yield lambda _: None
    else:
        with console.status(name) as status:
            yield lambda at: status.update(f"{name}, {at[0]:,} files, {mib(at[1])}")
