"""Lane: the parent's slot for one job at a time, and the only place that starts processes.

    lane.start(job) ──▶ executor ──▶ forkserver ──fork──▶ child: boot, run(job), exit
         lane.watch() ◀── notes ── flight recorder ◀────────┤
    lane.finish() ◀── inbox ◀── future ◀────── answer ──────┘ or its death

Each lane owns a `ProcessPoolExecutor` of one process that takes one job in its life. Why not one
executor of N: when one child dies, a shared executor fails every job in flight, and nobody knows
the culprit (`BrokenProcessPool`; allenai/olmocr#108, MinerU#4549). `max_tasks_per_child` is 1 and
no option: 2 deadlocks before 2026 (python/cpython#115634).
"""

import os
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import TypeAlias, cast

from pdfingest import child
from pdfingest.memory import peak_of
from pdfingest.model import Cost, Death, FailureKind, Halted, Job, Peak
from pdfingest.recorder import DONE, Note, Playback
from pdfingest.supervise.birth import WatchedContext
from pdfingest.supervise.post_mortem import explain, innermost

Inbox: TypeAlias = "SimpleQueue[Lane | None]"
"""Lanes whose job ended, in the order in which they did; None wakes the reader for a stop."""

_RETRY_S = 0.02
"""How soon a kill is repeated, for a child that was not yet born at the first."""
_CLOSE_S = 1.0
"""How long a spare child may take to end by itself; it needs milliseconds."""
_START_S = 30.0
"""How long a child may take to announce that it has the job; it needs milliseconds."""
_DELIVERY_S = 2.0
"""How long an answer may take from child to parent; it needs less than a millisecond."""
_STACK_S = 0.2
"""How long a child that is to be killed has for leaving its stack."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a job may take, in seconds."""

    file_s: float
    page_s: float


class Lane:
    """One job at a time, each in a child of its own.

    Args:
        index: 0-based.
        context: how children are started.
        inbox: where the lane appears when its job has ended.
        recorder: path of its flight recorder.
        limits: on the time of each job.
    """

    def __init__(
        self, index: int, context: BaseContext, inbox: Inbox, recorder: str, limits: TimeLimits
    ) -> None:
        self.index = index
        self.job: Job | None = None
        self._context = WatchedContext(context)
        self._inbox = inbox
        self._limits = limits
        self._playback = Playback(recorder)
        self._executor: ProcessPoolExecutor | None = None
        self._future: Future[child.Answer] | None = None
        self._ticket = 0
        self._reset()

    def _reset(self) -> None:
        """Nothing is known of the next child yet."""
        self._submitted_s = time.monotonic()
        self._started_at = time.time()
        self._deadline_s: float | None = None
        self._verdict: tuple[FailureKind, str] | None = None
        self._lost = False
        self._kill_s = 0.0
        self._peak_bytes = 0
        self._first_note: Note | None = None

    def start(self, job: Job, used_s: float = 0.0) -> None:
        """Take a job that has had `used_s` seconds already; the inbox tells when it has ended."""
        self._ticket += 1
        self._reset()
        self._context.end_groups()
        self._used_s = used_s
        self.job = replace(job, recorder=self._playback.path, ticket=self._ticket)
        try:
            self._future = self._submit(self.job)
        except BrokenProcessPool:
            # The spare child died between two jobs; no job was lost.
            self._end_executor()
            self._future = self._submit(self.job)
        self._future.add_done_callback(lambda _: self._inbox.put(self))

    def watch(self) -> None:
        """Hold the child to its time limits; call it some times a second."""
        if self.job is None:
            return
        now = time.monotonic()
        if self._kill_s:
            if now >= self._kill_s:
                self.kill()
            return
        if (process := self._child()) is not None and process.pid:
            self._peak_bytes = max(self._peak_bytes, peak_of(process.pid))
        self._judge(self._playback.read(self._ticket), now)

    def _judge(self, note: Note | None, now: float) -> None:
        """Condemn a child that takes too long."""
        if note is None:
            if now - self._submitted_s > _START_S:
                self._condemn(FailureKind.TIMEOUT, f"its child did not start in {_START_S:g} s")
            return
        if self._deadline_s is None:
            self._deadline_s = note.at_s + self._limits.file_s - self._used_s
        if note.page == DONE:
            if now - note.at_s > _DELIVERY_S:
                self._lost = True
                self.kill()
        elif now > self._deadline_s:
            self._condemn(FailureKind.TIMEOUT, f"it took more than {self._limits.file_s:g} s")
        elif now - note.at_s > self._limits.page_s:
            what = f"page {note.page}" if note.page else "opening it"
            limit_s = self._limits.page_s
            self._condemn(FailureKind.TIMEOUT, f"{what} took more than {limit_s:g} s")

    def _condemn(self, kind: FailureKind, message: str) -> None:
        """Ask the child for its stack; the kill follows."""
        self._verdict = (kind, message)
        self._kill_s = time.monotonic() + _STACK_S
        process = self._child()
        if process is not None and process.pid and child.STACK_SIGNAL:
            with suppress(ProcessLookupError):
                os.kill(process.pid, child.STACK_SIGNAL)

    def note(self) -> Note | None:
        """What the child is on; None if it has not announced itself."""
        return self._playback.read(self._ticket)

    @property
    def running_s(self) -> float:
        """How long the job has been with the lane."""
        return time.monotonic() - self._submitted_s

    def ahead_s(self) -> float:
        """An estimate of how long the child will yet read, by its pages so far; 0 if unknown."""
        note = self.note()
        if self.job is None or note is None or not 0 < note.page < DONE:
            return 0.0
        if self._first_note is None:
            self._first_note = note
        pages, seconds = note.page - self._first_note.page, note.at_s - self._first_note.at_s
        rest = (self.job.attempt.end or note.total_pages) - note.page
        return rest * seconds / pages if pages else 0.0

    def end_at(self, page: int) -> None:
        """Have the child stop before a page."""
        assert self.job is not None
        self.job = replace(self.job, attempt=replace(self.job.attempt, end=page - 1))
        self._playback.tell_end(self._ticket, page)

    def finish(self) -> tuple[Job, child.Answer | Death]:
        """The job and how it ended; call it once the lane appeared in the inbox."""
        assert self.job is not None
        assert self._future is not None
        job, self.job = self.job, None
        try:
            answer = self._future.result()
        except BrokenProcessPool:
            return job, self._post_mortem(job)
        except Exception as error:  # noqa: BLE001 - a bug on the way must cost its own file only
            message = f"the answer was lost: {type(error).__name__}: {error}"
            return job, self._death(FailureKind.ENGINE_ERROR, message, self._cost())
        if isinstance(answer, Halted):
            return job, self._death(FailureKind.MEMORY_LIMIT, answer.message, answer.cost)
        return job, answer

    def kill(self) -> None:
        """End the child of a job that is under way; the job ends as crashed.

        A child without a job is left alone: killed while it hands over its answer, it would keep
        the lock of the executor's queue for ever.
        """
        if self._future is not None and not self._future.done():
            self._kill_child()

    def abort(self) -> None:
        """End the lane's job, also if its child is only just being born."""
        while self._future is not None and not self._future.done():
            self._kill_child()
            wait([self._future], timeout=_RETRY_S)

    def close(self) -> None:
        """End what the lane holds, and wait until it is gone."""
        self._end_executor()
        self._playback.close()

    def _end_executor(self) -> None:
        """End the executor and its spare child."""
        if self._executor is None:
            return
        # Waiting matters: without it the executor's thread may print a traceback (3.11, 3.13). It
        # is done elsewhere, since a spare child that waits for a lock that a killed one held never
        # ends by itself.
        closing = threading.Thread(target=self._executor.shutdown, kwargs={"wait": True})
        closing.start()
        closing.join(_CLOSE_S)
        while closing.is_alive():
            if (process := self._context.child()) is not None and process.pid:
                process.kill()
            closing.join(_RETRY_S)
        self._executor = None
        self._context.end_groups(newest=True)

    def _child(self) -> BaseProcess | None:
        """The child that has the job: the one that took notes, else the newest."""
        note = self._playback.read(self._ticket)
        return self._context.child(note.pid if note else 0)

    def _kill_child(self) -> None:
        """SIGKILL to the child, if it is born yet."""
        process = self._child()
        if process is not None and process.pid is not None:
            process.kill()

    def _submit(self, job: Job) -> "Future[child.Answer]":
        """Hand the job to the executor, which is made anew after a death."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                max_tasks_per_child=1,
                mp_context=cast(BaseContext, self._context),
            )
        return self._executor.submit(child.run, job)

    def _post_mortem(self, job: Job) -> Death:
        """How the child died."""
        process = self._child()
        self._kill_child()
        self._end_executor()
        code = None if process is None else process.exitcode
        memory_bytes = job.limits.memory_bytes
        kind, message, signal_name = explain(code, self._peak_bytes, memory_bytes)
        if self._verdict is not None:
            kind, message = self._verdict
        if stack := innermost(self._playback.stack()):
            message = f"{message}, at {stack}"
        pid = (process.pid or 0) if process else 0
        return self._death(kind, message, self._cost(pid, signal_name))

    def _death(self, kind: FailureKind, message: str, cost: Cost) -> Death:
        """A death where the flight recorder says that it was."""
        note = self._playback.read(self._ticket)
        unbegun = note is None and self._verdict is None
        if note is None or note.page == DONE:
            return Death(kind, message, cost, innocent=unbegun or note is not None)
        if note.page and self._verdict is None:
            message = f"page {note.page}: {message}"
        where = (note.engine, note.page, note.total_pages, note.spool_bytes)
        return Death(kind, message, cost, *where)

    def _cost(self, pid: int = 0, signal_name: str = "") -> Cost:
        """What is known of a child that did not live to tell."""
        return Cost(
            pid=pid,
            started_at=self._started_at,
            wall_s=time.monotonic() - self._submitted_s,
            peak=Peak(self._peak_bytes, 0, "VmHWM" if self._peak_bytes else ""),
            signal=signal_name,
        )
