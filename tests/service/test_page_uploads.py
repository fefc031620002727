"""What the page does with files that the service takes, puts off, refuses or never gets."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from conftest import wait_for

from . import browsing, page_server
from .browsing import HOSTILE, Shown, needs_browser, sync_api
from .page_server import FakeService, Server, problem

pytestmark = needs_browser
NETWORK = "Failed to fetch", "NetworkError", "net::"


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


def test_files_are_shown_at_once_and_four_are_sent_at_a_time(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.gate.clear()
    shown.page.goto(server.url)
    names = [f"file {number:02}.pdf" for number in range(30)]
    shown.drop(*names)
    assert shown.names() == names
    shown.expect("file 29.pdf", "waits to be sent")
    wait_for(lambda: service.inside == 4)
    service.gate.set()
    wait_for(lambda: len(service.sent) == 30)
    shown.expect("file 29.pdf", "queued")
    assert service.most_inside == 4
    assert shown.said == []


def test_a_full_queue_puts_files_off_as_long_as_it_says(
    shown: Shown, service: FakeService, server: Server
) -> None:
    full = problem(503, "queue full", "Too many files are waiting.", Retry_After="2")
    many = problem(429, "too many requests", Retry_After="1")
    service.refusals = [full, many]
    shown.page.goto(server.url)
    shown.drop("later.pdf")
    shown.expect("later.pdf", "sent again in 2 s")
    shown.expect("later.pdf", "queue full: Too many files are waiting.")
    shown.expect("later.pdf", "queued")
    assert service.count("POST", "/v1/jobs") == 3
    sent = [a.headers["idempotency-key"] for a in service.asked if a.method == "POST"]
    assert len(set(sent)) == 1, "one file is one job, however often it is sent"


def test_one_file_that_is_put_off_holds_the_others_back(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.refusals = [problem(503, "queue full", Retry_After="3")]
    shown.page.goto(server.url)
    shown.drop("first.pdf")
    shown.expect("first.pdf", "sent again in")
    shown.drop("second.pdf", "third.pdf")
    shown.expect("third.pdf", "sent again in")
    assert service.count("POST", "/v1/jobs") == 1
    shown.expect("third.pdf", "queued")


def test_each_refused_file_has_its_reason(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.refusals = [
        problem(415, "not a PDF", "The first KiB does not hold %PDF-."),
        PlainTextResponse("<html>Request Entity Too Large</html>", 413),
    ]
    shown.page.goto(server.url)
    shown.drop("a.pdf")
    shown.expect("a.pdf", "not a PDF: The first KiB does not hold %PDF-.")
    shown.drop(HOSTILE)
    shown.expect(HOSTILE, "It is larger than the service, or a proxy before it, takes.")
    shown.press(HOSTILE, "Send again")
    shown.expect(HOSTILE, "queued")
    shown.press("a.pdf", "Remove")
    sync_api.expect(shown.row("a.pdf")).to_have_count(0)
    assert shown.page.title() == "pdfingest"


def test_a_service_that_is_away_is_told_in_words_and_waited_for(
    shown: Shown, service: FakeService, server: Server
) -> None:
    page, link = shown.page, shown.page.locator("#connection")
    job_id = service.add("old.pdf")
    page.goto(server.url)
    shown.expect("old.pdf", "queued")
    server.stop()
    shown.drop("new.pdf")
    sync_api.expect(link).to_have_text("The service cannot be reached. Trying again…")
    shown.expect("new.pdf", "waits for the service")
    text = page.locator("body").inner_text()
    assert not [word for word in NETWORK if word in text]
    service.end(job_id)
    server.start()
    shown.expect("new.pdf", "queued", 20)
    shown.expect("old.pdf", "done", 40)
    sync_api.expect(link).to_be_hidden()
    assert len(service.sent) == 1


def test_a_file_on_which_the_connection_always_breaks_is_given_up(
    shown: Shown, server: Server
) -> None:
    page, tries = shown.page, list[str]()

    def abort(route: Any) -> None:
        if route.request.method == "POST":
            tries.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    page.route("**/v1/jobs", abort)
    page.goto(server.url)
    shown.drop("huge.pdf")
    shown.expect("huge.pdf", "The connection broke 5 times while it was sent.")
    assert len(tries) == 5


def test_options_go_with_the_files_that_come_after_them(
    shown: Shown, service: FakeService, server: Server
) -> None:
    page = shown.page
    page.goto(server.url)
    shown.drop("plain.pdf")
    shown.expect("plain.pdf", "queued")
    page.get_by_text("Options for the next files").click()
    page.get_by_label("Engine").fill("pypdf,pdfium")
    page.get_by_label("Records").select_option("document")
    page.get_by_label("Text", exact=True).select_option("markdown")
    page.get_by_label("Tables").check()
    page.get_by_label("Read scans by OCR").check()
    page.get_by_label("Password", exact=True).fill("one, with a comma")
    page.get_by_role("button", name="Another password").click()
    page.keyboard.type("two")
    shown.drop("chosen.pdf")
    shown.expect("chosen.pdf", "queued")
    chosen = {"engine": ["pypdf,pdfium"], "unit": ["document"], "format": ["markdown"]}
    passwords = ["one, with a comma", "two"]
    flags = {"tables": ["true"], "ocr": ["auto"]}
    assert service.sent == [{}, {**chosen, **flags, "password": passwords}]
    assert not [asked for asked in service.asked if "comma" in asked.path + asked.query]


def test_a_file_that_waits_can_be_taken_back(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.gate.clear()
    shown.page.goto(server.url)
    shown.drop(*(f"{number}.pdf" for number in range(6)))
    wait_for(lambda: service.inside == 4)
    shown.press("5.pdf", "Cancel")
    sync_api.expect(shown.row("5.pdf")).to_have_count(0)
    service.gate.set()
    for number in range(5):
        shown.expect(f"{number}.pdf", "queued")
    assert sorted(job["name"] for job in service.jobs.values()) == [f"{n}.pdf" for n in range(5)]


def test_a_file_that_is_being_sent_can_be_taken_back(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.gate.clear()
    shown.page.goto(server.url)
    shown.drop("mine.pdf", "other.pdf")
    wait_for(lambda: service.inside == 2)
    shown.press("mine.pdf", "Cancel")
    shown.drop("last.pdf")
    wait_for(lambda: service.inside == 3)
    service.gate.set()
    shown.expect("last.pdf", "queued")
    shown.page.wait_for_timeout(1500)  # a broken connection would be tried again within a second
    assert service.count("POST", "/v1/jobs") == 3
