import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from conftest import wait_for
from pdfingest import IngestOptions
from pdfingest.child.sandbox.readable import readable_paths
from pdfingest.engines.registry import find_engines
from pdfingest.exchange.recorder import DONE
from pdfingest.isolation.context import Child, Starter
from pdfingest.isolation.start import starter
from pdfingest.job import Job, Sandbox
from pdfingest.model import FailureKind, Source, Unit
from pdfingest.outcome import Death, Extracted, Failed
from pdfingest.run.lane import Ending, Inbox, Lane
from pdfingest.run.lanes import abort
from pdfingest.run.turn import TimeLimits
from pdfingest.run.work import Work

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="needs signals"),
    pytest.mark.usefixtures("starts"),
]
LIMITS = IngestOptions(workers=1).limits()
ENGINES = find_engines("faulty")


class Told:
    """Starts children as another does, and does something with each at once."""

    def __init__(self, starter: Starter, told: Callable[[Child], None]) -> None:
        self._starter = starter
        self._told = told

    def start(self, target: Callable[..., Any], args: tuple[Any, ...]) -> Child:
        child = self._starter.start(target, args)
        self._told(child)
        return child

    def kill(self) -> None:
        self._starter.kill()


@pytest.fixture
def inbox() -> Inbox:
    return SimpleQueue()


@pytest.fixture
def lane(inbox: Inbox, tmp_path: Path) -> Iterator[Lane]:
    recorder = str(tmp_path / "recorder")
    lane = Lane(0, starter(ENGINES, ()), inbox, recorder, TimeLimits(60, 60))
    yield lane
    abort([lane])
    lane.close()


@pytest.fixture
def work(faulty: Callable[..., Path], tmp_path: Path) -> Callable[..., Work]:
    def make(name: str, **order: object) -> Work:
        path = str(faulty(name, **order))
        spool = str(tmp_path / f"{name}.spool")
        readable = readable_paths([engine.module for engine in ENGINES])
        job = Job(Source(name, path), ENGINES, (), Unit.PAGE, LIMITS, spool, Sandbox.AUTO, readable)
        return Work(job)

    return make


def ended(lane: Lane, inbox: Inbox) -> Ending:
    """What the next turn that ends comes to."""
    turn = inbox.get(timeout=30)
    assert turn is not None
    return lane.finish(turn)


def watched(lane: Lane, inbox: Inbox) -> Ending:
    """The same, while the lane is held to its limits."""

    def is_over() -> bool:
        lane.watch()
        return not inbox.empty()

    wait_for(is_over)
    return ended(lane, inbox)


def test_each_job_has_a_process_of_its_own(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    pids = set()
    for name in ("a", "b", "c"):
        lane.start(work(name))
        answer = ended(lane, inbox)
        assert isinstance(answer, Extracted)
        pids.add(answer.cost.pid)
    assert len(pids) == 3


def test_a_job_lined_up_too_late_begins_though_nobody_has_looked_at_the_one_before(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    lane.start(work("first"))
    wait_for(lambda: inbox.qsize() == 1)
    lane.line_up(work("second"))
    wait_for(lambda: inbox.qsize() == 2)
    assert isinstance(ended(lane, inbox), Extracted)
    assert isinstance(ended(lane, inbox), Extracted)


def is_spare_of(children: list[Child], pid: int) -> bool:
    """Whether the child that was started last is not the one that has answered."""
    return children[-1].pid != pid


def test_a_lane_goes_on_after_a_death_and_after_the_death_of_its_spare_child(
    inbox: Inbox, work: Callable[..., Work], tmp_path: Path
) -> None:
    children: list[Child] = []
    told = Told(starter(ENGINES, ()), children.append)
    lane = Lane(0, told, inbox, str(tmp_path / "recorder"), TimeLimits(60, 60))
    lane.start(work("dead", fault="sigkill"))
    answer = ended(lane, inbox)
    assert isinstance(answer, Death)
    assert answer.cost.signal == "SIGKILL"
    assert answer.cost.pid > 0
    for name in ("a", "b", "c"):
        lane.start(work(name))
        answer = ended(lane, inbox)
        if isinstance(answer, Death):  # the executor has not yet seen that its spare child is gone
            assert not answer.is_at_fault
            lane.start(work(name))
            answer = ended(lane, inbox)
        assert isinstance(answer, Extracted)
        wait_for(partial(is_spare_of, children, answer.cost.pid))
        spare = children[-1]
        spare.signal(signal.SIGKILL)
        assert spare.has_ended(5)
    lane.close()


def test_a_named_pipe_that_took_the_place_of_the_file_does_not_hang_the_child(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    taken = work("a")
    os.unlink(taken.job.source.path)
    os.mkfifo(taken.job.source.path)
    lane.start(taken)
    answer = ended(lane, inbox)
    assert isinstance(answer, Failed)
    assert answer.failure is FailureKind.UNREADABLE


def test_abort_ends_a_child_that_hangs(lane: Lane, inbox: Inbox, work: Callable[..., Work]) -> None:
    lane.start(work("hangs", fault="hang"))
    abort([lane])
    answer = ended(lane, inbox)
    assert isinstance(answer, Death)


def test_a_child_that_does_not_announce_itself_is_bounded(
    inbox: Inbox, work: Callable[..., Work], tmp_path: Path
) -> None:
    limits = TimeLimits(60, 60, start_s=0.3)
    lane = Lane(
        0,
        Told(starter(ENGINES, ()), lambda child: child.signal(signal.SIGSTOP)),
        inbox,
        str(tmp_path / "recorder"),
        limits,
    )
    lane.start(work("a"))
    answer = watched(lane, inbox)
    lane.close()
    assert isinstance(answer, Death)
    assert answer.kind is FailureKind.TIMEOUT
    assert answer.message == "its child did not start in 0.3 s"
    assert answer.is_at_fault


def test_a_child_that_withholds_its_answer_is_ended(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    lane.start(work("a", pages=3, page=2, fault="ruins_recorder", note=[0, DONE, 3, 0, 0.0, 0, 0]))
    answer = watched(lane, inbox)
    assert isinstance(answer, Death)
    assert not answer.is_at_fault


def test_what_is_lined_up_begins_before_the_answer_is_looked_at(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    lane.start(work("a"))
    lane.line_up(work("b"))
    first, second = inbox.get(timeout=30), inbox.get(timeout=30)
    assert first is not None
    assert second is not None
    assert (first.job.source.name, second.job.source.name) == ("a", "b")
    assert isinstance(lane.finish(first), Extracted)
    assert isinstance(lane.finish(second), Extracted)
    assert lane.turn is None


class NotToBegin:
    """A work that cannot begin, for want of threads or memory."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error
        self.tries = 0

    @property
    def job(self) -> Job:
        self.tries += 1
        raise self._error


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_what_cannot_begin_stays_lined_up(
    lane: Lane, inbox: Inbox, work: Callable[..., Work], error: type[Exception]
) -> None:
    following: Any = NotToBegin(error)
    lane.start(work("a", fault="sleep", seconds=0.5))
    lane.line_up(following)
    assert isinstance(ended(lane, inbox), Extracted)
    wait_for(lambda: following.tries and lane.lined_up)
    assert lane.take_back() is following
    assert lane.turn is None


def test_what_is_lined_up_waits_where_a_child_dies(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    lane.start(work("dead", fault="sigkill"))
    lane.line_up(work("next"))
    assert isinstance(ended(lane, inbox), Death)
    assert lane.turn is None
    waiting = lane.take_back()
    assert waiting is not None
    assert waiting.job.source.name == "next"
    assert lane.take_back() is None
    lane.start(waiting)
    assert isinstance(ended(lane, inbox), Extracted)


def test_what_is_lined_up_waits_until_it_is_known_where_a_child_found_no_memory(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    lane.start(work("full", fault="memory_error", pages=3, page=2))
    lane.line_up(work("next"))
    death = ended(lane, inbox)
    assert isinstance(death, Death)
    assert (death.kind, death.page) == (FailureKind.MEMORY_LIMIT, 2)
    assert (lane.turn, lane.lined_up) == (None, 1)


def test_what_is_taken_back_does_not_begin(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    lane.start(work("a", fault="sleep", seconds=0.2))
    lane.line_up(work("b"))
    assert lane.take_back() is not None
    assert isinstance(ended(lane, inbox), Extracted)
    assert (lane.turn, lane.lined_up) == (None, 0)
    assert inbox.empty()


def test_a_kill_meant_for_one_child_does_not_reach_the_next(
    lane: Lane, inbox: Inbox, work: Callable[..., Work]
) -> None:
    lane.start(work("a"))
    past = lane.turn
    assert past is not None
    lane.line_up(work("b", fault="sleep", seconds=0.5))
    assert inbox.get(timeout=30) is past
    wait_for(lambda: lane.turn and lane.turn is not past and lane.turn.note())
    present = lane.turn
    assert present is not None
    lane._kill(past)
    lane._time_out(past, "it is too late for that")
    assert isinstance(lane.finish(past), Extracted)
    assert isinstance(ended(lane, inbox), Extracted)
