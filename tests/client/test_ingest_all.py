"""Many files: each path comes once, whatever happens to it, and only so many are on their way."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pdfingest.client import JobFailed, NotReachable, Refused

from .conftest import Connect
from .mishaps import hang_up, refuse, take_and_hang_up
from .stage import Scene, Stage, failed


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    made = [tmp_path / f"{number:02}.pdf" for number in range(40)]
    for path in made:
        path.write_bytes(b"%PDF-" + path.name.encode())
    return made


def test_each_path_comes_once_with_its_own_job(
    client: Any, stage: Stage, paths: list[Path]
) -> None:
    stage.fault("POST", ".*", *[take_and_hang_up, refuse(503, retry_after="0"), hang_up] * 5)
    stage.fault("GET", ".*", *[hang_up, refuse(502)] * 5)
    ended = list(client.ingest_all(paths, in_flight=8, unit="document"))
    assert Counter(path for path, _ in ended) == Counter(paths)
    assert {(path.name, job.name, job.state) for path, job in ended} == {
        (path.name, path.name, "done") for path in paths
    }
    assert len(stage.jobs) == len(paths)
    assert all(upload.fields == {"unit": ["document"]} for upload in stage.uploads)


def test_files_that_fail_or_are_refused_come_as_well(
    client: Any, stage: Stage, paths: list[Path]
) -> None:
    def end(job: dict[str, Any]) -> None:
        failed(job)

    stage.end = end
    stage.fault("POST", ".*", refuse(415, "not a PDF"), refuse(413, "too large"))
    paths[5].unlink()
    paths[6].unlink()
    paths[6].mkdir()
    ended = list(client.ingest_all(paths[:10], in_flight=2))
    assert Counter(path for path, _ in ended) == Counter(paths[:10])
    states = Counter(job.state for _, job in ended)
    assert states == {"failed": 6, "refused": 4}
    of = dict(ended)
    assert of[paths[5]].error.title == of[paths[6]].error.title == "unreadable"
    assert "05.pdf" in str(of[paths[5]].error)
    refused = sorted(str(job.error) for job in of.values() if isinstance(job.error, Refused))
    assert refused == ["413 too large", "415 not a PDF"]
    with pytest.raises(ValueError, match="did not take"):
        client.text(of[paths[5]])
    with pytest.raises(JobFailed):
        client.text(next(job for job in of.values() if job.state == "failed"))


def test_a_job_that_can_no_longer_be_followed_comes_with_its_id(
    connect: Connect, stage: Stage, paths: list[Path]
) -> None:
    client = connect(patience_s=0.5)
    stage.fault("GET", ".*/j2", *[hang_up] * 1000)
    ended = dict(client.ingest_all(paths[:3], in_flight=1))
    lost = ended.pop(paths[1])
    assert (lost.id, lost.state, lost.name) == ("j2", "queued", "01.pdf")
    assert isinstance(lost.error, NotReachable)
    assert [job.state for job in ended.values()] == ["done", "done"]


def test_only_so_many_files_are_on_their_way(client: Any, stage: Stage, paths: list[Path]) -> None:
    stage.looks = 2
    taken = 0

    def one_by_one() -> Iterator[Path]:
        nonlocal taken
        for path in paths:
            taken += 1
            yield path

    seen = 0
    for _ in client.ingest_all(one_by_one(), in_flight=5):
        seen += 1
        assert taken <= seen + 5
    assert seen == len(paths)
    assert 2 <= stage.most_open <= 5


def test_a_path_that_is_given_twice_comes_twice(client: Any, paths: list[Path]) -> None:
    assert [path for path, _ in client.ingest_all([paths[0]] * 2)] == [paths[0]] * 2
    assert list(client.ingest_all([])) == []


def test_a_caller_that_stops_early_waits_for_nothing(
    client: Any, stage: Stage, paths: list[Path]
) -> None:
    open_ = threading.Event()
    late = time.monotonic() + 8  # a test that fails is to end, too

    def end(job: dict[str, Any]) -> None:
        if job["name"] == "00.pdf" or time.monotonic() > late:
            job["state"] = "done"
        else:
            open_.set()

    stage.end = end
    ended = client.ingest_all(paths, in_flight=4)
    path, job = next(ended)
    assert path == paths[0]
    open_.wait(0.5)  # others are under way; the client for asyncio rests between two calls
    began = time.monotonic()
    ended.close()
    assert time.monotonic() - began < 3
    assert not [each for each in threading.enumerate() if "pdfingest-client" in each.name]
    assert len(stage.jobs) <= 8
    assert client.job(job).state == "done"
    sent = len(stage.jobs)
    assert list(client.jobs())
    assert len(stage.jobs) == sent


def test_a_key_for_one_file_is_not_one_for_many(client: Any, paths: list[Path]) -> None:
    with pytest.raises(ValueError, match="idempotency_key"):
        next(client.ingest_all(paths, idempotency_key="x"))


def test_no_file_at_a_time_is_a_mistake(client: Any, paths: list[Path]) -> None:
    with pytest.raises(ValueError, match="in_flight"):
        next(client.ingest_all(paths, in_flight=0))


def test_a_slow_file_does_not_hold_up_the_others(
    client: Any, stage: Stage, paths: list[Path]
) -> None:
    del paths[20:]
    rest_is_done = threading.Event()

    def slow(_: Scene) -> bool:
        assert rest_is_done.wait(10)
        return False

    stage.fault("POST", ".*", slow)
    ended = client.ingest_all(paths, in_flight=2)
    first = [next(ended)[0] for _ in paths[1:]]  # it would time out with the slow one
    rest_is_done.set()
    assert Counter([*first, next(ended)[0]]) == Counter(paths)
    assert next(ended, None) is None
