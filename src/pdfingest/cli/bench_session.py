"""One invocation of `pdfingest bench`: its legs, the pictures, the verdict."""

import gc
import json
import math
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
from pdfingest.cli.console import on_stderr
from pdfingest.cli.declared import default_of
from pdfingest.cli.outputs import write_text
from pdfingest.cli.pictures import show_memory
from pdfingest.cli.progress import ProgressView
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.tables import LEFT, RIGHT, hanging, put, table, width_of
from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode, UsageError
from pdfingest.events import Listener
from pdfingest.job import EngineSpec
from pdfingest.measure.flatness import LEAST_FILES, THRESHOLD_BYTES, Point
from pdfingest.measure.machine import load
from pdfingest.model import Order
from pdfingest.options import IngestOptions
from pdfingest.report import html
from pdfingest.report.figures import read_figures
from pdfingest.stop import Stop
from pdfingest.text import mib

NO_CONTROL = "none"
_LEAST_LEAK_BYTES = 2 * THRESHOLD_BYTES
_MOST_LEAK_BYTES = 1 << 30
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
    if not _LEAST_LEAK_BYTES <= wanted.leak_bytes <= _MOST_LEAK_BYTES // wanted.files:
        raise UsageError(
            f"--inject-leak {wanted.leak_bytes}: the leak must be twice the limit of the verdict "
            f"({_LEAST_LEAK_BYTES}) at least, and 1 GiB for all {wanted.files:,} files at most."
        )
    if wanted.html_file:
        html.check()


def _control_of(wanted: Wanted) -> EngineSpec | None:
    """Return the engine of the server; None if there shall be none."""
    if wanted.control == NO_CONTROL:
        return None
    engine, *others = find_engines(wanted.control)
    if others:
        raise UsageError(f"--control {wanted.control}: a server reads with one engine")
    return engine


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
    engine, control = _control_of(wanted), None
    inputs = find_inputs(wanted.inputs or [_made(folder)], wanted.files)
    with _progress(console, quiet=wanted.quiet) as listeners:
        first = isolated(inputs, options, listeners, stop)
    # Before any other process is started: the library starts one more for these, to clean up.
    with _progress(console, quiet=wanted.quiet) as listeners:
        leaking = isolated(inputs, leaky, listeners, stop, wanted.leak_bytes)
    load_average = load()
    with _told(console, "loop", quiet=wanted.quiet) as told:
        loop = looped(inputs, options, folder, Watch(stop, told))
    if engine is not None:
        with _told(console, "control", quiet=wanted.quiet) as told:
            watch = Watch(stop, told, wanted.control_time_s or math.inf)
            control = served(inputs, options, engine, watch)
    return Bench(
        engine=wanted.engine,
        control_engine=wanted.control,
        leak_bytes=wanted.leak_bytes,
        load=load_average,
        isolated=first,
        leaking=leaking,
        control=control,
        loop=loop,
        figures=read_figures(options.output),
    )


def _made(folder: str) -> str:
    """Make PDFs, and return their folder."""
    pdfs = os.path.join(folder, "pdfs")
    os.mkdir(pdfs)
    make_corpus(pdfs)
    return pdfs


def _tell(console: Console, wanted: Wanted, done: Bench) -> ExitCode:
    """Show pictures and verdict, and then write the files, whose disk may be full."""
    if not wanted.quiet:
        show_memory(console, done.pictured)
        put(console, table(_COLUMNS, [*map(_row, done.legs)], width_of(console), title=0))
        console.print()
    lines = [*done.lines(), ("bench", done.conclusion())]
    for name, said in lines:
        put(console, hanging(console, Text(f"{name:<9} "), said))
    if wanted.json_file:
        write_text(wanted.json_file, [json.dumps(done.to_json(), indent=2), "\n"])
    if wanted.html_file:
        facts = [f"{name}: {said}" for name, said in reversed(lines)]
        write_text(wanted.html_file, [html.render(done.pictured, "pdfingest bench", facts)])
    return ExitCode.OK if done.has_passed else ExitCode.GATE


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
def _told(
    console: Console, name: str, *, quiet: bool
) -> Generator[Callable[[Point], object], None, None]:
    """Yield a function that shows how far a server is, if there is a terminal."""
    if quiet:
        yield lambda _: None
    else:
        with console.status(name) as status:
            yield lambda at: status.update(f"{name}, {at[0]:,} files, {mib(at[1])}")
