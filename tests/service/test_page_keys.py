"""When the page asks for a key, and what it does with one that may not do all."""

from collections.abc import Iterator
from typing import Any

import pytest

from conftest import wait_for

from . import browsing, page_server
from .browsing import Shown, needs_browser, sync_api
from .page_server import FakeService, Server, problem

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


def give(shown: Shown, key: str) -> None:
    shown.page.get_by_label("API key").fill(key)
    shown.page.keyboard.press("Enter")


def test_files_wait_for_a_key_and_are_sent_with_it(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.keys = {"right": {"ingest", "read"}}
    shown.page.goto(server.url)
    form = shown.page.locator("#key")
    sync_api.expect(form).to_contain_text("This service needs an API key.")
    shown.drop(*(f"{number}.pdf" for number in range(6)))
    shown.expect("0.pdf", "waits for an API key")
    give(shown, "wrong")
    sync_api.expect(form).to_contain_text("This key is not known to the service.")
    give(shown, "ö")
    sync_api.expect(form).to_contain_text("ASCII only")
    give(shown, "right")
    for number in range(6):
        shown.expect(f"{number}.pdf", "queued")
    sync_api.expect(form).to_be_hidden()
    assert len(service.jobs) == 6
    assert "right" not in shown.page.url


def test_a_key_that_may_not_read_still_sends(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.keys = {"drop": {"ingest"}, "all": {"ingest", "read"}}
    shown.page.goto(server.url)
    give(shown, "drop")
    sync_api.expect(shown.page.locator("#key")).to_contain_text("The key lacks the scope `read`.")
    shown.drop("blind.pdf")
    shown.expect("blind.pdf", "This key may not read its state.")
    asked = service.count("GET", "/v1/jobs")
    shown.page.wait_for_timeout(2500)
    assert service.count("GET", "/v1/jobs") == asked, "it is not asked again in vain"
    give(shown, "all")
    shown.expect("blind.pdf", "queued")


def test_a_key_that_is_withdrawn_leaves_no_job_as_queued(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.keys = {"old": {"ingest", "read"}}
    shown.page.goto(server.url)
    give(shown, "old")
    shown.drop("mine.pdf")
    shown.expect("mine.pdf", "queued")
    service.keys = {"new": {"ingest", "read"}}
    shown.expect("mine.pdf", "This key may not read its state.")
    sync_api.expect(shown.page.locator("#key")).to_contain_text("not known to the service")
    give(shown, "new")
    shown.expect("mine.pdf", "queued")


def test_a_key_that_may_not_send_is_asked_to_be_replaced(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.keys = {"look": {"read"}, "all": {"ingest", "read"}}
    service.add("seen.pdf", "done")
    shown.page.goto(server.url)
    give(shown, "look")
    shown.expect("seen.pdf", "done")
    shown.drop("mine.pdf")
    shown.expect("mine.pdf", "waits for an API key")
    sync_api.expect(shown.page.locator("#key")).to_contain_text("The key lacks the scope `ingest`.")
    give(shown, "all")
    shown.expect("mine.pdf", "queued")


def test_jobs_of_another_key_are_not_shown_any_more(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.keys = {"ann": {"read"}, "bob": {"read"}}
    service.add("of ann.pdf", "done")
    page = shown.page
    page.goto(server.url)
    give(shown, "ann")
    shown.expect("of ann.pdf", "done")
    service.jobs.clear()
    service.add("of bob.pdf", "done")
    page.get_by_role("button", name="Change the API key").click()
    give(shown, "bob")
    shown.expect("of bob.pdf", "done")
    assert shown.names() == ["of bob.pdf"]


def test_a_refusal_that_no_key_can_help_asks_for_none(
    shown: Shown, service: FakeService, server: Server
) -> None:
    service.refusals = [problem(403, "another site", "Only this machine may ask.")]
    shown.page.goto(server.url)
    shown.drop("a.pdf")
    shown.expect("a.pdf", "another site: Only this machine may ask.")
    sync_api.expect(shown.page.locator("#key")).to_be_hidden()
    wait_for(lambda: service.count("GET", "/v1/jobs") >= 1)
