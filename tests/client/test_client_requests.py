"""What the client sends, and what it makes of good answers and of refusals."""

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pdfingest.client import Client, ClientError, JobFailed, Refused

from .conftest import Connect
from .mishaps import refuse
from .stage import Scene, Stage, done, failed

PDF = b"%PDF-1.4\nany"


def test_an_upload_has_its_name_its_content_and_its_options(
    client: Any, stage: Stage, tmp_path: Path
) -> None:
    path = tmp_path / "a b.pdf"
    path.write_bytes(PDF)
    job = client.submit(path, unit="document", tables=True, password=["x", "ü"])
    (upload,) = stage.uploads
    assert (upload.name, upload.content) == ("a b.pdf", PDF)
    assert upload.fields == {"unit": ["document"], "tables": ["true"], "password": ["x", "ü"]}
    assert (job.id, job.state, job.name, job.ended) == ("j1", "queued", "a b.pdf", False)
    assert job.created_at == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    assert job.progress.total_pages == 2
    assert job.document == stage.jobs["j1"]


def test_bytes_and_open_files_are_taken_as_well(client: Any, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "b.pdf"
    path.write_bytes(b"before" + PDF)
    client.submit(PDF)
    client.submit(bytearray(PDF), name="named.pdf")
    client.submit(io.BytesIO(PDF))
    with open(path, "rb") as file:
        file.seek(6)
        client.submit(file)
        assert not file.closed
    assert [upload.content for upload in stage.uploads] == [PDF] * 4
    names = [upload.name for upload in stage.uploads]
    assert names == ["document.pdf", "named.pdf", "document.pdf", "b.pdf"]


def test_a_pipe_is_sent_although_its_length_is_not_known(client: Any, stage: Stage) -> None:
    reader, writer = os.pipe()
    os.write(writer, PDF)
    os.close(writer)
    with open(reader, "rb") as file:
        client.submit(file, name="piped.pdf")
    assert stage.uploads[0].content == PDF


@pytest.mark.parametrize("name", ['a"; filename="b.pdf', "a\r\nX: y.pdf", "ä\u2028.pdf"])
def test_a_name_stays_within_its_header(client: Any, stage: Stage, name: str) -> None:
    client.submit(PDF, name=name)
    sent = stage.uploads[0].name
    assert sent == name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def test_a_name_that_is_not_utf_8_is_sent_as_its_bytes(
    client: Any, stage: Stage, tmp_path: Path
) -> None:
    path = os.fsencode(tmp_path) + b"/\xe4.pdf"
    Path(os.fsdecode(path)).write_bytes(PDF)
    client.submit(os.fsdecode(path))
    assert os.fsencode(stage.uploads[0].name) == b"\xe4.pdf"


def test_a_file_that_is_open_for_text_is_refused_with_what_to_do(client: Any) -> None:
    with pytest.raises(TypeError, match="rb"):
        client.submit(io.StringIO("text"))


def test_a_file_that_is_not_there_is_an_error_of_the_system(client: Any, stage: Stage) -> None:
    with pytest.raises(FileNotFoundError):
        client.submit("nowhere.pdf")
    assert not stage.seen


def test_a_source_is_named_as_json(client: Any, stage: Stage) -> None:
    assert client.submit_source("s3://b/a.pdf", password="x", tables=False).name == "s3://b/a.pdf"
    sent = json.loads(stage.seen[0].body)
    assert sent == {"source": "s3://b/a.pdf", "password": "x", "tables": False}


def test_the_key_is_sent_and_nothing_else_of_the_environment_counts(
    connect: Connect, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("PDFINGEST_API_KEY", "from the environment\n")
    monkeypatch.setenv("PDFINGEST_URL", stage.url)
    job_id = stage.add()["id"]
    connect("").job(job_id)
    connect(api_key="given").job(job_id)
    assert [seen.headers["x-api-key"] for seen in stage.seen] == ["from the environment", "given"]


def test_the_service_may_be_below_a_path(connect: Connect, stage: Stage) -> None:
    with pytest.raises(Refused):
        connect(f"{stage.url}/pdfs/").job("j/../1")
    assert stage.seen[0].path == "/pdfs/v1/jobs/j%2F..%2F1"


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://a:b", "x"])
def test_what_is_no_url_of_the_web_is_an_error_at_once(connect: Connect, url: str) -> None:
    with pytest.raises(ValueError, match=r"http|URL"):
        connect(url)


def test_a_refusal_says_all_that_the_problem_says(client: Any, stage: Stage) -> None:
    errors = [{"where": "unit", "what": "unknown"}]
    stage.fault("POST", ".*", refuse(422, "invalid", detail="Values do not fit.", errors=errors))
    with pytest.raises(Refused) as caught:
        client.submit(PDF)
    assert (caught.value.status, caught.value.title) == (422, "invalid")
    assert str(caught.value) == "422 invalid: Values do not fit. unit: unknown"
    assert stage.count("POST", ".*") == 1


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"id": 3}', b'{"id": "a"}', b"\xff"])
def test_an_answer_of_something_else_is_told_as_such(
    client: Any, stage: Stage, body: bytes
) -> None:
    def other(scene: Scene) -> bool:
        scene.answer(200, body)
        return True

    stage.fault("GET", ".*", other)
    with pytest.raises(ClientError, match="Check that the URL"):
        client.job("j1")


def test_a_refusal_of_a_proxy_has_its_status(client: Any, stage: Stage) -> None:
    def proxy(scene: Scene) -> bool:
        scene.answer(403, b"<html>")
        return True

    stage.fault("GET", ".*", proxy)
    with pytest.raises(Refused, match="403 Forbidden"):
        client.job("j1")


def test_texts_are_what_was_asked_for(client: Any, stage: Stage) -> None:
    done(stage.add())
    stage.results["j1"] = ["ä\f".encode()]
    assert client.text("j1") == "ä\f"
    assert client.text("j1", markdown=True) == "ä\f"
    asked = [seen.headers["accept"] for seen in stage.seen]
    assert asked == ["text/plain", "text/markdown"]


def test_another_type_than_was_asked_for_is_not_taken_for_it(client: Any, stage: Stage) -> None:
    def old(scene: Scene) -> bool:
        scene.answer(200, b"{}", {"Content-Type": "application/jsonl"})
        return True

    stage.fault("GET", ".*", old)
    with pytest.raises(ClientError, match="application/jsonl instead of text/plain"):
        client.text("j1")


def test_a_file_that_could_not_be_read_is_an_error_with_its_report(
    client: Any, stage: Stage
) -> None:
    failed(stage.add())
    for ask in (client.text, lambda job: list(client.records(job))):
        with pytest.raises(JobFailed, match="No page can be read") as caught:
            ask("j1")
        assert caught.value.report == stage.jobs["j1"]["report"]


@pytest.mark.parametrize("has_total", [True, False])
def test_the_list_has_all_jobs_once(client: Any, stage: Stage, has_total: bool) -> None:
    stage.has_total = has_total
    for _ in range(450):
        stage.add()
    assert [job.id for job in client.jobs()] == [*stage.jobs][::-1]
    assert [job.id for job in client.jobs(limit=3)] == ["j450", "j449", "j448"]
    assert stage.seen[-1].query["limit"] == ["3"]


def test_the_list_is_whole_while_its_jobs_are_deleted_and_others_come(
    client: Any, stage: Stage
) -> None:
    for _ in range(450):
        done(stage.add())
    listed = []
    for job in client.jobs():
        listed.append(job.id)
        del stage.jobs[job.id]
        if len(listed) % 100 == 0:
            done(stage.add())
    assert len(listed) == len(set(listed))
    assert set(listed) >= {f"j{number}" for number in range(1, 451)}


def test_a_job_that_is_pushed_back_by_new_ones_is_listed_once(client: Any, stage: Stage) -> None:
    for _ in range(450):
        stage.add()
    listed = []
    for job in client.jobs():
        listed.append(job.id)
        if len(listed) % 50 == 0 and len(stage.jobs) < 460:
            stage.add()
    assert len(listed) == len(set(listed))
    assert set(listed) >= {f"j{number}" for number in range(1, 451)}


def test_cancel_leaves_a_job_that_has_ended_and_its_records(client: Any, stage: Stage) -> None:
    stage.looks = 10
    done(stage.add())
    stage.add()
    assert client.cancel("j1").state == "done"
    assert client.cancel("j2").state == "cancelled"
    assert [*stage.jobs] == ["j1", "j2"]


def test_delete_removes_open_and_ended_jobs(client: Any, stage: Stage) -> None:
    stage.looks = 10
    done(stage.add())
    stage.add()
    client.delete("j1")
    client.delete(client.job("j2"))
    assert not stage.jobs


def test_a_client_closes_with_its_block(stage: Stage) -> None:
    with Client(stage.url) as client:
        client.job(stage.add()["id"])
    with pytest.raises(RuntimeError):
        client.job("j1")
