"""One invocation of `pdfingest run`: signals, lists, the view, the exit code."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from pdfingest.cli.annotations import Annotations
from pdfingest.cli.incoming import pdf_on_stdin
from pdfingest.cli.listed import Listed
from pdfingest.cli.log import LogView
from pdfingest.cli.log_format import LogFormat
from pdfingest.cli.messages import is_github, say
from pdfingest.cli.params import On, needs_service
from pdfingest.cli.signals import stop_on_signals
from pdfingest.errors import ExitCode, NoInputError, OptionError, UsageError
from pdfingest.events import Listener
from pdfingest.model import Stop
from pdfingest.options import IngestOptions
from pdfingest.output.layout import REPORT
from pdfingest.output.summary import Summary
from pdfingest.run.pipeline import NewExecutor, ingest, planned
from pdfingest.run.supervisor import Supervisor
from pdfingest.text import counted, mib, printable

STDIN = "-"
"""The input that is one PDF on stdin."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the user wants of a run."""

    inputs: Sequence[str]
    """Files, directories and globs, or `-`."""
    listed: Listed | None
    """More of them, in a list."""
    options: IngestOptions
    on: On
    view: View
    dry_run: bool
    """Only list what would be ingested."""
    config: str
    """Path of the configuration that counts; empty if there is none."""


def ingest_in_view(wanted: Wanted) -> ExitCode:
    """Run, show it as the user wants, and return the exit code."""
    options, view = wanted.options, wanted.view
    if STDIN in wanted.inputs and wanted.on is not On.HERE:
        raise UsageError("- needs --on here: the workers cannot read this stdin.")
    if view.html:
        from pdfingest.report import html  # noqa: PLC0415 - as above

        html.check()
        if options.to_stdout:
            raise OptionError(["html", "output"], "pictures need a directory. Name one as output.")
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        inputs, paths = opened(wanted, stop, stack)
        listeners = [] if view.quiet else [_listener(view, stack)]
        if view.log_format is LogFormat.TEXT and is_github():
            report = "" if options.to_stdout else os.path.join(options.folder, REPORT)
            listeners.append(Annotations(report))
        begin = partial(
            ingest,
            inputs,
            options,
            listed=paths,
            listeners=listeners,
            stop=stop,
            executor=_executor(wanted.on),
        )
        summary = _unless_stopped(begin, stop)
    if summary is None:
        return stop.exit_code or ExitCode.OK
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


def _unless_stopped(begin: Callable[[], Summary], stop: Stop) -> Summary | None:
    """Begin a run; None where it was stopped before its first input came."""
    try:
        return None if stop.requested else begin()
    except NoInputError:
        if stop.requested:
            return None
        raise


def opened(
    wanted: Wanted, stop: Stop, stack: ExitStack
) -> tuple[Sequence[str], Iterator[str] | None]:
    """Open what the inputs come from beside the command line: a list of paths, or stdin."""
    inputs, listed = wanted.inputs, wanted.listed
    if STDIN not in inputs:
        return inputs, stack.enter_context(listed.opened(stop)) if listed else None
    if listed or len(inputs) > 1:
        raise UsageError("- is one PDF on stdin, and goes with no other INPUT.")
    return [stack.enter_context(pdf_on_stdin(stop))], None


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


def list_plan(wanted: Wanted) -> ExitCode:
    """Names to stdout, escaped so that each is one line; their number and size to stderr."""
    count = size_bytes = 0
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        inputs, paths = opened(wanted, stop, stack)
        plan = stack.enter_context(planned(inputs, paths, wanted.options, stop))
        for source in plan.changed():
            print(printable(source.name))  # noqa: T201 - stdout is for data
            count += 1
            size_bytes += source.size_bytes
    sys.stdout.flush()  # so that a failure is told instead of what follows
    unchanged = f", and {plan.sources - count:,} unchanged" if plan.sources > count else ""
    size = f"{counted(count, 'file')}, {mib(size_bytes)}{unchanged}"
    print(size, file=sys.stderr)  # noqa: T201 - about the data
    return stop.exit_code or ExitCode.OK


def read_passwords(path: str | None) -> list[str]:
    """Read the passwords of a file, one a line; none without a file.

    Raises:
        OptionError: it cannot be read.
    """
    if path is None:
        return []
    try:
        with open(path, encoding="utf-8-sig") as file:  # Notepad writes a byte order mark
            return [line for line in file.read().split("\n") if line]
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, ValueError) else error.strerror
        name = printable(path)
        raise OptionError(["password_file"], f"{name} cannot be read: {reason}.") from error
