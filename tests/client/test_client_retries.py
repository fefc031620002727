"""A service that is busy, away, or loses an answer: what is repeated, how long, and that nothing
is done twice."""

import time
from pathlib import Path
from typing import Any

import pytest

from pdfingest.client import NotReachable, Refused

from .conftest import Connect
from .mishaps import hang_up, refuse, take_and_hang_up
from .stage import Scene, Stage, done

PDF = b"%PDF-1.4\nany"


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again_when_it_says(client: Any, stage: Stage, status: int) -> None:
    stage.fault("POST", ".*", refuse(status, retry_after="1"), refuse(status, retry_after="0"))
    began = time.monotonic()
    client.submit(PDF)
    assert time.monotonic() - began >= 1
    assert [upload.content for upload in stage.uploads] == [PDF]
    assert stage.count("POST", ".*") == 3


def test_a_date_may_say_when(client: Any, stage: Stage) -> None:
    gone, nonsense = "Wed, 21 Oct 2015 07:28:00 GMT", "soon"
    stage.fault("POST", ".*", *(refuse(503, retry_after=each) for each in (gone, nonsense)))
    assert client.submit(PDF).id == "j1"


def test_a_wait_that_is_longer_than_the_patience_is_not_begun(
    connect: Connect, stage: Stage
) -> None:
    stage.fault("POST", ".*", refuse(429, "too many requests", retry_after="60"))
    began = time.monotonic()
    with pytest.raises(Refused, match="429 too many requests"):
        connect(patience_s=5).submit(PDF)
    assert time.monotonic() - began < 4


def test_the_patience_has_an_end(connect: Connect, stage: Stage) -> None:
    stage.fault("POST", ".*", *[refuse(503, retry_after="0")] * 1000)
    began = time.monotonic()
    with pytest.raises(Refused):
        connect(patience_s=1).submit(PDF)
    assert 0.4 < time.monotonic() - began < 3
    assert 2 < stage.count("POST", ".*") < 20


def test_an_answer_that_is_lost_costs_no_second_job(client: Any, stage: Stage) -> None:
    stage.fault("POST", ".*", take_and_hang_up, hang_up, take_and_hang_up)
    assert client.submit(PDF).id == "j1"
    assert len(stage.jobs) == 1
    assert stage.count("POST", ".*") == 4
    assert len({seen.headers["idempotency-key"] for seen in stage.seen}) == 1


def test_each_upload_has_a_key_of_its_own(client: Any, stage: Stage) -> None:
    client.submit(PDF)
    client.submit(PDF)
    client.submit_source("/a.pdf")
    client.submit(PDF, idempotency_key="mine")
    keys = [seen.headers["idempotency-key"] for seen in stage.seen]
    assert len(set(keys)) == 4
    assert keys[-1] == "mine"


def test_an_upload_without_a_key_is_not_repeated(client: Any, stage: Stage) -> None:
    stage.fault("POST", ".*", take_and_hang_up)
    with pytest.raises(NotReachable, match="not known"):
        client.submit(PDF, idempotency_key="")
    assert stage.count("POST", ".*") == 1


def test_a_repeated_upload_is_read_from_where_the_file_stood(
    client: Any, stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"before" + PDF)
    stage.fault("POST", ".*", refuse(503), hang_up)
    with open(path, "rb") as file:
        file.seek(6)
        client.submit(file)
    assert stage.uploads[0].content == PDF


def test_a_pipe_that_was_read_is_not_sent_again_empty(client: Any, stage: Stage) -> None:
    class Pipe:
        """A file that can be read once."""

        def __init__(self) -> None:
            self._rest = [b"", PDF]

        def seekable(self) -> bool:
            return False

        def read(self, size: int) -> bytes:
            return self._rest.pop()

    stage.fault("POST", ".*", refuse(503))
    with pytest.raises(Refused, match="503"):
        client.submit(Pipe())
    assert stage.count("POST", ".*") == 1


def test_a_cancel_whose_answer_is_lost_does_not_delete_the_job(client: Any, stage: Stage) -> None:
    stage.looks = 10
    stage.add()
    stage.fault("DELETE", ".*", take_and_hang_up)
    with pytest.raises(NotReachable, match="not known"):
        client.cancel("j1")
    assert stage.jobs["j1"]["state"] == "cancelled"
    stage.add()
    stage.fault("DELETE", ".*", refuse(503))  # it says that it did nothing
    assert client.cancel("j2").state == "cancelled"


@pytest.mark.parametrize("status", [502, 504])
def test_a_proxy_without_the_service_is_waited_for(client: Any, stage: Stage, status: int) -> None:
    done(stage.add())
    stage.fault("GET", ".*", refuse(status))
    assert client.job("j1").state == "done"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 500, 507])
def test_what_will_not_change_is_not_repeated(client: Any, stage: Stage, status: int) -> None:
    stage.fault("POST", ".*", refuse(status, retry_after="0"))
    with pytest.raises(Refused):
        client.submit(PDF)
    assert stage.count("POST", ".*") == 1


def test_a_service_that_is_not_there_is_told_with_its_place(connect: Connect) -> None:
    with pytest.raises(NotReachable, match="POST /v1/jobs"):
        connect("http://127.0.0.1:9", patience_s=0.3).submit(PDF)


def test_half_an_answer_is_none(client: Any, stage: Stage) -> None:
    def half(scene: Scene) -> bool:
        scene.start("application/json")
        scene.piece(b'{"id": ')
        return hang_up(scene)

    done(stage.add())
    stage.fault("GET", ".*", half)
    assert client.job("j1").state == "done"
    assert len(stage.seen) == 2


def test_a_service_that_hangs_is_given_up_after_the_timeout(connect: Connect, stage: Stage) -> None:
    def hang(scene: Scene) -> bool:
        time.sleep(1.5)
        return hang_up(scene)

    done(stage.add())
    stage.fault("GET", ".*", hang)
    began = time.monotonic()
    assert connect(timeout_s=0.3).job("j1").state == "done"
    assert time.monotonic() - began < 1.4


def test_a_file_that_changes_while_it_is_sent_is_not_taken(
    client: Any, stage: Stage, tmp_path: Path
) -> None:
    for change in (-1, 1):
        path = tmp_path / "growing.pdf"
        path.write_bytes(bytes(1 << 20))

        class Growing:
            """A file whose length is another when it is read."""

            def __init__(self, path: Path, change: int) -> None:
                self._file, self._change = open(path, "rb"), change  # noqa: SIM115 - as a file

            def seekable(self) -> bool:
                return True

            def tell(self) -> int:
                return self._file.tell()

            def seek(self, *to: int) -> int:
                return self._file.seek(*to) - self._change * (to == (0, 2))

            def read(self, size: int) -> bytes:
                return self._file.read(size)

            def close(self) -> None:
                self._file.close()

        file = Growing(path, change)
        with pytest.raises(Exception, match="changed"):
            client.submit(file)
        file.close()
    assert not stage.jobs
