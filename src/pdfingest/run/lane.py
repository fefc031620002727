"""Lane: the parent's slot for one job at a time, and the only place that starts processes.

    lane.start(job) ──▶ executor ──▶ births ──fork──▶ child: run(job), exit
         lane.watch() ◀── notes ── flight recorder ◀──┤
    lane.finish(turn) ◀── inbox ◀── future ◀─ answer ─┘ or its death

The next jobs are lined up: each begins in the instant in which the one before it answers, while
the parent is still to look at that answer, or waits for the disk. After a death, they wait.

Each lane owns a `ProcessPoolExecutor` of one process that takes one job in its life. Why not one
executor of N: when one child dies, a shared executor fails every job in flight, and nobody knows
the culprit (`BrokenProcessPool`; allenai/olmocr#108, MinerU#4549). `max_tasks_per_child` is 1 and
no option: 2 deadlocks before 2026 (python/cpython#115634).
"""

import signal
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import TypeAlias

from pdfingest.child import main as child
from pdfingest.exchange.answer import NotAnAnswer
from pdfingest.exchange.recorder import DONE, Note, Playback
from pdfingest.isolation.birth import LOST, Births
from pdfingest.measure.memory import peak_of
from pdfingest.model import Death, EnvironmentFailure, FailureKind, Halted, Job, Outcome
from pdfingest.run.post_mortem import explain, innermost
from pdfingest.run.turn import Turn

Ending: TypeAlias = Outcome | EnvironmentFailure | Death
"""How a turn ends."""
Inbox: TypeAlias = "SimpleQueue[Turn | None]"
"""Turns that ended, in the order in which they did; None wakes the reader for a stop."""

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
_LEAVE_S = 1.0
"""How long a child that has answered may take to end; it needs milliseconds."""
_ABORT_S = 0.5
"""How long a child that was killed may take to end before its start is given up as well."""
_GIVE_UP_S = 0.5
"""How long a lane may take after that; then it is left as it is."""
_CLOSING_S = 300.0
"""How long a child may take that reads no page and only counts those that earlier ones read: a
limit of the user's that is up must not discard them."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a job may take, in seconds."""

    file_s: float
    page_s: float


class Lane:
    """One job at a time, each in a child of its own.

    Args:
        index: 0-based.
        births: where its children come from.
        inbox: where a turn appears when it has ended.
        recorder: path of its flight recorder.
        limits: on the time of each job.
    """

    def __init__(
        self, index: int, births: Births, inbox: Inbox, recorder: str, limits: TimeLimits
    ) -> None:
        self.index = index
        self.turn: Turn | None = None
        self.playback = Playback(recorder)
        self._next: deque[tuple[Job, float]] = deque()
        self._births = births
        self._inbox = inbox
        self._limits = limits
        self._executor: ProcessPoolExecutor | None = None
        self._tickets = 0
        self._changing = threading.RLock()
        """Held while `turn` and `_next` change, and while a child is killed, lest it be another."""

    def start(self, job: Job, used_s: float = 0.0) -> None:
        """Begin a job that has had `used_s` seconds already; the inbox tells when it has ended."""
        with self._changing:
            assert self.turn is None
            try:
                self._begin(job, used_s)
            except BrokenProcessPool:
                # A spare child died between two jobs; no job was lost.
                self._end_executor()
                self._begin(job, used_s)

    def line_up(self, job: Job, used_s: float = 0.0) -> None:
        """Begin a job as `start` does, once those before it have answered."""
        with self._changing:
            self._next.append((job, used_s))
            if self.turn and self.turn.is_over:  # it was quicker than the reader
                self._go_on(self.turn)

    @property
    def lined_up(self) -> int:
        """How many jobs are."""
        return len(self._next)

    def take_back(self) -> Job | None:
        """The next of them, which does not begin by itself any more; None if there is none."""
        with self._changing:
            return self._next.popleft()[0] if self._next else None

    def _begin(self, job: Job, used_s: float) -> None:
        """Hand a job to the executor, which is made anew after a death."""
        if self._executor is None:
            self._executor = self._births.executor()
        self._tickets += 1
        job = replace(job, recorder=self.playback.path, ticket=self._tickets)
        future = self._executor.submit(child.answer_to, job)
        turn = self.turn = Turn(self.index, self.playback, job, used_s, future)
        turn.future.add_done_callback(lambda _: self._ended(turn))

    def _ended(self, turn: Turn) -> None:
        """Tell the reader, and go on. Runs in the executor's thread."""
        with self._changing:
            turn.end(self._births.newest)  # before the next is started by this thread
            self._inbox.put(turn)  # first, so that no turn is ever neither here nor there
            turn.is_over = True
            self._go_on(turn)

    def _go_on(self, turn: Turn) -> None:
        """Begin what is lined up behind a turn that is over, unless it was a death."""
        if self._next and turn.is_answered:
            following = self._next.popleft()  # first: it may be over before this is
            try:
                self._begin(*following)
            except BaseException as error:  # whatever it is, no job is lost
                self._next.appendleft(following)
                if not isinstance(error, RuntimeError):  # the executor is at its end
                    raise

    def watch(self) -> None:
        """Hold the child to its time limits; call it some times a second."""
        turn = self.turn
        if turn is None:
            return
        now = time.monotonic()
        if turn.kill_s:
            if now >= turn.kill_s:
                self._kill(turn)
            return
        note, process = turn.note(), self._births.newest
        if note is not None and process is not None and process.pid:
            turn.peak_bytes = max(turn.peak_bytes, peak_of(process.pid))
        self._judge(turn, note, now)

    def _judge(self, turn: Turn, note: Note | None, now: float) -> None:
        """Time out a child that takes too long."""
        if note is not None and turn.deadline_s is None:
            began_s = max(note.at_s, turn.submitted_s)
            is_closing = turn.job.attempt.total_pages > 0
            left_s = _CLOSING_S if is_closing else self._limits.file_s - turn.used_s
            turn.deadline_s = began_s + left_s
        if note is not None and note.page == DONE:
            turn.done_s = now if turn.done_s is None else turn.done_s
            if now - turn.done_s > _DELIVERY_S:
                self._kill(turn)
        elif reason := self._overdue(turn, note, now):
            self._time_out(turn, reason)

    def _overdue(self, turn: Turn, note: Note | None, now: float) -> str:
        """Say which limit of time is up; empty if none is."""
        if turn.deadline_s is None:
            late = now - turn.submitted_s > _START_S
            return f"its child did not start in {_START_S:g} s" if late else ""
        if now > turn.deadline_s:
            return f"it took more than {self._limits.file_s:g} s"
        if note is None or now - note.at_s <= self._limits.page_s:
            return ""
        if turn.job.attempt.total_pages:
            return ""
        what = f"page {note.page}" if note.page else "opening it"
        return f"{what} took more than {self._limits.page_s:g} s"

    def _time_out(self, turn: Turn, message: str) -> None:
        """Ask the child for its stack; the kill follows."""
        turn.verdict = (FailureKind.TIMEOUT, message)
        turn.kill_s = time.monotonic() + _STACK_S
        with self._changing:
            process = self._births.newest
            if self._is_under_way(turn) and process and child.STACK_SIGNAL:
                process.signal(child.STACK_SIGNAL)

    def finish(self, turn: Turn) -> Ending:
        """Say how a turn ended; call it once it appeared in the inbox.

        No child can write to the spool of the job any more.
        """
        with self._changing:
            if self.turn is turn:
                self.turn = None
        answer, error = turn.answer, turn.future.exception()
        if answer is None:
            if isinstance(error, BrokenProcessPool):
                return self._post_mortem(turn)
            # A bug on the way must cost its own file only.
            message = f"the answer was lost: {type(error).__name__}: {error}"
            return turn.death(FailureKind.ENGINE_ERROR, message, turn.cost())
        self._end_child(turn)
        if isinstance(answer, NotAnAnswer):
            return turn.death(FailureKind.CRASHED, answer.message, turn.cost())
        if isinstance(answer, Halted):
            return turn.death(FailureKind.MEMORY_LIMIT, answer.message, answer.cost)
        return answer

    def _end_child(self, turn: Turn) -> None:
        """Wait until a child that has answered is gone, and end one that stays."""
        process = turn.process
        if process is not None and not process.has_ended(_LEAVE_S):
            process.signal(signal.SIGKILL)
            process.has_ended(_LEAVE_S)

    def kill(self) -> None:
        """End the child of a job that is under way; the job ends as crashed."""
        if turn := self.turn:
            self._kill(turn)

    def abort(self) -> None:
        """End the lane's job; see `abort`."""
        abort([self])

    def forget_next(self) -> None:
        """Have no job begin by itself any more."""
        with self._changing:
            self._next.clear()

    def give_up(self) -> None:
        """End what holds up the start of a child."""
        self._births.give_up()

    def close(self) -> None:
        """End what the lane holds, and wait until it is gone."""
        self._end_executor()
        self._births.close()
        self.playback.close()

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
            if (process := self._births.newest) is not None:
                process.signal(signal.SIGKILL)
            closing.join(_RETRY_S)
        self._executor = None

    def _is_under_way(self, turn: Turn) -> bool:
        """Whether a child may be killed for this turn: it has the job, and has not answered.

        Where an executor has a queue, a child that is killed while it hands over its answer keeps
        the lock of that for ever.
        """
        return turn is self.turn and not turn.future.done()

    def _kill(self, turn: Turn) -> None:
        """End the child of a turn that is under way."""
        with self._changing:
            if self._is_under_way(turn) and (process := self._births.newest):
                process.signal(signal.SIGKILL)

    def _post_mortem(self, turn: Turn) -> Death:
        """Say how the child died."""
        process = turn.process
        if process is not None:
            process.signal(signal.SIGKILL)
        self._end_executor()
        code = None if process is None else process.exitcode
        memory_bytes = turn.job.limits.memory_bytes
        kind, message, signal_name = explain(code, turn.peak_bytes, memory_bytes)
        if turn.verdict is not None:
            kind, message = turn.verdict
        stack = innermost(self.playback.stack())
        pid = (process.pid or 0) if process else 0
        death = turn.death(kind, message, turn.cost(pid, signal_name, stack))
        if process is not None and process.start_error:
            return replace(death, message=process.start_error, innocent=True, was_started=False)
        return replace(death, innocent=True) if code == LOST and not turn.verdict else death


def abort(lanes: Sequence[Lane]) -> list[Lane]:
    """End the jobs of lanes, also those whose child is only just being started.

    What is lined up does not begin any more. It takes a second at the most: a start that hangs is
    given up, and a child that not even SIGKILL ends, as it waits for a disk, is left behind.

    Returns:
        The lanes that are still not free.
    """
    for lane in lanes:
        lane.forget_next()
    began_s = time.monotonic()
    is_given_up = False
    while turns := [lane.turn for lane in lanes if lane.turn and not lane.turn.future.done()]:
        busy = [lane for lane in lanes if lane.turn in turns]
        spent_s = time.monotonic() - began_s
        if spent_s > _ABORT_S + _GIVE_UP_S:
            return busy
        if spent_s > _ABORT_S and not is_given_up:
            is_given_up = True
            for lane in busy:
                lane.give_up()
        for lane in busy:
            lane.kill()
        wait([turn.future for turn in turns], timeout=_RETRY_S)
    return []
