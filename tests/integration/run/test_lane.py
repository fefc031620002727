import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import psutil
import pytest
from pdfingest.isolation.birth import births

from conftest import wait_for
from pdfingest import IngestOptions
from pdfingest.child.sandbox.readable import readable_paths
from pdfingest.engines.registry import find_engines
from pdfingest.exchange.recorder import DONE, Note
from pdfingest.job import Job, Sandbox
from pdfingest.model import Death, Extracted, Failed, FailureKind, Source, Unit
from pdfingest.run.lane import Ending, Inbox, Lane, TimeLimits

LIMITS = IngestOptions(workers=1).limits()
ENGINES = find_engines("faulty")


@pytest.fixture
def inbox() -> Inbox:
    return SimpleQueue()


@pytest.fixture
def lane(inbox: Inbox, tmp_path: Path) -> Iterator[Lane]:
    recorder = str(tmp_path / "recorder")
    lane = Lane(0, births(ENGINES), inbox, recorder, TimeLimits(60, 60))
    yield lane
    lane.abort()
    lane.close()


@pytest.fixture
def job(faulty: Callable[..., Path], tmp_path: Path) -> Callable[..., Job]:
    def make(name: str, **order: object) -> Job:
        path = str(faulty(name, **order))
        spool = str(tmp_path / f"{name}.spool")
        readable = readable_paths([engine.module for engine in ENGINES])
        return Job(
            Source(name, path), ENGINES, (), Unit.PAGE, LIMITS, spool, Sandbox.AUTO, readable
        )

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
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    pids = set()
    for name in ("a", "b", "c"):
        lane.start(job(name))
        answer = ended(lane, inbox)
        assert isinstance(answer, Extracted)
        pids.add(answer.cost.pid)
    assert len(pids) == 3


def test_a_job_lined_up_too_late_begins_though_nobody_has_looked_at_the_one_before(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("first"))
    wait_for(lambda: inbox.qsize() == 1)
    lane.line_up(job("second"))
    wait_for(lambda: inbox.qsize() == 2)
    assert isinstance(ended(lane, inbox), Extracted)
    assert isinstance(ended(lane, inbox), Extracted)


def test_a_lane_goes_on_after_a_death_and_after_the_death_of_its_spare_child(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("dead", fault="sigkill"))
    answer = ended(lane, inbox)
    assert isinstance(answer, Death)
    assert answer.cost.signal == "SIGKILL"
    assert answer.cost.pid > 0
    for name in ("before", "after"):
        lane.start(job(name))
        assert isinstance(ended(lane, inbox), Extracted)


def test_a_named_pipe_that_took_the_place_of_the_file_does_not_hang_the_child(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    taken = job("a")
    os.unlink(taken.source.path)
    os.mkfifo(taken.source.path)
    lane.start(taken)
    answer = ended(lane, inbox)
    assert isinstance(answer, Failed)
    assert answer.failure is FailureKind.UNREADABLE


def test_abort_ends_a_child_that_hangs(lane: Lane, inbox: Inbox, job: Callable[..., Job]) -> None:
    lane.start(job("hangs", fault="hang"))
    lane.abort()
    answer = ended(lane, inbox)
    assert isinstance(answer, Death)


def test_a_child_that_does_not_announce_itself_is_bounded(
    lane: Lane, inbox: Inbox, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    lane.start(job("a"))
    ended(lane, inbox)
    time.sleep(0.2)  # the child that answered is gone
    waiting = [child for zygote in psutil.Process().children() for child in zygote.children()]
    assert waiting
    for child in waiting:
        child.suspend()
    monkeypatch.setattr("pdfingest.run.lane._START_S", 0.3)
    lane.start(job("b"))
    answer = watched(lane, inbox)
    assert isinstance(answer, Death)
    assert answer.kind is FailureKind.TIMEOUT
    assert "did not start" in answer.message
    assert not answer.innocent


def test_an_answer_that_is_never_delivered_is_asked_for_again(
    lane: Lane, inbox: Inbox, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pdfingest.run.lane._DELIVERY_S", 0.0)
    lane.start(job("a", fault="sleep", seconds=0.2, pages=2, page=2))
    monkeypatch.setattr(lane.playback, "read", lambda ticket: Note(ticket, page=DONE, at_s=0.0))
    answer = watched(lane, inbox)
    assert isinstance(answer, Death)
    assert answer.innocent


def test_what_is_lined_up_begins_before_the_answer_is_looked_at(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("a"))
    lane.line_up(job("b"))
    first, second = inbox.get(timeout=30), inbox.get(timeout=30)
    assert first is not None
    assert second is not None
    assert (first.job.source.name, second.job.source.name) == ("a", "b")
    assert isinstance(lane.finish(first), Extracted)
    assert isinstance(lane.finish(second), Extracted)
    assert lane.turn is None


@pytest.mark.parametrize("error", [RuntimeError, MemoryError])
def test_what_cannot_begin_stays_lined_up(
    lane: Lane,
    inbox: Inbox,
    job: Callable[..., Job],
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    tries = []

    def begin(*_: object) -> None:
        tries.append(1)
        raise error

    lane.start(job("a", fault="sleep", seconds=0.2))
    monkeypatch.setattr(lane, "_begin", begin)
    lane.line_up(job("b"))
    assert isinstance(ended(lane, inbox), Extracted)
    wait_for(lambda: tries)
    with lane._changing:  # which is held until all is done
        assert lane.lined_up == 1


def test_what_is_lined_up_waits_where_a_child_dies(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("dead", fault="sigkill"))
    lane.line_up(job("next"))
    assert isinstance(ended(lane, inbox), Death)
    assert lane.turn is None
    waiting = lane.take_back()
    assert waiting is not None
    assert waiting.source.name == "next"
    assert lane.take_back() is None
    lane.start(waiting)
    assert isinstance(ended(lane, inbox), Extracted)


def test_what_is_lined_up_waits_until_it_is_known_where_a_child_found_no_memory(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("full", fault="memory_error", pages=3, page=2))
    lane.line_up(job("next"))
    turn = inbox.get(timeout=30)
    assert turn is not None
    time.sleep(0.3)  # what were to begin now would write its own notes over these
    death = lane.finish(turn)
    assert isinstance(death, Death)
    assert (death.kind, death.page) == (FailureKind.MEMORY_LIMIT, 2)
    assert lane.turn is None


def test_what_is_taken_back_does_not_begin(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("a", fault="sleep", seconds=0.2))
    lane.line_up(job("b"))
    assert lane.take_back() is not None
    assert isinstance(ended(lane, inbox), Extracted)
    assert lane.turn is None
    with pytest.raises(Empty):
        inbox.get(timeout=0.3)


def test_a_kill_meant_for_one_child_does_not_reach_the_next(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("a"))
    past = lane.turn
    assert past is not None
    lane.line_up(job("b", fault="sleep", seconds=0.5))
    assert inbox.get(timeout=30) is past
    wait_for(lambda: lane.turn and lane.turn is not past and lane.turn.note())
    present = lane.turn
    assert present is not None
    lane._kill(past)
    lane._time_out(past, "it is too late for that")
    assert isinstance(lane.finish(past), Extracted)
    assert isinstance(ended(lane, inbox), Extracted)
