"""One invocation of `pdfingest run`: signals, lists, the view, the exit code."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from pdfingest.cli.annotations import Annotations
from pdfingest.cli.log import LogView
from pdfingest.cli.log_format import LogFormat
from pdfingest.cli.messages import is_github, say
from pdfingest.cli.params import On, needs_service
from pdfingest.cli.signals import stop_on_signals
from pdfingest.errors import ExitCode, UsageError
from pdfingest.events import Listener
from pdfingest.layout import REPORT
from pdfingest.options import IngestOptions
from pdfingest.pipeline import NewExecutor, ingest, planned
from pdfingest.supervise.supervisor import Supervisor
from pdfingest.text import mib, printable

_READ_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the user wants to see on stderr."""

    progress: bool | None
    """None: a bar where stderr is a terminal."""
    log_format: LogFormat
    html: bool
    """Pictures too, as a file in the output directory."""
    quiet: bool
    verbose: bool

    def has_bar(self) -> bool:
        """Whether to draw a bar: as asked, else on a terminal that can, unless logs were asked."""
        if self.log_format is LogFormat.JSON:  # then all of stderr is JSON
            return False
        if self.progress is not None:
            return self.progress
        if self.verbose:
            return False
        from pdfingest.cli.console import on_stderr  # noqa: PLC0415 - 25 ms, not for --quiet

        console = on_stderr()
        return console.is_terminal and not console.is_dumb_terminal


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of `--files-from`."""

    path: str
    """`-` is stdin."""
    null: bool
    """Separated by NUL, else by line ends."""

    @contextmanager
    def opened(self) -> Generator[Iterator[str], None, None]:
        """Its paths, read as they are needed; names may be any bytes."""
        if self.path == "-":
            yield self._paths(sys.stdin.buffer)
            return
        try:
            file = open(self.path, "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise UsageError(
                f"--files-from {self.path} cannot be read: {error.strerror}. Check the path."
            ) from error
        with file:
            yield self._paths(file)

    def _paths(self, file: BinaryIO) -> Iterator[str]:
        """The parts of a stream, empty ones left out."""
        separator = b"\0" if self.null else b"\n"
        rest = b""
        while chunk := file.read(_READ_BYTES):
            *parts, rest = (rest + chunk).split(separator)
            yield from self._decoded(parts)
        yield from self._decoded([rest])

    def _decoded(self, parts: Sequence[bytes]) -> Iterator[str]:
        """Parts as paths, without the CR that a list written on Windows leaves."""
        for part in parts:
            path = part if self.null else part.removesuffix(b"\r")
            if path:
                yield os.fsdecode(path)


def ingest_in_view(
    inputs: Sequence[str], listed: Listed | None, options: IngestOptions, view: View, on: On
) -> ExitCode:
    """Run, show it as the user wants, and return the exit code."""
    if view.html:
        from pdfingest.report import html  # noqa: PLC0415 - as above

        html.check()
        if options.to_stdout:
            raise UsageError("--html needs an output directory. Give --output DIR.")
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        paths = stack.enter_context(listed.opened()) if listed else None
        listeners = [] if view.quiet else [_listener(view, stack)]
        if view.log_format is LogFormat.TEXT and is_github():
            report = "" if options.to_stdout else os.path.join(options.folder, REPORT)
            listeners.append(Annotations(report))
        summary = ingest(
            inputs, options, listed=paths, listeners=listeners, stop=stop, executor=_executor(on)
        )
    if not view.quiet and view.log_format is LogFormat.TEXT:
        from pdfingest.cli.console import on_stderr, show_summary  # noqa: PLC0415 - as above

        show_summary(on_stderr(), summary, "stdout" if options.to_stdout else options.folder)
    if view.html:
        from pdfingest.cli import pictures  # noqa: PLC0415 - as above
        from pdfingest.report.figures import read_figures  # noqa: PLC0415 - as above

        with read_figures(options.folder) as figures:
            pictures.write_html(figures, options.folder, options.workers)
    if gates := summary.broken_gates(require_flat=options.require_flat):
        say("error", "\n".join(gates))
    return summary.exit_code(options)


def _listener(view: View, stack: ExitStack) -> Listener:
    """Who watches the run for the user."""
    if view.has_bar():
        from pdfingest.cli.console import ProgressView, on_stderr  # noqa: PLC0415 - as above

        return stack.enter_context(ProgressView(on_stderr()))
    return LogView(verbose=view.verbose)


def _executor(on: On) -> NewExecutor:
    """Who does the jobs.

    Raises:
        EngineUnavailableError: the service is not installed.
    """
    if on is On.HERE:
        return Supervisor
    with needs_service():
        from pdfingest.service.fleet import Fleet  # noqa: PLC0415 - an extra
        from pdfingest.service.settings import read_settings  # noqa: PLC0415 - as above
    return partial(Fleet, read_settings())


def list_plan(inputs: Sequence[str], listed: Listed | None, options: IngestOptions) -> ExitCode:
    """Names to stdout, escaped so that each is one line; their number and size to stderr."""
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        paths = stack.enter_context(listed.opened()) if listed else None
        plan = stack.enter_context(planned(inputs, paths, options, stop))
        for source in plan.changed(options.order):
            print(printable(source.name))  # noqa: T201 - stdout is for data
        size = f"{plan.sources:,} files, {mib(plan.size_bytes)}"
        print(size, file=sys.stderr)  # noqa: T201 - about the data
        return stop.exit_code or ExitCode.OK


def read_passwords(path: str | None) -> list[str]:
    """The passwords of a file, one a line; none without a file."""
    if path is None:
        return []
    try:
        with open(path, encoding="utf-8") as file:
            return [line.rstrip("\r\n") for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--password-file {path} cannot be read: {error}.") from error
