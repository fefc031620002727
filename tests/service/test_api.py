"""What a client may rely on: from the upload to the records."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from pdfingest.service import queue
from pdfingest.service.api import make_api
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.intake import Intake
from pdfingest.service.jobs import Jobs, State, new_id
from pdfingest.service.problems import Problem
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store
from pdfingest.service.upload import Upload
from service.asgi import asked, changed
from service.conftest import PDF, Serve, end, send, unique

pytestmark = pytest.mark.service


def get(api: str, link: str) -> httpx.Response:
    return httpx.get(f"{api}{link}")


def test_an_upload_is_a_job_whose_file_is_in_the_store(api: str, store: Store, jobs: Jobs) -> None:
    content = unique()
    answer = send(api, content, name="a.pdf")
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == job["links"]["self"] == f"/v1/jobs/{job['id']}"
    assert (job["state"], job["name"], job["bytes"]) == ("queued", "a.pdf", len(content))
    assert job["created_at"].startswith("20")
    assert job["ended_at"] is None
    assert b"".join(store.read(upload_key(job["id"]))) == content
    assert get(api, answer.headers["Location"]).json() == job
    found = jobs.get(job["id"])
    assert found
    assert found.source == upload_key(job["id"])


def test_the_queue_gets_the_id_of_the_job_and_no_more(api: str, jobs: Jobs) -> None:
    jobs.client.delete("pdfingest")
    job_id = send(api).json()["id"]
    (message,) = jobs.client.lrange("pdfingest", 0, -1)
    assert job_id in message
    assert "name" not in json.loads(message)["body"]


def test_options_reach_the_worker(api: str, jobs: Jobs) -> None:
    fields: dict[str, Any] = {"engine": "pypdf", "unit": "document", "password": ["a", "ü"]}
    job = jobs.get(send(api, **fields).json()["id"])
    assert job
    assert dict(job.options) == {"engine": "pypdf", "unit": "document"}
    assert list(job.passwords) == ["a", "ü"]
    assert len(job.digest) == 16


@pytest.mark.parametrize("path", ["/ingest", "/v1/jobs"])
def test_both_addresses_take_uploads(api: str, path: str) -> None:
    assert httpx.post(f"{api}{path}", files={"file": unique()}).status_code == 202


def test_the_records_are_streamed_when_the_job_is_done(api: str, jobs: Jobs, store: Store) -> None:
    link = send(api).json()["links"]
    assert get(api, link["result"]).status_code == 409
    end(jobs, store, link["self"], records=b'{"text":"a"}\n' * 200_000)
    answer = get(api, link["result"])
    assert answer.headers["Content-Type"].startswith("application/jsonl")
    assert answer.content == b'{"text":"a"}\n' * 200_000
    job = get(api, link["self"]).json()
    assert (job["state"], job["report"]["pages"]) == ("done", 2)


def test_a_job_that_failed_says_why(api: str, jobs: Jobs, store: Store) -> None:
    link = send(api).json()["links"]
    end(jobs, store, link["self"], State.FAILED, failure="encrypted")
    answer = get(api, link["result"])
    assert answer.status_code == 409
    assert answer.json()["report"]["failure"] == "encrypted"


def test_records_that_were_deleted_are_gone(api: str, jobs: Jobs, store: Store) -> None:
    link = send(api).json()["links"]
    job_id = end(jobs, store, link["self"])
    store.delete(result_key(job_id))
    assert get(api, link["result"]).status_code == 410


def test_a_cancelled_job_ends_and_its_file_is_deleted(api: str, store: Store) -> None:
    job = send(api).json()
    assert httpx.delete(f"{api}{job['links']['self']}").status_code == 204
    assert get(api, job["links"]["self"]).json()["state"] == "cancelled"
    assert get(api, job["links"]["result"]).status_code == 410
    with pytest.raises(FileNotFoundError):
        store.read(upload_key(job["id"]))
    assert httpx.delete(f"{api}{job['links']['self']}").status_code == 409


@pytest.mark.parametrize("name", ["0" * 32, "..", "a:b", "%00", "x" * 5000, "..%2f..%2fetc"])
def test_a_job_that_never_was_is_not_found(api: str, name: str) -> None:
    for part in ("/result", "/events", ""):
        answer = httpx.get(f"{api}/v1/jobs/{name}{part}")
        assert answer.status_code in {404, 405}, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_events_tell_each_change_until_the_end(api: str, jobs: Jobs, store: Store) -> None:
    link = send(api).json()["links"]
    told: list[dict[str, Any]] = []
    with httpx.stream("GET", f"{api}{link['events']}") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if not line.startswith("data: "):
                assert line in {"", "event: job"}
                continue
            told.append(json.loads(line[6:]))
            if len(told) == 1:
                time.sleep(1.2)  # no change, no event
                end(jobs, store, link["self"])
    assert [job["state"] for job in told] == ["queued", "done"]


def test_jobs_are_listed_the_newest_first(api: str) -> None:
    sent = [send(api).json()["id"] for _ in range(4)]
    listed = httpx.get(f"{api}/v1/jobs", params={"limit": 3}).json()
    assert [job["id"] for job in listed["jobs"]] == sent[:0:-1]
    later = httpx.get(f"{api}/v1/jobs", params={"limit": 1, "offset": 3}).json()
    assert [job["id"] for job in later["jobs"]] == sent[:1]
    assert httpx.get(f"{api}/v1/jobs", params={"limit": 0}).status_code == 422


def test_the_same_content_and_options_are_answered_at_once(
    api: str, jobs: Jobs, store: Store, scratch: Path
) -> None:
    content = unique()
    first = send(api, content).json()
    assert send(api, content).json()["id"] != first["id"], "not done yet"
    end(jobs, store, first["links"]["self"])
    again = send(api, content, name="other.pdf")
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    assert send(api, content, unit="document").status_code == 202
    assert not list(scratch.iterdir())


def test_what_failed_is_done_again(api: str, jobs: Jobs, store: Store) -> None:
    content = unique()
    first = send(api, content).json()
    end(jobs, store, first["links"]["self"], State.FAILED, failure="crashed")
    second = send(api, content)
    assert second.status_code == 202
    end(jobs, store, second.json()["links"]["self"])
    assert send(api, content).json()["id"] == second.json()["id"]


def test_an_idempotency_key_is_one_job(api: str, scratch: Path) -> None:
    content, key = unique(), {"Idempotency-Key": new_id()}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send(api, content, headers=key), range(8)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert send(api, unique(), headers=key).status_code == 409
    assert send(api, content, headers=key, unit="document").status_code == 409
    assert not list(scratch.iterdir())
    assert len(list((scratch.parent / "uploads").glob(f"{answers[0].json()['id']}*"))) == 1


def test_a_source_may_be_named_below_allowed_prefixes_only(serve: Serve, tmp_path: Path) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "link.pdf").symlink_to("/etc/passwd")
    api = serve(SOURCE_PREFIXES=f"{allowed}, s3://bucket/in/")

    def name(source: object, **more: object) -> int:
        body = json.dumps({"source": source, **more}).encode()
        headers = {"Content-Type": "application/json"}
        return httpx.post(f"{api}/v1/jobs", content=body, headers=headers).status_code

    good = f"{allowed}/a.pdf"
    assert [name(good), name("s3://bucket/in/a.pdf"), name(good, password="x")] == [202] * 3
    bad = ["/etc/passwd", f"{allowed}/../a.pdf", f"{allowed}/link.pdf", f"{allowed}2/a.pdf"]
    bad += ["s3://bucket/in/../out/a.pdf", "s3://bucket/into/a.pdf", "file:///etc/passwd", "a\0b"]
    bad += [f"s3://bucket/in/{dots}/out/a.pdf" for dots in ("%2e%2e", ".%2e", ".\t.", "..%2f..")]
    assert [name(source) for source in bad] == [403] * len(bad)
    wrong = [name(1), name(""), name("\ud800"), name(good, nonsense=1), name(good, engine="nix")]
    assert wrong == [422] * len(wrong)


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b"\xff\xfe", b"nul"])
def test_what_is_no_json_is_refused(api: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{api}/ingest", content=body, headers=headers)
    assert answer.status_code == 400
    large = httpx.post(f"{api}/ingest", content=b" " * 70_000, headers=headers)
    assert large.status_code == 413


def test_why_a_source_is_refused_is_told_without_it(serve: Serve, tmp_path: Path) -> None:
    api = serve(SOURCE_PREFIXES=f"{tmp_path}, s3://bucket/in/")
    for source, why in (
        ("s3://bucket/out/secret", "it is not below PDFINGEST_SOURCE_PREFIXES"),
        ("s3://bucket/in//secret", "its key has an empty segment"),
        ("secret", "it is neither an absolute path nor an address such as s3://bucket/key"),
    ):
        answer = httpx.post(f"{api}/v1/jobs", json={"source": source})
        assert answer.json()["detail"] == f"The source is refused: {why}."
        assert "secret" not in answer.text


def test_the_document_says_what_a_source_is(api: str) -> None:
    document = httpx.get(f"{api}/openapi.json").json()
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    assert "not URL-encoded" in body["schema"]["properties"]["source"]["description"]


def test_nothing_is_named_where_nothing_is_allowed(api: str) -> None:
    assert httpx.post(f"{api}/ingest", json={"source": "/tmp/a.pdf"}).status_code == 403


def test_a_webhook_needs_an_allowed_host(api: str, serve: Serve, jobs: Jobs) -> None:
    assert send(api, webhook="http://169.254.169.254/").status_code == 403
    hooked = serve(WEBHOOK_HOSTS="hooks.example", WEBHOOK_SECRET="s")
    job = jobs.get(send(hooked, webhook="https://hooks.example/a").json()["id"])
    assert job
    assert job.webhook == "https://hooks.example/a"
    assert send(hooked, webhook="https://hooks.example@evil.example/").status_code == 403


def test_health_says_what_works(api: str) -> None:
    assert httpx.get(f"{api}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{api}/readyz").status_code == 200


def test_metrics_count_what_was_done(api: str, jobs: Jobs, store: Store) -> None:
    end(jobs, store, send(api).json()["links"]["self"])
    failed = send(api).json()["links"]["self"]
    end(jobs, store, failed, State.FAILED, failure="timeout")
    shown = httpx.get(f"{api}/metrics").text
    for line in ('jobs_total{state="done"}', 'failures_total{kind="timeout"}', "jobs_waiting "):
        assert f"\npdfingest_{line}" in shown
    assert "\npdfingest_peak_bytes 4.194304e+07" in shown


def test_errors_of_the_framework_are_problems(api: str) -> None:
    for answer in (httpx.get(f"{api}/nothing"), httpx.put(f"{api}/ingest")):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def test_a_job_that_cannot_be_queued_is_none(settings: Settings, jobs: Jobs, store: Store) -> None:
    app = queue.make_app(changed(settings, redis_url="redis://127.0.0.1:9/0"))
    intake = Intake(settings, jobs, store, app)
    path = Path(store.scratch) / "upload"
    path.write_bytes(PDF)
    known, stored = jobs.waiting(), len(list(path.parent.parent.rglob("*.pdf")))
    for _ in range(2):
        with pytest.raises(Problem, match="unavailable"):
            intake.upload(Upload(str(path), "a.pdf", 9, new_id(), {}), "", "the key")
        path.write_bytes(PDF)
    path.unlink()
    assert jobs.waiting() == known
    assert len(list(path.parent.parent.rglob("*.pdf"))) == stored


def test_without_redis_the_api_says_so_and_keeps_nothing(settings: Settings) -> None:
    app = make_api(changed(settings, redis_url="redis://127.0.0.1:9/0"))
    answer = asked(app, "POST", "/ingest", files={"file": PDF})
    assert (answer.status_code, answer.json()["title"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert asked(app, "GET", "/readyz").status_code == 503
    assert asked(app, "GET", "/healthz").status_code == 200
