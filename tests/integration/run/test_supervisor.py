"""How a supervisor keeps its lanes busy."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import psutil
import pytest

from conftest import FORKS, wait_for
from pdfingest import ExitCode, IngestOptions
from pdfingest.engines.registry import find_engines
from pdfingest.isolation.queues import Answers
from pdfingest.job import Job, Sandbox
from pdfingest.model import FailureKind, Source
from pdfingest.outcome import Extracted, Failed, Finished
from pdfingest.run.supervisor import _LINED_UP, Supervisor
from pdfingest.stop import Stop

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="needs signals"),
    pytest.mark.usefixtures("starts"),
]
WORKERS = 2


@pytest.fixture
def jobs(faulty: Callable[..., Path], tmp_path: Path) -> Callable[..., Iterator[Job]]:
    options = IngestOptions(workers=WORKERS)

    def make(**orders: dict[str, object]) -> Iterator[Job]:
        for name, order in orders.items():
            yield Job(
                Source(name, str(faulty(name, **order))),
                find_engines("faulty"),
                (),
                options.unit,
                options.limits(),
                str(tmp_path / f"{name}.spool"),
                Sandbox.OFF,
            )

    return make


@pytest.fixture
def started() -> list[str]:
    return []


@pytest.fixture
def supervisor(started: list[str], tmp_path: Path) -> Iterator[Supervisor]:
    stop = Stop()
    supervisor = Supervisor(
        IngestOptions(workers=WORKERS),
        str(tmp_path),
        stop,
        lambda _, source: started.append(source.name),
    )
    yield supervisor
    supervisor.close()


def ended(steps: Iterator[Finished | None]) -> list[Finished]:
    return [finished for finished in steps if finished]


def begun(folder: Path) -> int:
    """Number of jobs that have begun, by their spools."""
    return len([*folder.glob("*.spool")])


def test_lanes_go_on_while_the_reader_waits_for_the_disk(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], tmp_path: Path
) -> None:
    many: dict[str, dict[str, object]] = {
        f"{number}": {} for number in range(WORKERS * (_LINED_UP + 2))
    }
    steps = supervisor.run(jobs(**many))
    first = next(filter(None, steps))
    wait_for(lambda: begun(tmp_path) >= WORKERS * _LINED_UP)
    names = [finished.source.name for finished in [first, *ended(steps)]]
    assert sorted(names) == sorted(many)


def test_no_lane_idles_while_jobs_wait_behind_a_slow_one(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], tmp_path: Path
) -> None:
    until = tmp_path / "until"
    slow = {"fault": "waits", "until": str(until)}
    many = {"slow": slow, **{f"{number}": {} for number in range(_LINED_UP)}}
    names = []
    for finished in filter(None, supervisor.run(jobs(**many))):
        names.append(finished.source.name)
        if len(names) == _LINED_UP:  # all that could wait behind it
            until.touch()
    assert len(names) == len(many)
    assert names[-1] == "slow"


def test_what_waits_behind_a_death_is_done_and_told_once(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], started: list[str], starts: str
) -> None:
    many = {
        f"{number}": {"fault": "sigkill"} if number % 3 == 0 else {}
        for number in range(2 * WORKERS * _LINED_UP if starts == FORKS else _LINED_UP + 2)
    }
    finished = ended(supervisor.run(jobs(**many)))
    assert sorted(each.source.name for each in finished) == sorted(many)
    for each in finished:
        expected = Failed if int(each.source.name) % 3 == 0 else Extracted
        assert isinstance(each.outcome, expected)
    assert sorted(started) == sorted(many)


def test_a_stop_cancels_what_has_begun_and_leaves_the_rest_to_the_next_run(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], started: list[str]
) -> None:
    many = {f"{number}": {"fault": "hang"} for number in range(3 * WORKERS)}
    finished: list[Finished] = []
    for step in supervisor.run(jobs(**many)):
        if step:
            finished.append(step)
        else:
            supervisor.stop.request(ExitCode.INTERRUPTED)
    assert sorted(each.source.name for each in finished) == sorted(started)
    assert len(started) == WORKERS
    for each in finished:
        assert isinstance(each.outcome, Failed)
        assert each.outcome.failure is FailureKind.CANCELLED


def test_a_stop_loses_nothing_that_ended_while_the_reader_was_busy(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], tmp_path: Path
) -> None:
    taken = []

    def noted() -> Iterator[Job]:
        for job in jobs(**{f"{number}": {} for number in range(100)}):
            taken.append(job.source.name)
            yield job

    finished: list[Finished] = []
    for step in supervisor.run(noted()):
        if step:
            finished.append(step)
        if not supervisor.stop.requested:
            wait_for(lambda: begun(tmp_path) >= WORKERS + 3 + WORKERS)  # the last may still run
            supervisor.stop.request(ExitCode.INTERRUPTED)
    names = [each.source.name for each in finished]
    assert len(names) == len(set(names))
    assert set(names) <= set(taken)
    assert sum(isinstance(each.outcome, Extracted) for each in finished) >= WORKERS + 3
    assert len(taken) < 100


def zygotes() -> Iterator[psutil.Process]:
    """Zygotes of this process; its other children may be those of the library."""
    for process in psutil.Process().children():
        with suppress(psutil.Error):  # it has ended
            if any("isolation.zygote" in word for word in process.cmdline()):
                yield process


def test_no_file_pays_for_a_zygote_that_is_killed(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], starts: str
) -> None:
    if starts != FORKS:
        pytest.skip("spawn has no zygote")
    slow = {"fault": "sleep", "seconds": 0.4, "pages": 3, "page": 2}
    finished = []
    killed = 0
    for step in supervisor.run(jobs(**{f"{number}": slow for number in range(6)})):
        if step:
            finished.append(step)
        elif killed < 2 and (reading := [*supervisor.reading()]) and reading[0].pages_done == 1:
            for zygote in zygotes():
                zygote.kill()
            killed += 1
    assert killed == 2
    assert len(finished) == 6
    for each in finished:
        assert isinstance(each.outcome, Extracted)
        assert (each.outcome.pages, each.outcome.failed_pages) == (3, ())


def test_lanes_are_good_for_another_run_after_one_that_was_stopped(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], starts: str
) -> None:
    for round_ in range(10 if starts == FORKS else 2):
        many = {f"{round_}-{number}": {"fault": "hang"} for number in range(3)}
        supervisor.stop = Stop()
        for step in supervisor.run(jobs(**many)):
            if step is None:
                supervisor.stop.request(ExitCode.INTERRUPTED)
        supervisor.stop = Stop()
        assert_good_for(supervisor, jobs(**{f"{round_}-good": {}}))


def test_lanes_are_good_for_another_run_after_one_that_was_given_up(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], starts: str
) -> None:
    for round_ in range(10 if starts == FORKS else 2):
        many: dict[str, dict[str, object]] = {f"{round_}-{number}": {} for number in range(30)}
        steps = supervisor.run(jobs(**many))
        next(filter(None, steps))
        steps.close()
        assert_good_for(supervisor, jobs(**{f"{round_}-good": {}}))


def assert_good_for(supervisor: Supervisor, jobs: Iterator[Job]) -> None:
    (finished,) = ended(supervisor.run(jobs))
    assert finished.source.name.endswith("good")
    assert isinstance(finished.outcome, Extracted)
    assert finished.outcome.cost.attempts == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_of_an_executor_that_dies_costs_no_file(
    supervisor: Supervisor, jobs: Callable[..., Iterator[Job]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # No door leads to that thread. On Python 3.11 it ends so where it can start no other.
    fileno, calls = Answers.fileno, count()

    def failing(answers: Answers) -> int:
        if next(calls) == 3:
            raise KeyError("as a selector may")
        return fileno(answers)

    monkeypatch.setattr(Answers, "fileno", failing)
    finished, deadline_s = [], time.monotonic() + 20
    for step in supervisor.run(jobs(**{f"{number}": {} for number in range(6)})):
        assert time.monotonic() < deadline_s, "nobody ends the turn of its child"
        finished += [step] if step else []
    assert next(calls) > 3
    assert [each.outcome.status for each in finished] == ["ok"] * 6
