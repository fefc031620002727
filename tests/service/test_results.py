"""Records in the form that a client asks for: at once, later, of one job or of several."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import wait_for
from pdfingest.service.problems import Problem
from pdfingest.service.renditions import Rendition, chosen, rendered, zipped
from pdfingest.service.store import Store
from pdfingest.service.ticket import State
from pdfingest.service.tickets import Tickets

from .conftest import PDF, Serve, end, send, unique

pytestmark = pytest.mark.service
RECORDS = b'{"text":"one","metadata":{"page":1}}\n{"text":"two\\n\xc3\xbc","metadata":{"page":2}}\n'


@contextmanager
def worker(
    tickets: Tickets, store: Store, state: State = State.DONE, failure: str = ""
) -> Iterator[None]:
    """Ends every ticket that is queued, for as long as the block runs."""
    over = threading.Event()
    before = set(tickets.client.zrange("pdfingest:queued", 0, -1))

    def work() -> None:
        while not over.wait(0.02):
            for ticket_id in set(tickets.client.zrange("pdfingest:queued", 0, -1)) - before:
                link = f"/v1/jobs/{ticket_id}"
                end(tickets, store, link, state, failure=failure, records=RECORDS)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def convert(api: str, accept: str = "", query: str = "", **fields: Any) -> httpx.Response:
    headers = {"Accept": accept} if accept else {}
    files = {"file": ("a.pdf", unique())}
    url = f"{api}/v1/convert{query}"
    return httpx.post(url, files=files, data=fields, headers=headers, timeout=30)


FORMS = {
    "application/jsonl": RECORDS,
    "application/x-ndjson": RECORDS,
    "*/*": RECORDS,
    "text/plain": "one\ftwo\nü\n".encode(),
    "text/markdown": "one\n\ntwo\nü\n".encode(),
    "text/*;q=0.5, application/json;q=0.1": "one\ftwo\nü\n".encode(),
}


@pytest.mark.parametrize("accept", FORMS)
def test_a_file_is_answered_with_its_records_in_the_form_that_is_asked_for(
    api: str, tickets: Tickets, store: Store, accept: str
) -> None:
    with worker(tickets, store):
        answer = convert(api, accept)
    assert (answer.status_code, answer.content) == (200, FORMS[accept])
    assert answer.headers["Pdfingest-Status"] == "ok"
    job = httpx.get(f"{api}{answer.headers['Location']}").json()
    assert job["state"] == "done"
    again = httpx.get(f"{api}{job['links']['result']}", headers={"Accept": accept})
    assert again.content == answer.content


def test_json_has_the_job_beside_the_records(api: str, tickets: Tickets, store: Store) -> None:
    with worker(tickets, store):
        answer = convert(api, "application/json").json()
    assert [record["text"] for record in answer["records"]] == ["one", "two\nü"]
    assert answer["job"]["report"]["status"] == "ok"


def test_markdown_is_what_markdown_is_asked_for(api: str, tickets: Tickets, store: Store) -> None:
    with worker(tickets, store):
        job = convert(api, "text/markdown").headers["Location"].rpartition("/")[2]
        other = convert(api, "text/markdown", format="raw").headers["Location"].rpartition("/")[2]
    found = [tickets.get(each) for each in (job, other)]
    assert [each and each.options["format"] for each in found] == ["markdown", "raw"]


def test_what_takes_too_long_becomes_a_job(api: str, tickets: Tickets, store: Store) -> None:
    began_s = time.monotonic()
    answer = convert(api, query="?wait=0.3")
    assert 0.3 <= time.monotonic() - began_s < 5
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    end(tickets, store, answer.headers["Location"])
    assert httpx.get(f"{api}{answer.json()['links']['result']}").status_code == 200


def test_a_file_that_cannot_be_read_is_a_problem_with_its_report(
    api: str, tickets: Tickets, store: Store
) -> None:
    with worker(tickets, store, State.FAILED, "malformed"):
        answer = convert(api)
    assert (answer.status_code, answer.json()["title"]) == (422, "failed")
    assert answer.json()["report"]["failure"] == "malformed"


def test_a_form_that_nobody_makes_is_refused_before_the_file_is_taken(
    api: str, tickets: Tickets
) -> None:
    waiting = tickets.queued()
    assert convert(api, "image/png").status_code == 406
    assert tickets.queued() == waiting


def several(api: str, *contents: bytes, **fields: Any) -> httpx.Response:
    files = [("file", (f"{number}.pdf", each)) for number, each in enumerate(contents)]
    return httpx.post(f"{api}/v1/jobs", files=files, data=fields, timeout=30)


def test_several_files_are_a_job_each_and_what_is_refused_costs_only_itself(
    api: str, tickets: Tickets
) -> None:
    answer = several(api, unique(), b"no PDF", unique(), b"", unit="document")
    assert answer.status_code == 202
    found = answer.json()
    assert [job["name"] for job in found["jobs"]] == ["0.pdf", "2.pdf"]
    assert [each["name"] for each in found["refused"]] == ["1.pdf", "3.pdf"]
    assert {each["problem"]["title"] for each in found["refused"]} == {"not a PDF"}
    for job in found["jobs"]:
        ticket = tickets.get(job["id"])
        assert ticket is not None
        assert ticket.options["unit"] == "document"


def test_several_files_under_one_idempotency_key_are_the_same_jobs_again(api: str) -> None:
    contents, key = [unique(), unique()], {"Idempotency-Key": "several"}
    files = [("file", (f"{number}.pdf", each)) for number, each in enumerate(contents)]
    made = [httpx.post(f"{api}/v1/jobs", files=files, headers=key).json() for _ in range(2)]
    ids = [[job["id"] for job in each["jobs"]] for each in made]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_a_form_of_files_that_are_no_pdfs_is_not_read_to_its_end(serve: Serve) -> None:
    api = serve(MAX_UPLOAD="64M")
    answer = several(api, b"MP4" + bytes(8 << 20), unique())
    assert (answer.status_code, answer.json()["title"]) == (415, "not a PDF")


@pytest.fixture
def jobs(api: str, tickets: Tickets, store: Store) -> list[dict[str, Any]]:
    """Two jobs that are done, and one that failed."""
    made: list[dict[str, Any]] = [send(api, name=f"{each}.pdf").json() for each in "abc"]
    for job in made[:2]:
        end(tickets, store, job["links"]["self"], records=RECORDS)
    end(tickets, store, made[2]["links"]["self"], State.FAILED, failure="crashed")
    return made


def test_the_records_of_several_jobs_are_one_stream(api: str, jobs: list[dict[str, Any]]) -> None:
    query = "&".join(f"id={job['id']}" for job in jobs)
    answer = httpx.get(f"{api}/v1/results?{query}")
    assert (answer.status_code, answer.content) == (200, RECORDS * 2)
    assert answer.headers["Pdfingest-Without-Records"] == jobs[2]["id"]


def test_a_zip_has_the_records_and_the_reports_of_all(api: str, jobs: list[dict[str, Any]]) -> None:
    query = "&".join(f"id={job['id']}" for job in jobs)
    answer = httpx.get(f"{api}/v1/results?{query}", headers={"Accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        wanted = ["report.jsonl", *(f"{job['id']}-{job['name']}.jsonl" for job in jobs[:2])]
        assert archive.namelist() == wanted
        assert archive.read(wanted[1]) == RECORDS
        reports = [json.loads(line) for line in archive.read("report.jsonl").splitlines()]
    assert [each["failure"] for each in reports] == ["", "", "crashed"]


def test_results_of_a_job_that_has_not_ended_are_not_given(
    api: str, jobs: list[dict[str, Any]]
) -> None:
    waiting = send(api).json()["id"]
    answer = httpx.get(f"{api}/v1/results?id={jobs[0]['id']}&id={waiting}")
    assert (answer.status_code, answer.json()["errors"][0]["where"]) == (409, waiting)
    assert httpx.get(f"{api}/v1/results?id={'0' * 32}").status_code == 404
    assert httpx.get(f"{api}/v1/results").status_code == 422


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "a/b"),
        ("text/*", "text/x"),
        ("text/x, a/b", "a/b"),
        ("text/x, a/b;q=0.9", "text/x"),
        ("*/*, a/b;q=0", "text/x"),
        ("A/B", "a/b"),
        ("nonsense", "a/b"),
        ("a/b;level=1;q=0.2, text/x;q=0.3", "text/x"),
    ],
)
def test_the_form_that_is_liked_best_is_chosen(accept: str, wanted: str) -> None:
    assert chosen(accept, ["a/b", "text/x"]) == wanted


@pytest.mark.parametrize("accept", ["image/png", "*/*;q=0", "a/b;q=0"])
def test_a_form_that_is_not_there_is_not_acceptable(accept: str) -> None:
    with pytest.raises(Problem, match="Not Acceptable"):
        chosen(accept, ["a/b", "text/x"])


texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=5)


@given(texts=texts, size=st.integers(1, 50))
def test_no_text_is_lost_wherever_the_records_are_cut(texts: list[str], size: int) -> None:
    lines = b"".join(json.dumps({"text": each}).encode() + b"\n" for each in texts)
    pieces = [lines[at : at + size] for at in range(0, len(lines), size)]
    text = b"".join(rendered(Rendition.TEXT, pieces, {})).decode()
    assert text == "\f".join(texts) + "\n"
    made = json.loads(b"".join(rendered(Rendition.JSON, pieces, {"id": "x"})))
    assert made == {"job": {"id": "x"}, "records": [{"text": each} for each in texts]}
    archive = zipfile.ZipFile(io.BytesIO(b"".join(zipped([("a", pieces), ("b", [])]))))
    assert archive.read("a") == lines


def test_a_list_of_ids_is_these_jobs_in_their_order(api: str, jobs: list[dict[str, Any]]) -> None:
    ids = [jobs[2]["id"], jobs[0]["id"]]
    found = httpx.get(f"{api}/v1/jobs?id={ids[0]}&id={'0' * 32}&id={ids[1]}").json()
    assert [job["id"] for job in found["jobs"]] == ids
    assert found["total"] == 2


def test_jobs_are_listed_in_pages_the_newest_first(serve: Serve, tickets: Tickets) -> None:
    api = serve()
    ids = [send(api).json()["id"] for _ in range(7)][::-1]
    pages = [httpx.get(f"{api}/v1/jobs?limit=3&offset={at}").json() for at in (0, 3)]
    assert [job["id"] for page in pages for job in page["jobs"]] == ids[:6]
    assert pages[0]["total"] == pages[1]["total"] >= 7
    beyond = httpx.get(f"{api}/v1/jobs?offset=100000").json()
    assert (beyond["jobs"], beyond["total"]) == ([], pages[0]["total"])
    wait_for(lambda: tickets.get(ids[0]))


def test_the_jobs_of_others_cost_a_list_nothing(api: str, tickets: Tickets) -> None:
    with tickets.client.pipeline(transaction=False) as pipe:
        for number in range(50_000):
            pipe.zadd("pdfingest:owner:crowd", {f"{number:032x}": number})
        pipe.execute()
    calls = "cmdstat_hgetall"
    before = tickets.client.info("commandstats")[calls]["calls"]
    assert httpx.get(f"{api}/v1/jobs?limit=10").status_code == 200
    assert tickets.client.info("commandstats")[calls]["calls"] - before <= 10


def test_a_pdf_that_is_sent_as_json_is_told_what_to_do(api: str) -> None:
    answer = httpx.post(f"{api}/v1/convert", content=PDF, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415
