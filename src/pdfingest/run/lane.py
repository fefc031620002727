"""Lane: the parent's slot for one job at a time, and the only place that starts processes.

    lane.start(work) ─▶ executor ─▶ child: answer_to(job), exit
         lane.watch() ◀── notes ── flight recorder ◀──┤
    lane.finish(turn) ◀── inbox ◀── future ◀─ answer ─┘ or its death

A lane owns a `ProcessPoolExecutor` of one process, so that a death is that of its job and of no
other; see `isolation.executor`.

The next jobs are lined up: each begins in the instant in which the one before it answers, while
the parent is still to look at that answer, or waits for the disk. After a death, they wait.
"""

import os
import threading
import time
from collections import deque
from concurrent.futures import Future, InvalidStateError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeAlias

from pdfingest.child import main as child
from pdfingest.exchange.answer import NotAnAnswer
from pdfingest.exchange.recorder import DONE, Note, Playback
from pdfingest.isolation.context import LOST, Starter
from pdfingest.isolation.executor import FreshExecutor
from pdfingest.model import FailureKind
from pdfingest.outcome import Death, EnvironmentFailure, Halted, Outcome
from pdfingest.run.attempts import explain, innermost
from pdfingest.run.turn import TimeLimits, Turn
from pdfingest.run.work import Work
from pdfingest.text import mib

Ending: TypeAlias = Outcome | EnvironmentFailure | Death
"""How a turn ends."""
Inbox: TypeAlias = "SimpleQueue[Turn | None]"
"""Turns that ended, in the order in which they did; None wakes the reader for a stop."""

_DELIVERY_S = 2.0
"""How long an answer may take from child to parent; it needs less than a millisecond."""
_STACK_S = 0.2
"""How long a child that is to be killed has for leaving its stack."""
_LEAVE_S = 1.0
"""How long a child that has answered may take to end; it needs milliseconds."""


class Lane:
    """A slot for one job at a time, each in a child of its own.

    Args:
        index: 0-based.
        starter: starts its children.
        inbox: where a turn appears when it has ended.
        recorder: path of its flight recorder.
        limits: on the time of each job.
    """

    def __init__(
        self, index: int, starter: Starter, inbox: Inbox, recorder: str, limits: TimeLimits
    ) -> None:
        self.index = index
        self.turn: Turn | None = None
        self.playback = Playback(recorder)
        self._next: deque[Work] = deque()
        self._executor = FreshExecutor(starter)
        self._inbox = inbox
        self._limits = limits
        self._tickets = 0
        self._changing = threading.RLock()
        """Held while `turn` and `_next` change, and while a child is killed, lest it be another."""

    def start(self, work: Work) -> None:
        """Begin the job of a work; the inbox tells when it has ended.

        Raises:
            OSError, RuntimeError: there is no descriptor or no thread to be had.
        """
        with self._changing:
            assert self.turn is None
            try:
                self._begin(work)
            except BrokenProcessPool:
                # A spare child died between two jobs; no job was lost.
                self._executor.end()
                self._begin(work)

    def line_up(self, work: Work) -> None:
        """Begin a job as `start` does, as soon as those before it have answered."""
        with self._changing:
            self._next.append(work)
            if self.turn and self.turn.is_over:  # it was quicker than the reader
                self._go_on(self.turn)

    @property
    def lined_up(self) -> int:
        """Number of jobs that are lined up."""
        return len(self._next)

    def take_back(self) -> Work | None:
        """Return the next of them, which begins by itself no more; None if there is none."""
        with self._changing:
            return self._next.popleft() if self._next else None

    def _begin(self, work: Work) -> None:
        self._tickets += 1
        call = work.job, self.playback.path, self._tickets, _folder()
        future = self._executor.submit(child.answer_to, *call)
        self.turn = Turn(self.index, work, self._tickets, self.playback, future)
        # A callback that held the turn would be a circle, as the turn holds the future. What a file
        # took would then stay until the next collection of garbage, among what comes after it.
        future.add_done_callback(self._ended)

    def _ended(self, future: "Future[bytes]") -> None:
        """Put the turn that has ended into the inbox, and go on. Runs in the executor's thread."""
        with self._changing:
            turn = self.turn
            assert turn is not None
            assert turn.future is future
            turn.end(self._executor.process)  # before the next is started by this thread
            self._inbox.put(turn)  # first, so that no turn is ever neither here nor there
            turn.is_over = True
            self._go_on(turn)

    def _go_on(self, turn: Turn) -> None:
        """Begin the next job in the line behind a turn that is over, unless it was a death."""
        if self._next and turn.is_answered:
            following = self._next.popleft()  # first: it may be over before this is
            try:
                self._begin(following)
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
        if self._has_ended:
            self._end_wait(turn, now)
            return
        if turn.kill_s:
            if now >= turn.kill_s:
                self._kill(turn)
            return
        note, process = turn.note(), self._executor.process
        if note is not None and process is not None and process.pid:
            turn.look(process.pid)
        self._judge(turn, note, now)

    def _judge(self, turn: Turn, note: Note | None, now: float) -> None:
        """Time out a child that takes too long, and end one that withholds its answer."""
        reason = turn.overdue(note, now, self._limits)
        if note is not None and note.page == DONE:
            turn.done_s = now if turn.done_s is None else turn.done_s
            if now - turn.done_s > _DELIVERY_S:
                self._kill(turn)
        elif turn.has_too_much:
            held, limit = mib(turn.private_bytes), mib(turn.job.limits.memory_bytes)
            turn.verdict = (FailureKind.MEMORY_LIMIT, f"it took {held} of {limit}")
            self._kill(turn)
        elif reason:
            self._time_out(turn, reason)

    def _end_wait(self, turn: Turn, now: float) -> None:
        """End the turn of a child that has ended, if the executor has not done so in time.

        The executor's thread may have ended in a traceback where the system gave no thread to it
        (3.11); then nobody else would end the turn. It has seconds for what takes it milliseconds,
        as it fails itself where another thread is quicker (3.11).
        """
        turn.ended_s = now if turn.ended_s is None else turn.ended_s
        if now - turn.ended_s > _DELIVERY_S:
            with suppress(InvalidStateError):
                turn.future.set_exception(BrokenProcessPool("the executor has lost its child"))

    def _time_out(self, turn: Turn, message: str) -> None:
        """Ask the child for its stack; the kill follows."""
        turn.verdict = (FailureKind.TIMEOUT, message)
        turn.kill_s = time.monotonic() + _STACK_S
        with self._changing:
            if self._is_under_way(turn) and self._executor.process and child.STACK_SIGNAL:
                self._executor.process.signal(child.STACK_SIGNAL)

    def finish(self, turn: Turn) -> Ending:
        """Say how a turn ended; call it once the turn has appeared in the inbox.

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
        _end_child(turn)
        match answer:
            case NotAnAnswer():
                return turn.death(FailureKind.CRASHED, answer.message, turn.cost())
            case Halted():
                return turn.death(FailureKind.MEMORY_LIMIT, answer.message, answer.cost)
            case _:
                return answer

    def kill(self) -> None:
        """End the child of a job that is under way; the job ends as crashed."""
        if turn := self.turn:
            self._kill(turn)

    def forget_next(self) -> None:
        """Have no job begin by itself any more."""
        with self._changing:
            self._next.clear()

    def give_up(self) -> None:
        """End what holds up the start of a child, and start none for calls that are left."""
        self._executor.give_up()

    def begin_close(self) -> None:
        """Begin to end what the lane holds; only `close` may follow."""
        self._executor.begin_close()

    def close(self) -> None:
        """End what the lane holds, and wait until it is gone."""
        self._executor.end()
        self.playback.close()

    @property
    def _has_ended(self) -> bool:
        return self._executor.process is not None and self._executor.process.exitcode is not None

    def _is_under_way(self, turn: Turn) -> bool:
        """Whether a child may be killed for this turn: it has the job, and has not answered."""
        return turn is self.turn and not turn.future.done()

    def _kill(self, turn: Turn) -> None:
        """End the child of a turn that is under way."""
        with self._changing:
            if self._is_under_way(turn) and (process := self._executor.process):
                process.kill()

    def _post_mortem(self, turn: Turn) -> Death:
        process = turn.process
        if process is not None:
            process.kill()
        self._executor.end()
        code = None if process is None else process.exitcode
        kind, message, signal_name = explain(code, turn.seen_bytes, turn.job.limits.memory_bytes)
        if turn.verdict is not None:
            kind, message = turn.verdict
        stack = innermost(self.playback.stack())
        pid = process.pid if process else 0
        death = turn.death(kind, message, turn.cost(pid, signal_name, stack))
        if process is not None and process.start_error:
            return death._replace(message=process.start_error, is_at_fault=False, was_started=False)
        is_lost = code == LOST and turn.verdict is None
        return death._replace(is_at_fault=False) if is_lost else death


def _folder() -> str:
    """Return where relative paths begin; empty where that is gone."""
    with suppress(FileNotFoundError):
        return os.getcwd()
    return ""


def _end_child(turn: Turn) -> None:
    """Wait until a child that has answered is gone, and end one that stays."""
    process = turn.process
    if process is not None and not process.has_ended(_LEAVE_S):
        process.kill()
        process.has_ended(_LEAVE_S)
