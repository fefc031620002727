"""Waiting for a job: its events, what comes when they break, and deadlines."""

import time
from typing import Any

import pytest

from pdfingest.client import JobFailed, NotReachable, Refused, StillRunning

from .conftest import Connect
from .mishaps import hang_up, refuse
from .stage import Scene, Stage, done, failed

PDF = b"%PDF-1.4\nany"


def test_the_events_tell_the_end(client: Any, stage: Stage) -> None:
    stage.looks = 3
    job = client.wait(client.submit(PDF))
    assert (job.state, job.ended, job.report) == ("done", True, {"status": "ok", "pages": 2})
    assert stage.count("GET", ".*/events") == 1
    assert stage.count("GET", "/v1/jobs/j1") == 0


def test_a_job_that_fails_is_returned(client: Any, stage: Stage) -> None:
    stage.end = failed
    assert client.wait(client.submit(PDF)).state == "failed"


def broken(scene: Scene) -> bool:
    scene.start("text/event-stream")
    scene.event(scene.stage.jobs["j1"])
    scene.piece(b'event: job\ndata: {"id": "j1", "sta')
    return hang_up(scene)


def ended_early(scene: Scene) -> bool:
    scene.start("text/event-stream")
    scene.event(scene.stage.jobs["j1"])
    scene.piece(b"")
    return True


def garbage(scene: Scene) -> bool:
    scene.start("text/event-stream")
    scene.piece(b"event: job\ndata: <html>\n\n")
    scene.piece(b"")
    return True


@pytest.mark.parametrize("fault", [broken, ended_early, garbage, hang_up, refuse(502)])
def test_where_the_events_break_the_job_is_asked_for(client: Any, stage: Stage, fault: Any) -> None:
    stage.looks = 3
    stage.fault("GET", ".*/events", fault)
    assert client.wait(client.submit(PDF)).state == "done"
    assert stage.count("GET", "/v1/jobs/j1") == 4


def test_silent_events_are_given_up(connect: Connect, stage: Stage) -> None:
    def silent(scene: Scene) -> bool:
        scene.start("text/event-stream")
        scene.event(scene.stage.jobs["j1"])
        time.sleep(1.5)
        return hang_up(scene)

    stage.fault("GET", ".*/events", silent)
    client = connect(timeout_s=0.3)
    began = time.monotonic()
    assert client.wait(client.submit(PDF)).state == "done"
    assert time.monotonic() - began < 1.4


def test_the_service_may_be_away_while_a_job_is_asked_for(client: Any, stage: Stage) -> None:
    stage.fault("GET", ".*/events", hang_up)
    stage.fault("GET", "/v1/jobs/j1", hang_up, refuse(503, retry_after="0"), hang_up)
    assert client.wait(client.submit(PDF)).state == "done"


def test_it_is_asked_for_less_and_less_often(client: Any, stage: Stage) -> None:
    stage.looks = 20
    stage.add()
    with pytest.raises(StillRunning):
        client.wait("j1", timeout_s=3)
    assert 4 < stage.count("GET", "/v1/jobs/j1") < 16


@pytest.mark.parametrize("timeout_s", [0, 0.5])
def test_a_deadline_is_kept(client: Any, stage: Stage, timeout_s: float) -> None:
    stage.looks = 20
    stage.add()
    began = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        client.wait("j1", timeout_s=timeout_s)
    assert timeout_s <= time.monotonic() - began < timeout_s + 1
    assert isinstance(caught.value, StillRunning)
    assert "j1 is queued" in str(caught.value)
    assert not stage.count("GET", ".*/events")  # one that is silent would hold it up


def test_with_a_late_deadline_the_events_are_used(client: Any, stage: Stage) -> None:
    stage.looks = 3
    assert client.wait(client.submit(PDF), timeout_s=100).ended
    assert stage.count("GET", "/v1/jobs/j1") == 0


def test_a_job_that_is_not_there_is_told(client: Any) -> None:
    with pytest.raises(Refused, match="no such job"):
        client.wait("j1")


def test_a_service_that_stays_away_is_told(connect: Connect, stage: Stage) -> None:
    client = connect(patience_s=0.5)
    stage.add()
    stage.close()
    with pytest.raises(NotReachable):
        client.wait("j1")


def converted(scene: Scene) -> bool:
    done(scene.stage.add())
    headers = {"Location": "/v1/jobs/j1", "Pdfingest-Status": "partial"}
    headers["Pdfingest-Pages-Failed"] = "1"
    kind = scene.asked.headers["accept"]
    scene.answer(200, "# ä".encode(), {"Content-Type": f"{kind}; charset=utf-8", **headers})
    return True


def test_a_text_that_comes_at_once_is_returned_with_its_status(client: Any, stage: Stage) -> None:
    stage.fault("POST", "/v1/convert", converted)
    found = client.convert(PDF, wait_s=2.5, unit="document")
    assert (str(found), found.status, found.job_id) == ("# ä", "partial", "j1")
    assert (found.pages_failed, found.needs_ocr_pages) == (1, 0)
    (seen,) = stage.seen
    assert seen.query == {"wait": ["2.5"]}
    assert seen.headers["accept"] == "text/markdown"
    assert PDF in seen.body


@pytest.mark.parametrize("markdown", [True, False])
def test_a_text_that_takes_longer_is_waited_for(client: Any, stage: Stage, markdown: bool) -> None:
    def end(job: dict[str, Any]) -> None:
        done(job)
        job["report"].update(status="partial", pages_failed=1, needs_ocr_pages=2)

    stage.looks, stage.end = 3, end
    found = client.convert(PDF, markdown=markdown)
    kind = "text/markdown" if markdown else "text/plain"
    assert (found.text, found.status, found.job_id) == (kind, "partial", "j1")
    assert (found.pages_failed, found.needs_ocr_pages) == (1, 2)
    assert [upload.content for upload in stage.uploads] == [PDF]


def test_a_conversion_may_take_longer_than_a_try(connect: Connect, stage: Stage) -> None:
    def slow(scene: Scene) -> bool:
        time.sleep(1)
        return converted(scene)

    stage.fault("POST", "/v1/convert", slow)
    assert connect(timeout_s=0.3).convert(PDF, wait_s=5).text == "# ä"
    assert len(stage.seen) == 1


def test_a_file_that_cannot_be_converted_is_an_error_with_its_report(
    client: Any, stage: Stage
) -> None:
    stage.fault("POST", ".*", refuse(422, "failed", report={"failure": "encrypted"}))
    with pytest.raises(JobFailed) as caught:
        client.convert(PDF)
    assert caught.value.report == {"failure": "encrypted"}
    stage.end = failed
    with pytest.raises(JobFailed) as caught:
        client.convert(PDF)
    assert caught.value.report == stage.jobs["j1"]["report"]
