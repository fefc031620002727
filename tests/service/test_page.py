"""The page as a browser shows it: files by button and by drop, the text, the keyboard, a phone."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from pdfingest.service.store import Store
from pdfingest.service.ticket import State
from pdfingest.service.tickets import Tickets

from .conftest import Serve, end, send, unique

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium"),
]
HOSTILE = "<img src=x onerror=document.title='owned'>.pdf"
DROP = """
([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, { type: "application/pdf" }));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true }));
}
"""


@dataclass
class Shown:
    """A page in a browser, and what it complained of."""

    page: Any
    said: list[str] = field(default_factory=list)

    def row(self, name: str) -> Any:
        return self.page.locator("tbody tr").filter(has_text=name)

    def expect(self, name: str, text: str) -> None:
        sync_api.expect(self.row(name)).to_contain_text(text, timeout=10_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shown(browser: Any) -> Iterator[Shown]:
    context = browser.new_context()
    shown = Shown(context.new_page())
    shown.page.on("pageerror", lambda error: shown.said.append(f"error: {error}"))
    shown.page.on(
        "console", lambda m: shown.said.append(m.text) if m.type in ("error", "warning") else None
    )
    yield shown
    context.close()


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
    assert tickets.claim(ticket_id, "other", 0.1, 3) == "claimed"
    assert tickets.extend(ticket_id, "other", 0.1, 3, 8)
    shown.expect(HOSTILE, "3 of 8")
    record = {"text": "<b>Bonjour</b>", "metadata": {"page": 1}}
    end(tickets, store, link, records=json.dumps(record).encode() + b"\n")
    shown.expect(HOSTILE, "done")
    shown.expect(HOSTILE, "40.0 MiB")
    shown.row(HOSTILE).get_by_role("button", name=HOSTILE).click()
    sync_api.expect(page.locator("#text pre")).to_have_text("<b>Bonjour</b>")
    assert page.locator("#text h3").inner_text() == "Page 1"
    assert page.title() == "pdfingest"
    assert shown.said == []


def test_a_dropped_file_is_sent(shown: Shown, api: str) -> None:
    shown.page.goto(api)
    shown.page.evaluate(DROP, ["dropped.pdf", unique().decode()])
    shown.expect("dropped.pdf", "queued")
    shown.row("dropped.pdf").get_by_role("button", name="Cancel").click()
    shown.expect("dropped.pdf", "cancelled")
    assert shown.said == []


def test_a_refused_file_is_shown_with_the_reason(shown: Shown, api: str) -> None:
    shown.page.goto(api)
    shown.page.evaluate(DROP, ["odd.pdf", "no PDF at all"])
    shown.expect("odd.pdf", "refused")
    sync_api.expect(shown.page.get_by_role("alert")).to_contain_text("odd.pdf: not a PDF")


def test_a_failed_file_is_shown_with_the_reason(
    shown: Shown, api: str, tickets: Tickets, store: Store
) -> None:
    send(api, name="locked.pdf")
    end(tickets, store, last_link(api), State.FAILED, failure="encrypted")
    shown.page.goto(api)
    shown.expect("locked.pdf", "failed (encrypted)")
    shown.row("locked.pdf").get_by_role("button").first.click()
    sync_api.expect(shown.page.locator("#text")).to_contain_text("encrypted")
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
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme=scheme)
    page.goto(api)
    shown.expect(f"two words {scheme}.pdf", "40.0 MiB")
    shown.row(f"two words {scheme}.pdf").get_by_role("button").first.click()
    sync_api.expect(page.locator("#text pre")).to_contain_text("yyy")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
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
    sync_api.expect(page.get_by_role("alert")).to_contain_text("key")
    page.get_by_label("API key").fill("secret")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#key")).to_be_hidden()
    page.reload()
    page.evaluate(DROP, ["mine.pdf", unique().decode()])
    shown.expect("mine.pdf", "queued")
    assert page.evaluate("document.cookie + localStorage.length") == "0"
