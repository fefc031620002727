"""Supervisor: keeps every lane on a job until the jobs are done or the run is stopped.

A source that kills its child goes on where `attempts.after` says, on the same lane; one that found
no memory is put aside and tried once more when all others are done, alone, with the whole budget.
A lane that finds no more jobs takes the later half of the pages that the slowest other lane has
before it, so that one large file at the end does not wait for one lane. What waits behind a slow
file it takes first.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import chain, count
from queue import Empty
from typing import TypeAlias

from pdfingest.errors import ResourceError, resources_told
from pdfingest.exchange.contents import audited
from pdfingest.exchange.spool import remove_spools
from pdfingest.job import Attempt, Closing, Job
from pdfingest.measure.memory import oom_kills
from pdfingest.model import FailureKind, Reading, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import (
    Cost,
    Death,
    EnvironmentFailure,
    Extracted,
    Failed,
    Finished,
    Outcome,
    Unchanged,
)
from pdfingest.run.attempts import GiveUp, Repeat, after, blamed
from pdfingest.run.complaint import cannot_spool, confirmed
from pdfingest.run.lane import Lane
from pdfingest.run.lanes import Lanes
from pdfingest.run.turn import Turn
from pdfingest.run.work import Work, joined
from pdfingest.run.works import Works
from pdfingest.stop import Stop

TICK_S = 0.1
"""Longest time that a reader waits for a sign that the run is alive."""
_SHARE_TICK_S = 0.01
"""The same while a lane is idle, which may take over pages of another."""
_WORTH_S = 0.05
"""Reading that must lie before a lane if another is to take half of it: a child costs some ms, and
opening a large file some tens."""
_OVER = object()  # stands for the job behind the last one
_LINED_UP = 8
"""Jobs that a lane has before it, so that it goes on while the reader waits for the disk."""
_CURE = "Use fewer --workers, or raise the limit on processes (ulimit -u)."

_Steps: TypeAlias = Generator[Finished | None, None, None]


class Supervisor:
    """Runs jobs in fresh children.

    Args:
        options: number of lanes, and limits.
        recorders: directory of the flight recorders.
        stop: watched all the time.
        started: told the lane's 0-based index and the source of every job that starts.
    """

    def __init__(
        self,
        options: IngestOptions,
        recorders: str,
        stop: Stop,
        started: Callable[[int, Source], None],
    ) -> None:
        self._options = options
        self._recorders = recorders
        self.stop = stop
        self._started = started
        self._lanes = Lanes(options, recorders)
        self._due: deque[Work] = deque()
        """Works to be taken up before new ones."""
        self._aside: deque[Work] = deque()
        self._oom_kills = oom_kills()
        self._spools = count(1)

    def run(self, jobs: Iterator[Job | None]) -> _Steps:
        """Run all jobs, at most `workers` at a time, and yield each source when it has ended.

        Jobs yield None where the next is not there yet; it is asked for again. Each lane has some
        jobs lined up, so that children work while the reader writes. Some times a second the
        iterator yields None, so that the reader can show that the run is alive. When a stop is
        requested, living children are killed, their jobs end as cancelled, and the iterator ends.
        Closing the iterator kills the children too.

        Raises:
            OutputError: a child could not write its spool.
            EngineUnavailableError: a child could not import the engine.
            SandboxError: a child could not enter the sandbox that is required.
            ResourceError: no process can be started.
        """
        while (first := next(jobs, _OVER)) is None and not self.stop.requested:
            yield None
            time.sleep(_SHARE_TICK_S)
        if not isinstance(first, Job):
            return
        self.stop.wake = lambda: self._lanes.inbox.put(None)
        lanes = self._lanes.open(first)
        try:
            yield from self._drive(lanes, Works.of(chain([first], jobs), self._due))
            yield from self._drive(lanes[:1], Works(self._take_up(), self._due))
            yield from self._cancel()
        finally:
            self._forget()

    def close(self) -> None:
        """Let go of the lanes, and wait until nothing of them is left."""
        self._lanes.close()

    def reading(self) -> Iterable[Reading]:
        """Say how far each source is that a child reads, in the order of the lanes."""
        return self._lanes.reading()

    def _take_up(self) -> Iterator[Work]:
        """Yield the works that found no memory, each with the whole budget for its child."""
        while self._aside:
            work = self._aside.popleft()
            limits = work.job.limits._replace(memory_bytes=work.job.limits.alone_bytes)
            work.job = work.job._replace(limits=limits)
            yield work

    def _drive(self, lanes: list[Lane], works: Works) -> _Steps:
        """Keep some lanes busy until all works are done or a stop is requested."""
        for lane in lanes:
            self._feed(lane, lanes, works)
        yield None  # so that the reader looks at memory before any file is done
        due_s = 0.0
        while not self.stop.requested and (any(lane.turn for lane in lanes) or not works.are_over):
            idle = [lane for lane in lanes if not lane.turn]
            with suppress(Empty):
                if turn := self._lanes.inbox.get(timeout=_SHARE_TICK_S if idle else TICK_S):
                    finished = self._take_in(turn)
                    self._feed(self._lanes[turn.lane], lanes, works)
                    if finished is not None:
                        yield finished
            if (now_s := time.monotonic()) >= due_s:
                due_s = now_s + TICK_S
                for lane in lanes:
                    lane.watch()
            for lane in idle:
                if not works.are_over:
                    self._feed(lane, lanes, works)
                if not lane.turn and (work := self._shared(lanes)):
                    self._begin(lane, work)
            yield None

    def _feed(self, lane: Lane, lanes: list[Lane], works: Works) -> None:
        """Give a lane a job, if it has none, and line up more behind it."""
        if self.stop.requested:
            return
        if not lane.turn:
            others = filter(None, (each.take_back() for each in lanes))
            if work := lane.take_back() or works.next() or next(others, None):
                self._begin(lane, work)
        if not lane.turn:
            return
        # So many and no more: a lane that is as quick as this would keep the others waiting.
        for _ in range(_LINED_UP - lane.lined_up):
            if work := works.next():
                lane.line_up(work)

    def _shared(self, lanes: list[Lane]) -> Work | None:
        """Take over half of what the slowest lane has still to read, if that is worth a child."""
        turns = [lane.turn for lane in lanes if lane.turn and lane.turn.can_be_split]
        turn = max(turns, key=Turn.ahead_s, default=None)
        if turn is None or turn.ahead_s() < _WORTH_S:
            return None
        return turn.split(f"{turn.job.spool}.{next(self._spools)}")

    def _begin(self, lane: Lane, work: Work, step: Attempt | Closing | None = None) -> None:
        """Put a work on a lane, where it does the step that its job has or a new one."""
        if step is not None:
            work.job = work.job._replace(step=step)
        with resources_told():
            lane.start(work)
        self._tell(lane.turn)

    def _tell(self, turn: Turn | None) -> None:
        """Announce the start of a job, once: some begin and end before anybody looks."""
        if turn and not turn.is_told:
            turn.is_told = True
            self._started(turn.lane, turn.job.source)

    def _take_in(self, turn: Turn) -> Finished | None:
        """Take in a turn that has ended; return its source if that has ended too."""
        lane = self._lanes[turn.lane]
        answer = lane.finish(turn)
        self._tell(turn)
        self._tell(lane.turn)
        match answer:
            case Death():
                before, self._oom_kills = self._oom_kills, oom_kills()
                death = blamed(answer, oom_kills=self._oom_kills - before)
                return self._after_death(lane, turn.work, death)
            case EnvironmentFailure():
                return self._after_death(lane, turn.work, self._doubted(turn, answer))
            case _:
                return self._over(turn.work, turn.work.outcome(answer))

    def _doubted(self, turn: Turn, failure: EnvironmentFailure) -> Death:
        """Check what a child says of the machine; return its death if the machine is sound."""
        if error := confirmed(turn.job, f"{self._recorders}/check", self.stop):
            raise error
        message = f"its child blamed the machine, which is sound: {failure.message}"
        death = turn.death(FailureKind.CRASHED, message, turn.cost())
        return death._replace(is_at_fault=False)  # a disk may have been full for a moment

    def _over(self, work: Work, outcome: Outcome) -> Finished | None:
        """Note the outcome of a work; return its source if all parts of that have ended."""
        work.ended = outcome
        first = work.parts[0]
        if not all(part.ended for part in work.parts):
            return None
        whole = self._joined(work)
        for part in work.parts[1:]:
            remove_spools(part.job.spool)
        if whole is None:
            self._due.append(work.again())
            return None
        work.parts.clear()  # it holds the work: a circle would stay until the next collection
        return Finished(first.job.source, whole, first.job.spool)

    def _joined(self, work: Work) -> Outcome | None:
        """Join the parts of a source and audit its spool; see `work.joined`."""
        first = work.parts[0].job
        try:
            whole = joined(work.parts)
            return whole and audited(whole, first)
        except OSError as error:
            raise cannot_spool(f"{first.spool}: {error}") from error

    def _after_death(self, lane: Lane, work: Work, death: Death) -> Finished | None:
        """Go on with a work as `attempts.after` decides; return its source if it has ended."""
        decision = after(work.job, death, work.history(death, self._options.timeout_s))
        if isinstance(decision, Repeat):
            work.repeats += 1
            self._begin(lane, work)
            return None
        if not death.was_started:
            raise ResourceError(f"no process can be started: {death.message}. {_CURE}")
        was_alone = work.job.attempt.alone
        work.note(death)
        match decision:
            case GiveUp():
                return self._over(work, work.failed())
            case Attempt(alone=True) if not was_alone:
                work.job = work.job._replace(step=decision)
                self._aside.append(work)
            case Attempt() | Closing():
                self._begin(lane, work, decision)
        return None

    def _cancel(self) -> Iterator[Finished]:
        """End the jobs in flight after a stop, and yield their sources; finished jobs are kept.

        Jobs that are only lined up are as if they had never been taken.
        """
        works = [*self._aside, *self._due]
        for turn, answer in self._lanes.killed():
            work = turn.work
            works.append(work)
            if isinstance(answer, Extracted | Failed | Unchanged):
                work.ended = work.outcome(answer)
            else:
                cost = answer.cost if isinstance(answer, Death) else turn.cost()
                work.costs.append(cost._replace(signal="", stack=""))
        for work in {id(work.parts): work for work in works}.values():  # of several parts, one
            yield self._cancelled(work)

    def _forget(self) -> None:
        """Clear what an unfinished run has left, so that the lanes can serve another run."""
        deque(self._lanes.killed(), maxlen=0)
        self._due.clear()
        self._aside.clear()
        self._lanes.leave_stuck()

    def _cancelled(self, work: Work) -> Finished:
        """Return the outcome of a source in flight, some parts of which may have ended."""
        first = work.parts[0]
        whole = self._joined(work) if all(part.ended for part in work.parts) else None
        if whole is None:
            cost = work.cost(work.costs.pop()) if work.costs else Cost()
            whole = Failed(FailureKind.CANCELLED, "the run was interrupted", cost)
        return Finished(first.job.source, whole, first.job.spool)
