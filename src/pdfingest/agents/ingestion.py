"""What the tool `ingest` does: one run at a time, in a thread, which ends when its caller goes.

The caller is a coroutine of the server: a cancelled call, or a client that closes the connection,
cancels it, and that requests the stop of the run. The coroutine then waits for the run, which takes
at most two seconds, so that when it has ended no process of the run is left.
"""

import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

import anyio

from pdfingest.agents.allowed import Allowed
from pdfingest.agents.answers import Ingested, Lost
from pdfingest.errors import ExitCode, OutputBusyError, PdfingestError
from pdfingest.events import Listener
from pdfingest.options import IngestOptions
from pdfingest.output.summary import Summary
from pdfingest.run.pipeline import ingest_found
from pdfingest.stop import Stop
from pdfingest.text import counted

Tell: TypeAlias = Callable[[float, float, str], Awaitable[None]]
"""Is told the progress: files done, files of the run, and both in words."""

_TELL_S = 0.5
_END_S = 5.0
"""How long to wait for a run that was stopped; it takes two seconds at most."""


class Ingestion:
    """Runs that agents ask for.

    Args:
        allowed: where PDFs may be read from.
        options: options of the runs, with their output directory.
        listeners: told what happens, in the thread of the run.
    """

    def __init__(
        self, allowed: Allowed, options: IngestOptions, listeners: Sequence[Listener] = ()
    ) -> None:
        self.allowed = allowed
        self._options = options
        self._listeners = tuple(listeners)
        self._running = threading.Lock()
        self._stop = Stop()

    async def ingest(self, inputs: Sequence[str], tell: Tell) -> Ingested:
        """Ingest PDFs into the output directory, and return how the run ended.

        Args:
            inputs: files and directories.
            tell: called some times a second while the run goes on.

        Raises:
            OutputBusyError: another call is at it.
            PdfingestError: an input is not allowed, or something stops the run.
        """
        found = self.allowed.find(inputs)
        if not self._running.acquire(blocking=False):
            raise OutputBusyError(
                "an ingest is at work already, and there is one at a time. Wait until it has "
                "ended, or cancel it."
            )
        try:
            self._stop = stop = Stop()
            watch = _Watch()
            listeners = (watch, *self._listeners)
            run = partial(ingest_found, found, self._options, listeners, stop)
            ended: Summary | PdfingestError = watch.summary
            async with anyio.create_task_group() as group:
                group.start_soon(_tell_until_cancelled, watch, tell, stop)
                # The thread is waited for, also by a call that is cancelled.
                ended = await anyio.to_thread.run_sync(_attempted, run)
                group.cancel_scope.cancel()
            if isinstance(ended, PdfingestError):
                raise ended
            return _ingested(ended)
        finally:
            self._running.release()

    def stop(self, exit_code: ExitCode) -> None:
        """Stop the run that is at work, if any, and wait for it. Called from another thread."""
        self._stop.request(exit_code)
        if self._running.acquire(timeout=_END_S):
            self._running.release()


class _Watch(Listener):
    """Knows how far a run is."""

    def __init__(self) -> None:
        self.summary = Summary()

    def on_tick(self, summary: Summary) -> None:
        """Take in the summary as it is now."""
        self.summary = replace(summary)


def _attempted(run: Callable[[], Summary]) -> Summary | PdfingestError:
    """Run, and return also the error, which a group of tasks would raise as a group of errors."""
    try:
        return run()
    except PdfingestError as error:
        return error


async def _tell_until_cancelled(watch: _Watch, tell: Tell, stop: Stop) -> None:
    """Tell the progress until the run has ended or its caller has gone, and then request a stop."""
    told = -1.0
    try:
        while True:
            await anyio.sleep(_TELL_S)
            now = watch.summary
            if now.planned and now.progress > told:  # it must increase (MCP, "Progress")
                told = now.progress
                files = f"{now.finished:,} of {counted(now.planned, 'file')}"
                await tell(told, now.planned, f"{files}, {counted(now.pages_read, 'page')}")
    finally:
        stop.request(ExitCode.INTERRUPTED)  # changes nothing for a run that has ended


def _ingested(summary: Summary) -> Ingested:
    return Ingested(
        sources=summary.planned,
        ok=summary.ok,
        partial=summary.partial,
        failed=summary.failed,
        unchanged=summary.unchanged,
        gone=summary.gone,
        not_begun=summary.not_begun,
        pages=summary.pages,
        pages_failed=summary.pages_failed,
        needs_ocr_pages=summary.needs_ocr_pages,
        failures={kind.value: number for kind, number in summary.failures.items()},
        losses=[
            Lost(
                source=each.source,
                failure=each.failure,
                message=each.message,
                pages_failed=each.pages_failed,
                partial=each.partial,
            )
            for each in summary.losses
        ],
        wall_s=round(summary.wall_s, 3),
        peak_bytes=int(summary.peaks.largest),
    )
