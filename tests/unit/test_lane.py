import os
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

from pdfingest.extract.engine import find_engines
from pdfingest.model import Extracted, Failed, FailureKind, Job, Source, Unit
from pdfingest.supervise.lane import Inbox, Lane, start_context

ENGINES = find_engines("faulty")


@pytest.fixture
def inbox() -> Inbox:
    return SimpleQueue()


@pytest.fixture
def lane(inbox: Inbox) -> Iterator[Lane]:
    lane = Lane(0, start_context(ENGINES[0]), inbox)
    yield lane
    lane.abort()
    lane.close()


@pytest.fixture
def job(faulty: Callable[..., Path], tmp_path: Path) -> Callable[..., Job]:
    def make(name: str, **order: object) -> Job:
        path = str(faulty(name, **order))
        return Job(Source(name, path), ENGINES, (), Unit.PAGE, str(tmp_path / f"{name}.spool"))

    return make


def test_each_job_has_a_process_of_its_own(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    pids = set()
    for name in ("a", "b", "c"):
        lane.start(job(name))
        assert inbox.get(timeout=30) is lane
        _, answer = lane.finish()
        assert isinstance(answer, Extracted)
        pids.add(answer.cost.pid)
    assert len(pids) == 3


def test_a_lane_goes_on_after_a_death_and_after_the_death_of_its_spare_child(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    lane.start(job("dead", fault="sigkill"))
    inbox.get(timeout=30)
    _, answer = lane.finish()
    assert isinstance(answer, Failed)
    assert answer.signal == "SIGKILL"
    assert answer.cost.pid > 0
    for name in ("before", "after"):
        lane.start(job(name))
        inbox.get(timeout=30)
        assert isinstance(lane.finish()[1], Extracted)


def test_a_named_pipe_that_took_the_place_of_the_file_does_not_hang_the_child(
    lane: Lane, inbox: Inbox, job: Callable[..., Job]
) -> None:
    taken = job("a")
    os.unlink(taken.source.path)
    os.mkfifo(taken.source.path)
    lane.start(taken)
    assert inbox.get(timeout=10) is lane
    _, answer = lane.finish()
    assert isinstance(answer, Failed)
    assert answer.kind is FailureKind.UNREADABLE


def test_abort_ends_a_child_that_hangs(lane: Lane, inbox: Inbox, job: Callable[..., Job]) -> None:
    lane.start(job("hangs", fault="hang"))
    lane.abort()
    assert inbox.get(timeout=1) is lane
    _, answer = lane.finish()
    assert isinstance(answer, Failed)
