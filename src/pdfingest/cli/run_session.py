"""One invocation of `pdfingest run`: signals, inputs, the view, the exit code."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from pdfingest.cli.extras import needs_service
from pdfingest.cli.github import Annotations
from pdfingest.cli.inputs import opened
from pdfingest.cli.log import LogView
from pdfingest.cli.messages import LogFormat, is_github, say
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.wanted import STDIN, On, View, Wanted
from pdfingest.errors import ExitCode, NoInputError, OptionError, UsageError
from pdfingest.events import Listener
from pdfingest.options import IngestOptions
from pdfingest.output.layout import REPORT
from pdfingest.output.summary import Summary
from pdfingest.run.dry_run import planned
from pdfingest.run.fetching import Fetching
from pdfingest.run.pipeline import NewExecutor, ingest
from pdfingest.stop import Stop
from pdfingest.text import counted, mib, printable


def ingest_in_view(wanted: Wanted) -> ExitCode:
    """Ingest the files, show the run as the user wants, and return the exit code.

    Raises:
        PdfingestError: whatever stops the run.
    """
    options, view = wanted.options, wanted.view
    _check(wanted)
    with ExitStack() as stack:
        # First, so that a signal that comes while inputs are opened is seen as well.
        stop = stack.enter_context(stop_on_signals())
        inputs, paths = opened(wanted, stop, stack)
        listeners = [] if view.quiet else [listener_of(view, stack)]
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
    _show_end(summary, options, view)
    return summary.exit_code(options)


def _check(wanted: Wanted) -> None:
    """Refuse, before the work begins, what could not be shown or read at its end."""
    if STDIN in wanted.inputs and wanted.on is not On.HERE:
        raise UsageError("- needs --on here: the workers cannot read this stdin.")
    if wanted.view.html:
        from pdfingest.report import html

        html.check()
        if wanted.options.to_stdout:
            raise OptionError(["html", "output"], "pictures need a directory. Name one as output.")


def _show_end(summary: Summary, options: IngestOptions, view: View) -> None:
    if not view.quiet and view.log_format is LogFormat.TEXT:
        from pdfingest.cli.console import on_stderr, show_summary

        show_summary(on_stderr(), summary, "stdout" if options.to_stdout else options.folder)
    if view.html:
        from pdfingest.cli import pictures
        from pdfingest.report.figures import read_figures

        with read_figures(options.folder) as figures:
            pictures.write_html(figures, options.folder, options.workers)
    if gates := summary.broken_gates(require_flat=options.require_flat):
        say("error", "\n".join(gates))


def _unless_stopped(begin: Callable[[], Summary], stop: Stop) -> Summary | None:
    """Run, and return the summary; None if a stop came before the first input."""
    try:
        return None if stop.requested else begin()
    except NoInputError:  # a list or a PDF on stdin that was cut short may name no input
        if stop.requested:
            return None
        raise


def listener_of(view: View, stack: ExitStack) -> Listener:
    """Return what shows a run as the user wants it, on stderr."""
    if view.has_bar():
        from pdfingest.cli.console import on_stderr
        from pdfingest.cli.progress import ProgressView

        return stack.enter_context(ProgressView(on_stderr()))
    return LogView(verbose=view.verbose)


def _executor(on: On) -> NewExecutor:
    """Return the class that runs the jobs: in children here, or in workers of the service."""
    if on is On.HERE:
        return Fetching
    with needs_service():
        from pdfingest.service.fleet import Fleet
        from pdfingest.service.settings import read_settings
    return partial(Fleet, read_settings())


def list_plan(wanted: Wanted) -> ExitCode:
    """Write what a run would ingest, and return the exit code.

    The names go to stdout, escaped so that each is one line, and their number and size to stderr.
    """
    count = size_bytes = 0
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        inputs, paths = opened(wanted, stop, stack)
        plan = stack.enter_context(planned(inputs, paths, wanted.options, stop))
        for source in plan.changed():
            sys.stdout.write(f"{printable(source.name)}\n")
            count += 1
            size_bytes += source.size_bytes
    sys.stdout.flush()  # a failure must be reported in place of the counts
    unchanged = f", and {plan.sources - count:,} unchanged" if plan.sources > count else ""
    size = f"{counted(count, 'file')}, {mib(size_bytes)}{unchanged}"
    sys.stderr.write(f"{size}\n")
    return stop.exit_code or ExitCode.OK
