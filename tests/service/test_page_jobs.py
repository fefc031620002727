"""How the page follows jobs to their end, lists earlier ones, and gives their results."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from conftest import wait_for

from . import browsing, page_server
from .browsing import HOSTILE, Shown, needs_browser, sync_api
from .page_server import FakeService, Server

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from browsing.launch()


@pytest.fixture
def shown(browser: Any) -> Iterator[Shown]:
    yield from browsing.show(browser)


@pytest.fixture
def service() -> FakeService:
    return FakeService()


@pytest.fixture
def server(service: FakeService) -> Iterator[Server]:
    yield from page_server.serve(service)


def test_250_jobs_are_followed_to_their_end(
    shown: Shown, service: FakeService, server: Server
) -> None:
    shown.page.goto(server.url)
    shown.drop(*(f"{number:03}.pdf" for number in range(250)))
    wait_for(lambda: len(service.jobs) == 250, 30)
    sync_api.expect(shown.page.locator("td.state", has_text="queued")).to_have_count(
        250, timeout=20_000
    )
    # Those that were sent first are on no first page of a list; they end, and the last ones do not.
    ids = list(service.jobs)
    for job_id in ids[:249]:
        service.end(job_id)
    sync_api.expect(shown.page.locator("td.state", has_text="done")).to_have_count(
        249, timeout=10_000
    )
    service.end(ids[249])
    sync_api.expect(shown.page.locator("#status")).to_have_text("All have ended.", timeout=10_000)
    assert shown.totals() == {"Files": "250", "Done": "250", "Pages": "500"}
    most = max(len(parse_qs(asked.query).get("id", [])) for asked in service.asked)
    assert most == 200, "as many as one request may ask for"
    assert shown.said == []


def test_a_job_that_the_service_forgot_is_not_shown_as_queued(
    shown: Shown, service: FakeService, server: Server
) -> None:
    job_id = service.add("old.pdf")
    service.add("kept.pdf")
    shown.page.goto(server.url)
    shown.expect("old.pdf", "queued")
    del service.jobs[job_id]
    shown.expect("old.pdf", "no longer kept")
    shown.expect("kept.pdf", "queued")


def test_only_jobs_that_have_not_ended_are_asked_for(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.add("ended.pdf", "done")
    open_id = service.add("open.pdf")
    shown.page.goto(server.url)
    wait_for(lambda: sum(f"id={open_id}" in asked.query for asked in service.asked) >= 2)
    assert {i for asked in service.asked for i in parse_qs(asked.query).get("id", [])} == {open_id}


def test_earlier_jobs_come_in_pages(shown: Shown, service: FakeService, server: Server) -> None:
    for number in range(120):
        service.add(f"{number:03}.pdf", "done")
    page, more = shown.page, shown.page.get_by_role("button", name="Show more")
    page.goto(server.url)
    sync_api.expect(page.locator("#shown")).to_have_text("50 of 120 jobs shown.")
    more.click()
    sync_api.expect(page.locator("#shown")).to_have_text("100 of 120 jobs shown.")
    assert page.evaluate("document.activeElement.textContent") == "069.pdf"
    for number in range(120, 150):  # others send some meanwhile, so that pages move
        service.add(f"{number:03}.pdf", "done")
    more.click()
    sync_api.expect(page.locator("tbody tr")).to_have_count(120)
    for _ in range(3):
        if more.is_visible():
            more.click()
            sync_api.expect(page.locator("#more")).to_be_enabled()
    assert shown.names() == [f"{number:03}.pdf" for number in reversed(range(150))]
    sync_api.expect(more).to_be_hidden()
    assert shown.said == []


def test_reasons_pages_and_totals_are_shown(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.add("good.pdf", "done", pages=12, total_pages=12, needs_ocr_pages=3, ocr_pages=5)
    service.add(
        "torn.pdf",
        "done",
        status="partial",
        pages=6,
        total_pages=10,
        failed_pages=[2, 3, 4, 9],
        failure="timeout",
        message="page 2 took 60 s",
    )
    message = "1 password was tried"
    service.add("locked.pdf", "failed", failure="encrypted", message=message, pages=0)
    service.add("odd.pdf", "failed", failure="of a later version", message="<b>why</b>", pages=0)
    service.add("open.pdf")
    shown.page.goto(server.url)
    shown.expect("torn.pdf", "done in part")
    shown.expect("torn.pdf", "4 pages are lost: 2–4, 9. (page 2 took 60 s)")
    shown.expect("torn.pdf", "6 of 10")
    shown.expect("locked.pdf", "It is encrypted, and no password opens it.")
    shown.expect("locked.pdf", "(1 password was tried)")
    shown.expect("odd.pdf", "of a later version (<b>why</b>)")
    cells = shown.row("good.pdf").locator("td").all_inner_texts()
    assert cells[:5] == ["done", "12, 5 by OCR", "3", "40.0 MiB", "0.25 s"]
    totals = {"Files": "5", "Done": "1", "In part": "1", "Failed": "2", "Open": "1"}
    assert shown.totals() == {**totals, "Pages": "18", "Need OCR": "3"}


@pytest.mark.parametrize(
    ("button", "ending", "content"),
    [
        ("JSONL", "jsonl", b'{"text":"one","metadata":{"page":1}}\n'),
        ("Markdown", "md", b"# one"),
        ("Text", "txt", b"one"),
    ],
)
def test_results_are_downloaded_with_the_key(
    shown: Shown, service: FakeService, server: Server, button: str, ending: str, content: bytes
) -> None:
    service.keys = {"secret": {"read"}}
    service.add("Bericht \u202e 7.PDF", "done")
    page = shown.page
    page.goto(server.url)
    page.get_by_label("API key").fill("secret")
    page.keyboard.press("Enter")
    with page.expect_download() as download:
        page.get_by_role("button", name=f"{button} Bericht").click()
    assert download.value.suggested_filename == f"Bericht \ufffd 7.{ending}"
    assert Path(download.value.path()).read_bytes() == content
    assert not [asked for asked in service.asked if "secret" in asked.path + asked.query]


def test_all_results_are_downloaded_in_archives_that_the_service_can_make(
    shown: Shown, service: FakeService, server: Server, tmp_path: Path
) -> None:
    for number in range(210):
        service.add(f"{number}.pdf", "done")
    service.add("open.pdf")
    page, downloads = shown.page, list[Any]()
    page.goto(server.url)
    for count in (100, 150, 200, 211):
        page.get_by_role("button", name="Show more").click()
        sync_api.expect(page.locator("tbody tr")).to_have_count(count)
    gone = next(iter(service.jobs))
    del service.jobs[gone]
    page.on("download", lambda download: downloads.append(download))  # noqa: PLW0108 - see test_page
    page.get_by_role("button", name="Download all (zip)").click()
    sync_api.expect(page.locator("#download-all")).to_be_enabled()
    for _ in range(100):
        if len(downloads) == 2:
            break
        page.wait_for_timeout(50)
    names = list[str]()
    for each in downloads:
        each.save_as(tmp_path / each.suggested_filename)
        names += zipfile.ZipFile(tmp_path / each.suggested_filename).namelist()
    ended = [job_id for job_id, job in service.jobs.items() if job["state"] == "done"]
    assert sorted(names) == sorted(f"{job_id}.jsonl" for job_id in ended)
    assert {path.name for path in tmp_path.iterdir()} == {"pdfingest-1.zip", "pdfingest-2.zip"}


def test_a_result_that_is_gone_is_told(shown: Shown, service: FakeService, server: Server) -> None:
    job_id = service.add("gone.pdf", "done")
    shown.page.goto(server.url)
    shown.expect("gone.pdf", "done")
    del service.jobs[job_id]
    shown.press("gone.pdf", "Text")
    alert = shown.page.get_by_role("alert")
    sync_api.expect(alert).to_have_text("gone.pdf: no such job: Nothing has this id.")
    shown.expect("gone.pdf", "no longer kept")


def test_a_job_is_cancelled_and_an_ended_one_is_deleted(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.add(HOSTILE)
    page = shown.page
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(server.url)
    shown.press(HOSTILE, "Cancel")
    shown.expect(HOSTILE, "cancelled")
    shown.press(HOSTILE, "Delete")
    sync_api.expect(shown.row(HOSTILE)).to_have_count(0)
    assert service.jobs == {}
    assert page.title() == "pdfingest"
    assert shown.said == []


def test_what_fails_without_a_network_says_so_in_words(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.add("old.pdf", "done")
    service.add("open.pdf")
    page, alert = shown.page, shown.page.locator("#problem")
    page.goto(server.url)
    shown.expect("old.pdf", "done")
    server.stop()
    link = page.locator("#connection")
    sync_api.expect(link).to_have_text("The service cannot be reached. Trying again…")
    shown.press("old.pdf", "Text")
    sync_api.expect(alert).to_have_text("old.pdf: The service cannot be reached.")
    page.get_by_role("button", name="old.pdf", exact=True).click()
    sync_api.expect(page.locator("#text")).to_have_text("The service cannot be reached.")
    server.start()
    sync_api.expect(link).to_be_hidden(timeout=40_000)


def test_an_answer_that_is_no_json_is_told(
    shown: Shown, service: FakeService, server: Server
) -> None:
    page = shown.page
    page.route("**/v1/jobs?*", lambda route: route.fulfill(body="<html>Log in</html>"))
    page.goto(server.url)
    link = page.locator("#connection")
    sync_api.expect(link).to_contain_text("The answer was not understood.")
    service.add("a.pdf")
    page.unroute("**/v1/jobs?*")
    shown.expect("a.pdf", "queued")
