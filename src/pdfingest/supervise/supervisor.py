"""Supervisor: keeps every lane on a job until the jobs are done or the run is stopped."""

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import assert_never

from pdfingest.child import Answer
from pdfingest.errors import EngineUnavailableError, OutputError
from pdfingest.model import (
    EngineSpec,
    EnvironmentFailure,
    Extracted,
    Failed,
    FailureKind,
    Finished,
    Job,
    Outcome,
    Source,
    Stop,
)
from pdfingest.supervise.lane import Inbox, Lane, start_context

TICK_S = 0.1
"""How long a reader waits at the most for a sign that the run is alive."""


def supervise(
    jobs: Iterator[Job],
    workers: int,
    engine: EngineSpec,
    stop: Stop,
    started: Callable[[int, Source], None],
) -> Generator[Finished | None, None, None]:
    """Run jobs in fresh children, `workers` at a time; yields each as it ends.

    A lane gets its next job before its last one is yielded, so that children work while the
    reader writes. At most `workers` jobs are in flight. Some times a second it yields None, so
    that the reader can show that the run is alive. When `stop` is requested, living children are
    killed, their jobs end as cancelled, and the iterator ends. Closing it kills the children too.

    Args:
        jobs: taken one at a time, as lanes become free.
        workers: number of lanes.
        engine: the one whose module every child needs.
        stop: watched all the time.
        started: told the lane's 0-based index and the source of every job that starts.

    Raises:
        OutputError: a child could not write its spool.
        EngineUnavailableError: a child could not import the engine.
    """
    inbox: Inbox = SimpleQueue()
    stop.wake = lambda: inbox.put(None)
    context = start_context(engine)
    lanes: list[Lane] = []

    def feed(lane: Lane) -> None:
        if not stop.requested and (job := next(jobs, None)):
            lane.start(job)
            started(lane.index, job.source)

    try:
        for index in range(workers):
            lanes.append(Lane(index, context, inbox))
            feed(lanes[-1])
        while not stop.requested and any(lane.job for lane in lanes):
            with suppress(Empty):
                if lane := inbox.get(timeout=TICK_S):
                    job, answer = lane.finish()
                    feed(lane)
                    yield Finished(job.source, _outcome(answer), job.spool)
            yield None
        yield from _cancel([lane for lane in lanes if lane.job])
    finally:
        _kill(lanes)
        for lane in lanes:
            lane.close()


def _cancel(lanes: list[Lane]) -> Iterator[Finished]:
    """End the jobs in flight; those that were quicker than the stop are kept."""
    _kill(lanes)
    for lane in lanes:
        job, answer = lane.finish()
        if isinstance(answer, Failed) and answer.kind is FailureKind.CRASHED:
            answer = Failed(FailureKind.CANCELLED, "the run was interrupted", answer.cost)
        yield Finished(job.source, _outcome(answer), job.spool)


def _kill(lanes: list[Lane]) -> None:
    """End what is running: first a signal to all, then the wait for each."""
    for lane in lanes:
        lane.kill()
    for lane in lanes:
        lane.abort()


def _outcome(answer: Answer) -> Outcome:
    """An answer that concerns the file; the other kind stops the run."""
    match answer:
        case Extracted() | Failed():
            return answer
        case EnvironmentFailure(what="engine"):
            raise EngineUnavailableError(answer.message)
        case EnvironmentFailure():
            raise OutputError(
                f"cannot write the spool {answer.message}. "
                "Free some space or name another --output."
            )
        case _:
            assert_never(answer)
