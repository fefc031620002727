"""The Python client against the real API, and against a real worker."""

import asyncio
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import environment, make_pdf, wait_for
from pdfingest.client import (
    AsyncClient,
    Client,
    Job,
    JobFailed,
    NotReachable,
    Refused,
    StillRunning,
)
from pdfingest.service.contents import upload_key
from pdfingest.service.store import Store
from pdfingest.service.ticket import State
from pdfingest.service.tickets import Tickets

from .conftest import Serve, end, free_port, stop, unique

pytestmark = pytest.mark.service


@pytest.fixture
def client(api: str) -> Iterator[Client]:
    with Client(api) as client:
        yield client


@pytest.fixture
def worker(service_environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "worker"], env=environment(**service_environment)
    )
    yield
    stop(process)


def link(job: Job) -> str:
    return str(job.document["links"]["self"])


def test_a_file_arrives_as_it_is_with_its_options(
    client: Client, tickets: Tickets, store: Store, tmp_path: Path
) -> None:
    content = unique(3 << 20)
    path = tmp_path / 'ä "b".pdf'
    path.write_bytes(content)
    job = client.submit(path, engine="pypdf", unit="document", tables=True, password=["a", "ü"])
    assert (job.state, job.name, job.size_bytes) == ("queued", "ä %22b%22.pdf", len(content))
    assert job.sha256 == hashlib.sha256(content).hexdigest()
    assert b"".join(store.read(upload_key(job.id))) == content
    ticket = tickets.get(job.id)
    assert ticket
    assert ticket.options["unit"] == "document"
    assert str(ticket.options["tables"]) == "True"
    assert list(ticket.passwords) == ["a", "ü"]


def test_a_body_without_a_length_arrives_as_well(client: Client, store: Store) -> None:
    content = unique(1 << 20)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        assert cat.stdout
        writing = threading.Thread(target=_write, args=(cat, content))
        writing.start()
        job = client.submit(cat.stdout, name="piped.pdf")
        writing.join()
    assert job.name == "piped.pdf"
    assert b"".join(store.read(upload_key(job.id))) == content


def _write(process: "subprocess.Popen[bytes]", content: bytes) -> None:
    assert process.stdin
    process.stdin.write(content)
    process.stdin.close()


def test_the_end_is_told_by_events_and_the_records_follow(
    client: Client, tickets: Tickets, store: Store, tmp_path: Path
) -> None:
    job = client.submit(unique())
    ending = threading.Timer(0.3, end, (tickets, store, link(job)))
    ending.start()
    ended = client.wait(job, timeout_s=60)
    ending.join()
    assert (ended.state, ended.progress.pages_done) == ("done", 2)
    assert ended.report
    assert ended.report["status"] == "ok"
    (record,) = client.records(ended)
    assert record == {"text": "one", "metadata": {"page": 1}}
    client.save(ended, tmp_path / "a.jsonl")
    assert json.loads((tmp_path / "a.jsonl").read_text()) == record


def test_a_request_with_the_same_key_is_the_same_job(client: Client) -> None:
    content = unique()
    jobs = [client.submit(content, idempotency_key="one") for _ in range(2)]
    assert jobs[0].id == jobs[1].id
    with pytest.raises(Refused) as caught:
        client.submit(unique(), idempotency_key="one")
    assert caught.value.status in {409, 422}


def test_refusals_say_why(client: Client) -> None:
    with pytest.raises(Refused, match="415 not a PDF"):
        client.submit(b"no PDF" * 300)
    with pytest.raises(Refused, match=r"422 invalid.*unit"):
        client.submit(unique(), unit="none")
    with pytest.raises(Refused, match="403"):
        client.submit_source("/etc/passwd")
    with pytest.raises(Refused, match="404"):
        client.wait("f" * 32)
    job = client.submit(unique())
    with pytest.raises(Refused, match="409"):
        list(client.records(job))
    with pytest.raises(StillRunning):
        client.wait(job, timeout_s=0.2)


def test_a_key_is_needed_where_there_are_keys(serve: Serve, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"me:{hashlib.sha256(b'secret').hexdigest()}\n")
    url = serve(API_KEYS_FILE=str(keys))
    with Client(url) as client, pytest.raises(Refused, match="401"):
        client.submit(unique())
    with Client(url, "secret\n") as client:
        assert client.submit(unique()).state == "queued"


def test_too_many_in_a_minute_are_refused_once_the_patience_ends(serve: Serve) -> None:
    url = serve(RATE="1")
    with Client(url, patience_s=0.5) as client:
        refused = [job.error for _, job in client.ingest_all([__file__] * 3, in_flight=1)]
    # The file is no PDF, but that is looked at later than how many came; a minute may end here.
    assert "429" in {str(error)[:3] for error in refused}


def test_a_file_that_could_not_be_read_is_an_error_with_its_report(
    client: Client, tickets: Tickets, store: Store
) -> None:
    job = client.submit(unique())
    end(tickets, store, link(job), State.FAILED, failure="malformed")
    assert client.wait(job).state == "failed"
    with pytest.raises(JobFailed) as caught:
        list(client.records(job))
    assert caught.value.report
    assert caught.value.report["failure"] == "malformed"


def test_a_cancelled_job_has_no_records(client: Client) -> None:
    job = client.cancel(client.submit(unique()))
    assert job.state == client.wait(job).state == "cancelled"
    with pytest.raises(Refused, match="410 cancelled"):
        list(client.records(job))


def test_the_list_has_the_newest_first(client: Client) -> None:
    sent = [client.submit(unique()).id for _ in range(3)]
    assert [job.id for job in client.jobs(limit=3)] == sent[::-1]
    assert {job.id for job in client.jobs()} >= set(sent)


def test_the_client_of_asyncio_does_the_same(
    api: str, tickets: Tickets, store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(unique(1 << 20))

    async def converse() -> list[object]:
        async with AsyncClient(api) as client:
            job = await client.submit(path)
            await asyncio.to_thread(end, tickets, store, link(job))
            ended = await client.wait(job)
            assert ended.state == "done"
            assert job.id in [each.id async for each in client.jobs()]
            return [record async for record in client.records(ended)]

    assert asyncio.run(converse()) == [{"text": "one", "metadata": {"page": 1}}]


def test_a_service_that_is_not_there_yet_is_waited_for(
    service_environment: dict[str, str], tickets: Tickets
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Client(url, patience_s=0.3) as client, pytest.raises(NotReachable):
        client.submit(unique())
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "serve", "--port", str(port)], env=service_environment
    )
    try:
        with Client(url, patience_s=60) as client:
            assert tickets.get(client.submit(unique()).id)
    finally:
        stop(process)


@pytest.mark.slow
@pytest.mark.usefixtures("worker")
def test_many_files_go_in_and_each_comes_back_once(
    client: Client, tickets: Tickets, tmp_path: Path
) -> None:
    paths = [make_pdf(tmp_path / f"{n:02}.pdf", [f"Page {n}", "Two"]) for n in range(30)]
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4\nbroken")
    (tmp_path / "text.pdf").write_bytes(b"no PDF" * 300)
    others = [tmp_path / "broken.pdf", tmp_path / "text.pdf", tmp_path / "missing.pdf"]
    ended = list(client.ingest_all([*paths, *others], in_flight=8))
    assert sorted(path for path, _ in ended) == sorted([*paths, *others])
    of = dict(ended)
    assert [of[path].state for path in others] == ["failed", "refused", "refused"]
    for number, path in enumerate(paths):
        assert of[path].state == "done"
        texts = [record["text"].strip() for record in client.records(of[path])]
        assert texts == [f"Page {number}", "Two"]
    wait_for(lambda: not tickets.running())
