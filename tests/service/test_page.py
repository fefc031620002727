"""The page as a browser shows it: files by button and by drop, the text, the keyboard, a phone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pdfingest.service.store import Store
from pdfingest.service.ticket import State
from pdfingest.service.tickets import Tickets

from . import browsing
from .browsing import HOSTILE, Shown, needs_browser, sync_api
from .conftest import Serve, end, send, unique

pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    yield from browsing.launch()


@pytest.fixture
def shown(browser: Any) -> Iterator[Shown]:
    yield from browsing.show(browser)


def as_file(name: str) -> dict[str, Any]:
    return {"name": name, "mimeType": "application/pdf", "buffer": unique()}


def last_link(api: str) -> str:
    link = httpx.get(f"{api}/v1/jobs").json()["jobs"][0]["links"]["self"]
    assert isinstance(link, str)
    return link


def test_a_file_is_chosen_followed_and_read(
    shown: Shown, api: str, tickets: Tickets, store: Store
) -> None:
    page = shown.page
    page.goto(api)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose PDFs").click()
    chooser.value.set_files([as_file(HOSTILE)])
    shown.expect(HOSTILE, "queued")
    link = last_link(api)
    ticket_id = link.rpartition("/")[2]
    assert tickets.claim(ticket_id, "other", 0.1, 3)[0] == "claimed"
    assert tickets.extend(ticket_id, "other", 0.1, 3, 8)
    shown.expect(HOSTILE, "3 of 8")
    record = {"text": "<b>Bonjour</b>", "metadata": {"page": 1}}
    end(tickets, store, link, records=json.dumps(record).encode() + b"\n")
    shown.expect(HOSTILE, "done")
    shown.expect(HOSTILE, "40.0 MiB")
    shown.row(HOSTILE).get_by_role("button", name=HOSTILE, exact=True).click()
    sync_api.expect(page.locator("#text pre")).to_have_text("<b>Bonjour</b>")
    assert page.locator("#text h3").inner_text() == "Page 1"
    assert page.title() == "pdfingest"
    assert shown.said == []


def test_a_dropped_file_is_sent(shown: Shown, api: str) -> None:
    shown.page.goto(api)
    shown.drop("dropped.pdf")
    shown.expect("dropped.pdf", "queued")
    shown.row("dropped.pdf").get_by_role("button", name="Cancel").click()
    shown.expect("dropped.pdf", "cancelled")
    assert shown.said == []


def test_a_refused_file_is_shown_with_the_reason(shown: Shown, api: str) -> None:
    shown.page.goto(api)
    shown.drop("odd.pdf", content="no PDF at all")
    shown.expect("odd.pdf", "refused")
    shown.expect("odd.pdf", "not a PDF")
    sync_api.expect(shown.page.get_by_role("alert")).to_contain_text("odd.pdf: not a PDF")


def test_a_failed_file_is_shown_with_the_reason(
    shown: Shown, api: str, tickets: Tickets, store: Store
) -> None:
    send(api, name="locked.pdf")
    end(tickets, store, last_link(api), State.FAILED, failure="encrypted")
    shown.page.goto(api)
    shown.expect("locked.pdf", "failed (encrypted)")
    shown.expect("locked.pdf", "no password opens it")
    assert shown.said == []


def test_a_file_is_chosen_and_read_with_the_keyboard_alone(
    shown: Shown, api: str, tickets: Tickets, store: Store
) -> None:
    send(api, name="keys.pdf")
    end(tickets, store, last_link(api))
    page, choosers = shown.page, list[Any]()
    # Listened for before the key is pressed; playwright marks what it calls, so no bound method.
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # noqa: PLW0108 - it gives None
    page.goto(api)
    shown.expect("keys.pdf", "done")

    def focus(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == name:
                return
        raise AssertionError(f"{name} has no focus")

    focus("Choose PDFs")
    page.keyboard.press("Enter")
    for _ in range(100):
        page.wait_for_timeout(50)  # also lets the browser tell
        if choosers:
            break
    assert len(choosers) == 1
    focus("keys.pdf")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#text pre")).to_have_text("one")
    assert page.evaluate("document.activeElement.id") == "result"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "keys.pdf"
    sync_api.expect(page.locator("#result")).to_be_hidden()
    assert shown.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(
    shown: Shown, api: str, tickets: Tickets, store: Store, scheme: str, tmp_path: Path
) -> None:
    for name in ("x" * 200 + ".pdf", f"two words {scheme}.pdf"):
        send(api, name=name)
        end(
            tickets, store, last_link(api), records=json.dumps({"text": "y" * 900}).encode() + b"\n"
        )
    send(api, name="third.pdf")
    page = shown.page
    page.set_viewport_size({"width": 320, "height": 700})
    page.emulate_media(color_scheme=scheme)
    page.goto(api)
    shown.expect(f"two words {scheme}.pdf", "40.0 MiB")
    shown.row(f"two words {scheme}.pdf").get_by_role("button").first.click()
    sync_api.expect(page.locator("#text pre")).to_contain_text("yyy")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    lines = "[...document.querySelectorAll('td > span')].map((x) => x.getClientRects().length)"
    assert set(page.evaluate(lines)) <= {1, 2}, "words are whole"
    page.screenshot(path=tmp_path / f"{scheme}.png", full_page=True)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    assert light == (scheme == "light")
    assert shown.said == []


def test_a_key_is_asked_for_and_kept_for_the_session(
    shown: Shown, serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "keys"
    path.write_text(
        # of "secret"
        "ann:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\n"
    )
    api, page = serve(API_KEYS_FILE=str(path)), shown.page
    page.goto(api)
    page.get_by_label("API key").fill("wrong")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#key")).to_contain_text("not known")
    page.get_by_label("API key").fill("secret")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#key")).to_be_hidden()
    page.reload()
    shown.drop("mine.pdf")
    shown.expect("mine.pdf", "queued")
    assert page.evaluate("document.cookie + localStorage.length") == "0"
