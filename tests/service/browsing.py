"""A browser that shows the page, and what a test does in it."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from .conftest import unique

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
needs_browser = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium"),
]
HOSTILE = "<img src=x onerror=document.title='owned'>.pdf"
_DROP = """
(files) => {
  const data = new DataTransfer();
  for (const [name, text] of files) data.items.add(new File([text], name));
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

    def expect(self, name: str, text: str, seconds: float = 10) -> None:
        sync_api.expect(self.row(name)).to_contain_text(text, timeout=1000 * seconds)

    def press(self, name: str, button: str) -> None:
        self.row(name).get_by_role("button", name=f"{button} {name}", exact=True).click()

    def drop(self, *names: str, content: str = "") -> None:
        files = [[name, content or unique().decode()] for name in names]
        self.page.evaluate(_DROP, files)

    def totals(self) -> dict[str, str]:
        names = self.page.locator("#totals dt").all_inner_texts()
        return dict(zip(names, self.page.locator("#totals dd").all_inner_texts(), strict=True))

    def names(self) -> Sequence[str]:
        return list(self.page.locator("tbody button.name").all_inner_texts())


def launch() -> Iterator[Any]:
    """Start the browser; the body of a fixture."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def show(browser: Any) -> Iterator[Shown]:
    """Open a tab with nothing kept from earlier ones; the body of a fixture."""
    context = browser.new_context()
    shown = Shown(context.new_page())
    shown.page.on("pageerror", lambda error: shown.said.append(f"error: {error}"))
    shown.page.on(
        "console", lambda m: shown.said.append(m.text) if m.type in ("error", "warning") else None
    )
    yield shown
    context.close()
