"""What a client may rely on: from the upload to the records."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import wait_for
from pdfingest.service import queue
from pdfingest.service.api import make_api
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.intake import Intake
from pdfingest.service.problems import Problem
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store
from pdfingest.service.ticket import State, new_id
from pdfingest.service.tickets import Tickets
from pdfingest.service.upload import Received, Upload

from .asgi import asked, changed
from .conftest import PDF, Serve, end, send, unique

pytestmark = pytest.mark.service


def get(api: str, link: str) -> httpx.Response:
    return httpx.get(f"{api}{link}")


def test_an_upload_is_a_ticket_whose_file_is_in_the_store(
    api: str, store: Store, tickets: Tickets
) -> None:
    content = unique()
    answer = send(api, content, name="a.pdf")
    ticket = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == ticket["links"]["self"] == f"/v1/jobs/{ticket['id']}"
    assert (ticket["state"], ticket["name"], ticket["bytes"]) == ("queued", "a.pdf", len(content))
    assert ticket["created_at"].startswith("20")
    assert ticket["ended_at"] is None
    assert b"".join(store.read(upload_key(ticket["id"]))) == content
    assert get(api, answer.headers["Location"]).json() == ticket
    found = tickets.get(ticket["id"])
    assert found
    assert found.source == upload_key(ticket["id"])


def test_the_queue_gets_the_id_of_the_ticket_and_no_more(api: str, tickets: Tickets) -> None:
    tickets.client.delete("pdfingest")
    ticket_id = send(api).json()["id"]
    (message,) = tickets.client.lrange("pdfingest", 0, -1)
    assert ticket_id in message
    assert "name" not in json.loads(message)["body"]


def test_options_reach_the_worker(api: str, tickets: Tickets) -> None:
    fields: dict[str, Any] = {"engine": "pypdf", "unit": "document", "password": ["a", "ü"]}
    ticket = tickets.get(send(api, **fields).json()["id"])
    assert ticket
    assert dict(ticket.options) == {"engine": "pypdf", "unit": "document"}
    assert list(ticket.passwords) == ["a", "ü"]
    assert len(ticket.digest) == 16


def test_chunks_are_cut_as_a_client_asks_but_by_no_file_of_the_server(
    api: str, tickets: Tickets
) -> None:
    cut = {"chunk_tokens": "64", "chunk_overlap": "8", "tokenizer": "words"}
    fields: dict[str, Any] = {"unit": "chunk", **cut}
    ticket = tickets.get(send(api, **fields).json()["id"])
    assert ticket
    assert dict(ticket.options) == fields
    for name, value in (("tokenizer", "/t.json"), ("chunk_tokens", "3"), ("chunk_overlap", "64")):
        wrong: dict[str, Any] = {**fields, name: value}
        assert send(api, **wrong).status_code == 422
    assert send(api, chunk_tokens="64").status_code == 422


@pytest.mark.parametrize("path", ["/ingest", "/v1/jobs"])
def test_both_paths_take_uploads(api: str, path: str) -> None:
    assert httpx.post(f"{api}{path}", files={"file": unique()}).status_code == 202


def test_the_records_are_streamed_when_the_ticket_is_done(
    api: str, tickets: Tickets, store: Store
) -> None:
    link = send(api).json()["links"]
    assert get(api, link["result"]).status_code == 409
    end(tickets, store, link["self"], records=b'{"text":"a"}\n' * 200_000)
    answer = get(api, link["result"])
    assert answer.headers["Content-Type"].startswith("application/jsonl")
    assert answer.content == b'{"text":"a"}\n' * 200_000
    ticket = get(api, link["self"]).json()
    assert (ticket["state"], ticket["report"]["pages"]) == ("done", 2)


def test_the_result_of_a_failed_ticket_is_its_report_line(
    api: str, tickets: Tickets, store: Store
) -> None:
    link = send(api).json()["links"]
    end(tickets, store, link["self"], State.FAILED, failure="encrypted")
    answer = get(api, link["result"])
    assert answer.status_code == 409
    assert answer.json()["report"]["failure"] == "encrypted"


def test_records_that_were_deleted_are_gone(api: str, tickets: Tickets, store: Store) -> None:
    link = send(api).json()["links"]
    ticket_id = end(tickets, store, link["self"])
    store.delete(result_key(ticket_id))
    assert get(api, link["result"]).status_code == 410


def test_a_cancelled_ticket_ends_and_its_file_is_deleted(api: str, store: Store) -> None:
    ticket = send(api).json()
    assert httpx.delete(f"{api}{ticket['links']['self']}").status_code == 204
    assert get(api, ticket["links"]["self"]).json()["state"] == "cancelled"
    assert get(api, ticket["links"]["result"]).status_code == 410
    with pytest.raises(FileNotFoundError):
        store.read(upload_key(ticket["id"]))


@pytest.mark.parametrize("name", ["0" * 32, "..", "a:b", "%00", "x" * 5000, "..%2f..%2fetc"])
def test_a_ticket_that_never_was_is_not_found(api: str, name: str) -> None:
    for part in ("/result", "/events", ""):
        answer = httpx.get(f"{api}/v1/jobs/{name}{part}")
        assert answer.status_code in {404, 405}, answer.text
        assert answer.headers["Content-Type"] == "application/problem+json"


def wait_for_looks(tickets: Tickets, count: int) -> None:
    """Wait until tickets were read so often again, by whomever."""

    def looks() -> int:
        calls: int = tickets.client.info("commandstats")["cmdstat_hgetall"]["calls"]
        return calls

    before = looks()
    wait_for(lambda: looks() >= before + count)


def test_events_tell_each_change_until_the_end(api: str, tickets: Tickets, store: Store) -> None:
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
                wait_for_looks(tickets, 2)  # no change, no event
                end(tickets, store, link["self"])
    assert [ticket["state"] for ticket in told] == ["queued", "done"]


def test_tickets_are_listed_the_newest_first(api: str) -> None:
    sent = [send(api).json()["id"] for _ in range(4)]
    listed = httpx.get(f"{api}/v1/jobs", params={"limit": 3}).json()
    assert [ticket["id"] for ticket in listed["jobs"]] == sent[:0:-1]
    later = httpx.get(f"{api}/v1/jobs", params={"limit": 1, "offset": 3}).json()
    assert [ticket["id"] for ticket in later["jobs"]] == sent[:1]
    assert httpx.get(f"{api}/v1/jobs", params={"limit": 0}).status_code == 422


def test_an_ended_ticket_is_deleted_with_its_records(
    api: str, tickets: Tickets, store: Store
) -> None:
    ticket = send(api).json()
    ticket_id = end(tickets, store, ticket["links"]["self"])
    assert httpx.delete(f"{api}{ticket['links']['self']}").status_code == 204
    for path in ticket["links"].values():
        assert get(api, path).status_code == 404
    for key in (upload_key(ticket_id), result_key(ticket_id)):
        with pytest.raises(FileNotFoundError):
            store.read(key)
    assert httpx.delete(f"{api}{ticket['links']['self']}").status_code == 404


def test_the_same_content_is_a_ticket_of_its_own_each_time(
    api: str, tickets: Tickets, store: Store
) -> None:
    content = unique()
    first = send(api, content).json()
    end(tickets, store, first["links"]["self"])
    again = send(api, content, name="other.pdf")
    assert again.status_code == 202
    assert again.json()["id"] != first["id"]
    assert (again.json()["name"], again.json()["sha256"]) == ("other.pdf", first["sha256"])


def test_an_idempotency_key_is_one_ticket(api: str, scratch: Path) -> None:
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
def test_a_body_that_is_not_json_is_refused(api: str, body: bytes) -> None:
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


def test_the_openapi_document_says_what_a_source_is(api: str) -> None:
    document = httpx.get(f"{api}/openapi.json").json()
    body = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]
    assert "not URL-encoded" in body["schema"]["properties"]["source"]["description"]


def test_no_source_may_be_named_where_no_prefix_is_allowed(api: str) -> None:
    assert httpx.post(f"{api}/ingest", json={"source": "/tmp/a.pdf"}).status_code == 403


def test_a_webhook_needs_an_allowed_host(api: str, serve: Serve, tickets: Tickets) -> None:
    assert send(api, webhook="http://169.254.169.254/").status_code == 403
    hooked = serve(WEBHOOK_HOSTS="hooks.example", WEBHOOK_SECRET="s")
    ticket = tickets.get(send(hooked, webhook="https://hooks.example/a").json()["id"])
    assert ticket
    assert ticket.webhook == "https://hooks.example/a"
    assert send(hooked, webhook="https://hooks.example@evil.example/").status_code == 403


def test_a_service_that_works_is_healthy_and_ready(api: str) -> None:
    assert httpx.get(f"{api}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{api}/readyz").status_code == 200


def test_metrics_count_what_was_done(api: str, tickets: Tickets, store: Store) -> None:
    end(tickets, store, send(api).json()["links"]["self"])
    failed = send(api).json()["links"]["self"]
    end(tickets, store, failed, State.FAILED, failure="timeout")
    shown = httpx.get(f"{api}/metrics").text
    for line in ('jobs_total{state="done"}', 'failures_total{kind="timeout"}', "jobs_waiting "):
        assert f"\npdfingest_{line}" in shown
    assert "\npdfingest_peak_bytes 4.194304e+07" in shown


def test_errors_of_the_framework_are_problems(api: str) -> None:
    for answer in (httpx.get(f"{api}/nothing"), httpx.put(f"{api}/ingest")):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def test_a_ticket_that_cannot_be_queued_leaves_nothing(
    settings: Settings, tickets: Tickets, store: Store
) -> None:
    app = queue.make_app(changed(settings, redis_url="redis://127.0.0.1:9/0"))
    intake = Intake(settings, tickets, store, app)
    path = Path(store.scratch) / "upload"
    path.write_bytes(PDF)
    known, stored = tickets.queued(), len(list(path.parent.parent.rglob("*.pdf")))
    upload = Upload(str(path), "a.pdf", 9, new_id())
    received = Received(lambda: [upload], {}, lambda: None)
    for _ in range(2):
        with pytest.raises(Problem, match="unavailable"):
            intake.form(received, "", "the key")
        path.write_bytes(PDF)
    path.unlink()
    assert tickets.queued() == known
    assert len(list(path.parent.parent.rglob("*.pdf"))) == stored


def test_without_redis_the_api_says_so_and_keeps_nothing(settings: Settings) -> None:
    app = make_api(changed(settings, redis_url="redis://127.0.0.1:9/0"))
    answer = asked(app, "POST", "/ingest", files={"file": PDF})
    assert (answer.status_code, answer.json()["title"]) == (503, "unavailable")
    assert answer.headers["Retry-After"]
    assert asked(app, "GET", "/readyz").status_code == 503
    assert asked(app, "GET", "/healthz").status_code == 200
