"""Supervisor: keeps every lane on a job until the jobs are done or the run is stopped.

A source that kills its child goes on where `attempts.after` says, on the same lane; one that found
no memory is put aside and tried once more when all others are done, alone, with the whole budget.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TypeAlias, assert_never

from pdfingest.child import Answer
from pdfingest.errors import EngineUnavailableError, OutputError, SandboxError
from pdfingest.memory import oom_kills
from pdfingest.model import (
    Attempt,
    Cost,
    Death,
    EnvironmentFailure,
    Extracted,
    Failed,
    FailureKind,
    Finished,
    Halted,
    Job,
    Outcome,
    Peak,
    Source,
    Stop,
    Unchanged,
)
from pdfingest.options import IngestOptions
from pdfingest.supervise.attempts import GiveUp, after
from pdfingest.supervise.birth import start_context
from pdfingest.supervise.lane import Inbox, Lane, TimeLimits

TICK_S = 0.1
"""How long a reader waits at the most for a sign that the run is alive."""
_MAX_INNOCENT = 5
"""So often a job is begun anew whose child died before it began or after it was done."""

_Steps: TypeAlias = Generator[Finished | None, None, None]


@dataclass(slots=True)
class _Work:
    """A job with all its attempts."""

    job: Job
    deaths: list[Death] = field(default_factory=list[Death])
    costs: list[Cost] = field(default_factory=list[Cost])
    innocent: int = 0

    @property
    def used_s(self) -> float:
        """Time that its children have had."""
        return sum(cost.wall_s for cost in self.costs)

    def cost(self, last: Cost) -> Cost:
        """All its attempts as one."""
        if not self.costs:
            return last
        costs = [*self.costs, last]
        highest = max((cost.peak for cost in costs), key=lambda peak: peak.peak_bytes)
        baseline_bytes = max(cost.peak.baseline_bytes for cost in costs)
        return Cost(
            pid=last.pid,
            started_at=costs[0].started_at,
            wall_s=sum(cost.wall_s for cost in costs),
            cpu_s=sum(cost.cpu_s for cost in costs),
            peak=Peak(highest.peak_bytes, baseline_bytes, highest.method),
            attempts=len(costs),
            signal=next((cost.signal for cost in costs if cost.signal), ""),
        )

    def outcome(self, outcome: Outcome) -> Outcome:
        """The last attempt's outcome, which does not know how the earlier ones ended."""
        if not self.costs:
            return outcome
        outcome = replace(outcome, cost=self.cost(outcome.cost))
        if not self.deaths:
            return outcome
        death = self.deaths[0]
        match outcome:
            case Extracted(failed_pages=()):
                return replace(outcome, message=death.message)
            case Extracted():
                return replace(outcome, failure=death.kind, message=death.message)
            case Failed(kind=FailureKind.CHANGED) | Unchanged():
                return outcome
            case Failed():
                return replace(outcome, kind=death.kind, message=death.message)

    def failed(self) -> Failed:
        """Nothing came of it, and no child is left to say so."""
        death, last = self.deaths[0], self.costs.pop()
        total_pages = max(each.total_pages for each in self.deaths)
        return Failed(
            death.kind,
            death.message,
            self.cost(last),
            engine=self.job.engines[0].name,
            failed_pages=tuple(range(1, total_pages + 1)),
        )


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
        self._limits = TimeLimits(options.timeout_s, options.page_timeout_s)
        self._recorders = recorders
        self._stop = stop
        self._started = started
        self._inbox: Inbox = SimpleQueue()
        self._working: dict[int, _Work] = {}
        self._aside: deque[_Work] = deque()
        self._oom_kills = oom_kills()

    def run(self, jobs: Iterator[Job]) -> _Steps:
        """Run all jobs, `workers` at a time; yields each as it ends.

        A lane gets its next job before its last one is yielded, so that children work while the
        reader writes. At most `workers` jobs are in flight. Some times a second it yields None,
        so that the reader can show that the run is alive. When a stop is requested, living
        children are killed, their jobs end as cancelled, and the iterator ends. Closing it kills
        the children too.

        Raises:
            OutputError: a child could not write its spool.
            EngineUnavailableError: a child could not import the engine.
            SandboxError: a child could not enter the sandbox that is required.
        """
        first = next(jobs, None)
        if first is None:
            return
        self._stop.wake = lambda: self._inbox.put(None)
        context = start_context(first.engines[0])
        lanes: list[Lane] = []
        try:
            for index in range(self._options.workers):
                recorder = f"{self._recorders}/lane-{index}"
                lanes.append(Lane(index, context, self._inbox, recorder, self._limits))
            yield from self._drive(lanes, map(_Work, _chain(first, jobs)))
            yield from self._drive(lanes[:1], self._take_up())
            yield from self._cancel(lanes)
        finally:
            _kill(lanes)
            for lane in lanes:
                lane.close()

    def _take_up(self) -> Iterator[_Work]:
        """What was put aside, with the whole budget."""
        while self._aside:
            work = self._aside.popleft()
            limits = replace(work.job.limits, memory_bytes=self._options.budget_bytes())
            work.job = replace(work.job, limits=limits)
            yield work

    def _drive(self, lanes: list[Lane], works: Iterator[_Work]) -> _Steps:
        """Keep these lanes busy until the work is done."""
        for lane in lanes:
            self._feed(lane, works)
        due_s = 0.0
        while not self._stop.requested and any(lane.job for lane in lanes):
            with suppress(Empty):
                if ended := self._inbox.get(timeout=TICK_S):
                    finished = self._take_in(ended)
                    if ended.job is None:
                        self._feed(ended, works)
                    if finished is not None:
                        yield finished
            if (now_s := time.monotonic()) >= due_s:
                due_s = now_s + TICK_S
                for lane in lanes:
                    lane.watch()
            yield None

    def _feed(self, lane: Lane, works: Iterator[_Work]) -> None:
        """Give an idle lane its next work, if there is any."""
        if not self._stop.requested and (work := next(works, None)):
            self._started(lane.index, work.job.source)
            self._begin(lane, work, work.job.attempt)

    def _begin(self, lane: Lane, work: _Work, attempt: Attempt) -> None:
        """Put an attempt on a lane."""
        work.job = replace(work.job, attempt=attempt)
        self._working[lane.index] = work
        lane.start(work.job, work.used_s)

    def _take_in(self, lane: Lane) -> Finished | None:
        """What a lane's job came to; None if it is not over."""
        _, answer = lane.finish()
        work = self._working[lane.index]
        if isinstance(answer, Death):
            return self._after_death(lane, work, self._judged(answer))
        return Finished(work.job.source, work.outcome(_outcome(answer)), work.job.spool)

    def _judged(self, death: Death) -> Death:
        """A SIGKILL that nobody here sent is the kernel's, if it says that it killed."""
        killed, self._oom_kills = oom_kills() - self._oom_kills, oom_kills()
        if killed and death.cost.signal == "SIGKILL" and death.kind is FailureKind.CRASHED:
            return replace(death, kind=FailureKind.MEMORY_LIMIT)
        return death

    def _after_death(self, lane: Lane, work: _Work, death: Death) -> Finished | None:
        """Begin the next attempt; if there is none, the work is over."""
        job = work.job
        if death.innocent and work.innocent < _MAX_INNOCENT:
            work.innocent += 1
            self._begin(lane, work, job.attempt)
            return None
        work.deaths.append(death)
        work.costs.append(death.cost)
        in_time = work.used_s < self._limits.file_s
        decision = after(
            job.attempt,
            death,
            engines=len(job.engines),
            deaths=len(work.deaths),
            in_time=in_time,
        )
        if job.attempt.total_pages:  # it died while it closed the books
            return Finished(job.source, work.failed(), job.spool)
        match decision:
            case Attempt(alone=True) if not job.attempt.alone:
                work.job = replace(job, attempt=decision)
                self._aside.append(work)
                return None
            case Attempt():
                self._begin(lane, work, decision)
                return None
            case GiveUp(spool_bytes=0):
                return Finished(job.source, work.failed(), job.spool)
            case GiveUp():
                total_pages = max(each.total_pages for each in work.deaths)
                closing = replace(
                    job.attempt, spool_bytes=decision.spool_bytes, total_pages=total_pages
                )
                self._begin(lane, work, closing)
                return None

    def _cancel(self, lanes: list[Lane]) -> Iterator[Finished]:
        """After a stop, end the jobs in flight; those that were quicker are kept."""
        busy = [lane for lane in lanes if lane.job]
        _kill(busy)
        for lane in busy:
            job, answer = lane.finish()
            work = self._working[lane.index]
            if isinstance(answer, Death):
                cost = work.cost(replace(answer.cost, signal=""))
                outcome: Outcome = Failed(FailureKind.CANCELLED, "the run was interrupted", cost)
            else:
                outcome = work.outcome(_outcome(answer))
            yield Finished(job.source, outcome, job.spool)
        for work in self._aside:
            cost = work.cost(work.costs.pop())
            outcome = Failed(FailureKind.CANCELLED, "the run was interrupted", cost)
            yield Finished(work.job.source, outcome, work.job.spool)


def _chain(first: Job, rest: Iterable[Job]) -> Iterator[Job]:
    """One job, then the others."""
    yield first
    yield from rest


def _kill(lanes: list[Lane]) -> None:
    """End what is running: first a signal to all, then the wait for each."""
    for lane in lanes:
        lane.kill()
    for lane in lanes:
        lane.abort()


def _outcome(answer: Answer) -> Outcome:
    """An answer that concerns the file; the other kind stops the run."""
    match answer:
        case Extracted() | Failed() | Unchanged():
            return answer
        case EnvironmentFailure(what="engine"):
            raise EngineUnavailableError(answer.message)
        case EnvironmentFailure(what="sandbox"):
            raise SandboxError(answer.message)
        case EnvironmentFailure():
            cure = "Free some space or name another --output."
            raise OutputError(f"cannot write the spool {answer.message}. {cure}")
        case Halted():
            raise AssertionError("a lane makes a death of it")
        case _:
            assert_never(answer)
