"""The pictures as a browser shows them: offline, without errors, legible on a phone."""

import csv
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from faulty import write_pdf

from conftest import environment
from pdfingest.report.costs import Costs, FileCost
from pdfingest.report.figures import Figures

pytest.importorskip("bokeh")
sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="needs chromium")]
HOSTILE = "</script><img src=x onerror=document.title='owned'>.pdf"
QUOTED = "\" onmouseover=\"document.title='owned'\" title='`${1}<%- 2 %>&lt;"
"""Hostile as the value of an attribute and in a template."""


@dataclass
class Shown:
    """A page in a browser, and what it complained of."""

    page: Any
    said: list[str] = field(default_factory=list)
    opened_s: float = 0.0

    def column(self, heading: str) -> list[str]:
        """The cells of the table that are in view, by the heading of their column."""
        headings = self.page.locator(".slick-header-column").all_inner_texts()
        number = [each.strip() for each in headings].index(heading)
        texts: list[str] = self.page.locator(f".slick-cell.l{number}").all_inner_texts()
        return texts

    def headings(self) -> list[str]:
        """The headings of the page's parts."""
        texts: list[str] = self.page.locator("h2").all_inner_texts()
        return texts

    def show(self, path: Path, width: int = 1280) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})
        began_s = time.monotonic()
        self.page.goto(path.as_uri())
        self.page.wait_for_function("window.Bokeh?.documents[0]?.is_idle")
        self.opened_s = time.monotonic() - began_s


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser; each test has a context of its own in it."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def shown(browser: Any) -> Iterator[Shown]:
    """A page of the browser that notes errors and requests."""
    shown = Shown(browser.new_page())
    page, said = shown.page, shown.said
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("console", lambda m: said.append(m.text) if m.type in ("error", "warning") else 0)
    page.on(
        "request",
        lambda r: None if r.url.startswith(("file:", "data:")) else said.append(r.url),
    )
    yield shown
    page.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures of a run, one of whose files is hostile by its name."""
    pdfs, out = (tmp_path_factory.mktemp(name) for name in ("pdfs", "out"))
    for number in range(60):
        write_pdf(pdfs / f"{number}.pdf", pages=1 + number % 5)
    write_pdf(pdfs / HOSTILE.replace("/", "\u2215"))
    write_pdf(pdfs / "bad.pdf", fault="raises")
    words = ["run", str(pdfs), "-o", str(out), "--engine", "faulty", "-w", "2", "-q", "--html"]
    command = [sys.executable, "-m", "pdfingest", *words]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 1, done.stderr
    return out / "report.html"


INK = """() => [...document.querySelectorAll('*')].flatMap(function all(e) {
    return [...(e.shadowRoot ? [...e.shadowRoot.querySelectorAll('*')].flatMap(all) : []),
            ...(e.tagName == 'CANVAS' ? [e] : [])] })
  .filter(c => c.width > 100).map(c => {
    const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; let n = 0;
    for (let i = 0; i < d.length; i += 4)
      if (d[i+3] > 100 && Math.abs(d[i] - d[i+2]) > 50) n++;
    return n; })"""
"""Coloured pixels of each picture."""


@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_without_errors_and_without_the_network(
    shown: Shown, report: Path, width: int
) -> None:
    shown.show(report, width)
    assert shown.said == []
    assert shown.page.title() == f"pdfingest: {report.parent}"
    inked = [ink for ink in shown.page.evaluate(INK) if ink > 50]
    assert len(inked) >= 5, "two curves, two scatters, times"
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    shown.page.screenshot(path=report.with_suffix(f".{width}.png"), full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_as_light_or_dark_as_the_screen(shown: Shown, report: Path, scheme: str) -> None:
    shown.page.emulate_media(color_scheme=scheme)
    shown.show(report)
    for selector in ("html", ".slick-cell", ".slick-header-column", "h1"):
        part = shown.page.locator(selector).first
        ink = part.evaluate("e => getComputedStyle(e).color")
        assert brightness(ink) > 200 if scheme == "dark" else brightness(ink) < 60, selector
    axis = shown.page.evaluate(
        """() => Object.values(Bokeh.index)[0].model.children
            .find(model => model.below).below[0].major_label_text_color"""
    )
    assert axis == ("#ddd" if scheme == "dark" else "#222")


def brightness(color: str) -> float:
    """Of a colour as browsers write it, `rgb(0, 0, 0)`, from 0 to 255."""
    red, green, blue = map(int, color.removeprefix("rgb(").removesuffix(")").split(","))
    return (red + green + blue) / 3


def test_hovering_names_the_file(shown: Shown, report: Path) -> None:
    shown.show(report)
    x, y = shown.page.evaluate(
        """() => { const plots = [...Bokeh.index[Object.keys(Bokeh.index)[0]].child_views]
            .filter(v => v.model.type == 'Figure' || v.model.type == 'Plot');
          const view = plots[2], glyphs = view.model.renderers[0], data = glyphs.data_source.data;
          const i = data.failure.findIndex(f => f);
          view.el.scrollIntoView({block: 'center'});
          const box = view.canvas_view.el.getBoundingClientRect();
          const {x_scale, y_scale} = view.frame;
          return [box.left + x_scale.compute(data.size[i]),
                  box.top + y_scale.compute(data.peak[i])]; }"""
    )
    shown.page.mouse.move(x, y)
    shown.page.mouse.move(x + 1, y)
    shown.page.get_by_text("bad.pdf").first.wait_for(timeout=5000)
    assert shown.page.get_by_text("of its own").first.is_visible()


def test_the_table_filters_and_sorts(shown: Shown, report: Path) -> None:
    shown.show(report)
    shown.page.locator("input").last.fill("engine_error")
    shown.page.wait_for_function(ROWS, arg=1)
    assert shown.column("file") == ["bad.pdf"]
    shown.page.locator("input").last.fill("")
    shown.page.wait_for_function(f"number => !({ROWS})(number)", arg=1)
    pages = [float(text) for text in shown.column("pages")]
    assert pages != sorted(pages)
    assert len(pages) > 5
    shown.page.locator(".slick-header-column", has_text="pages").click()
    shown.page.locator(".slick-sort-indicator-asc").wait_for()
    pages = [float(text) for text in shown.column("pages")]
    assert pages == sorted(pages)


def cost(source: str, **more: Any) -> FileCost:
    """A file that was ingested, unless told otherwise."""
    usual: dict[str, Any] = {
        "status": "ok",
        "failure": "",
        "message": "",
        "size_bytes": 1000,
        "pages": 3,
        "pages_failed": 0,
        "peak_bytes": 30 << 20,
        "baseline_bytes": 20 << 20,
        "wall_s": 0.1,
        "cpu_s": 0.1,
    }
    return FileCost(source, **usual | more)


def failed(source: str, **more: Any) -> FileCost:
    """A file that crashed."""
    lost = {"status": "failed", "failure": "crashed", "message": "SIGSEGV", "pages": 0}
    return cost(source, **lost | more)


def write(path: Path, costs: Iterable[FileCost], title: str = "t", line: str = "") -> Path:
    """Make the page of these files."""
    from pdfingest.report.html import render  # noqa: PLC0415 - needs the extra

    with Figures(Costs(costs)) as figures:
        path.write_text(render(figures, title, [line]), encoding="utf-8")
    return path


@pytest.mark.parametrize("hostile", [HOSTILE, QUOTED])
def test_hostile_text_is_text(shown: Shown, tmp_path: Path, hostile: str) -> None:
    costs = [failed(hostile, message=hostile)]
    shown.show(write(tmp_path / "report.html", costs, hostile, hostile))
    assert shown.page.title() == hostile
    assert (shown.column("file"), shown.column("message")) == ([hostile], [hostile])
    for text in shown.page.locator(".slick-cell span").all():
        assert text.get_attribute("title") == hostile
        text.hover()
    assert shown.page.title() == hostile
    assert shown.said == []


def test_the_table_has_the_figures_as_they_are(shown: Shown, tmp_path: Path) -> None:
    costs = [
        failed("failed.pdf", size_bytes=0, wall_s=0.0),
        cost("partial.pdf", status="partial", failure="timeout", pages=2, pages_failed=7),
        cost("ok.pdf", pages=1234),
        cost("gone.pdf", status="gone", pages=0, peak_bytes=0, wall_s=0.0),
        cost("news.pdf", status="what a later version says"),
    ]
    shown.show(write(tmp_path / "report.html", costs))
    assert shown.said == []
    rows = dict(zip(shown.column("file"), shown.column("pages"), strict=True))
    assert rows == {
        "failed.pdf": "0",
        "partial.pdf": "9",
        "ok.pdf": "1,234",
        "gone.pdf": "0",
        "news.pdf": "3",
    }
    lost = dict(zip(shown.column("file"), shown.column("lost"), strict=True))
    assert (lost["partial.pdf"], lost["ok.pdf"]) == ("7", "0")
    assert shown.column("KiB")[shown.column("file").index("failed.pdf")] == "0"
    assert shown.column("ms")[shown.column("file").index("failed.pdf")] == "0"


def test_the_filter_finds_messages(shown: Shown, tmp_path: Path) -> None:
    costs = [cost("a.pdf"), failed("b.pdf", message="No Memory"), failed("c.pdf")]
    shown.show(write(tmp_path / "report.html", costs))
    shown.page.locator("input").last.fill("no mem")
    shown.page.wait_for_function(ROWS, arg=1)
    assert (shown.column("file"), shown.column("message")) == (["b.pdf"], ["No Memory"])


def test_what_is_filtered_is_exported_and_no_text_becomes_a_formula(
    shown: Shown, tmp_path: Path
) -> None:
    quoted = failed("=1+1.pdf", message='said "no", and\nended')
    shown.show(write(tmp_path / "report.html", [cost("a.pdf"), quoted, failed("c.pdf")]))
    shown.page.locator("input").last.fill("said")
    shown.page.wait_for_function(ROWS, arg=1)
    with shown.page.expect_download() as download:
        shown.page.get_by_role("button", name="Export these as CSV").click()
    path = tmp_path / "files.csv"
    download.value.save_as(path)
    with open(path, encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["file"] == "'=1+1.pdf"
    assert row["message"] == 'said "no", and\\nended'
    assert (row["status"], row["pages"], row["peak MiB"]) == ("failed", "0", "30")


def test_names_are_seen_in_full_where_there_is_room(shown: Shown, tmp_path: Path) -> None:
    name = "contracts/2026/a rather long name of a folder/and of a file.pdf"
    shown.show(write(tmp_path / "report.html", [cost(name)]))
    cell = shown.page.locator(".slick-cell.l0").first
    assert cell.inner_text() == name
    assert cell.evaluate("e => e.scrollWidth <= e.clientWidth")


ROWS = """number => document.querySelector('*') && [...document.querySelectorAll('*')].flatMap(
  function all(e) { return [e, ...(e.shadowRoot
    ? [...e.shadowRoot.querySelectorAll('*')].flatMap(all) : [])] })
  .filter(e => e.classList.contains('slick-row')).length == number"""
"""Whether the table shows so many rows."""


def test_a_hundred_thousand_files_are_all_in_the_table(shown: Shown, tmp_path: Path) -> None:
    costs = (
        cost(
            f"some/folder/with a name/file-{number:06}.pdf",
            size_bytes=1000 + 7 * number,
            pages=1 + number % 90,
            peak_bytes=(20 << 20) + 991 * number,
            wall_s=0.001 * (1 + number % 800),
        )
        for number in range(99_990)
    )
    lost = (failed(f"lost-{number}.pdf", message="x" * 5000) for number in range(10))
    path = write(tmp_path / "report.html", [*costs, *lost])
    assert path.stat().st_size < 12_000_000
    shown.show(path)
    assert shown.said == []
    # 4 s on a quiet machine; the test must not fail on a busy one.
    print(f"{path.stat().st_size:,} bytes open in {shown.opened_s:.2f} s")
    assert shown.opened_s < 20
    assert shown.headings()[-1] == "Files"
    assert "Peak against pages: 10,000 of 100,000 files" in shown.headings()
    assert shown.column("file")[:10] == [f"lost-{number}.pdf" for number in range(10)]
    shown.page.locator("input").last.fill("file-049999.pdf")
    shown.page.wait_for_function(ROWS, arg=1)
    assert shown.column("file") == ["some/folder/with a name/file-049999.pdf"]


@pytest.fixture
def table_of_1000(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages whose table has a thousand rows, and not a hundred thousand."""
    monkeypatch.setattr("pdfingest.report.plots.MOST_ROWS", 1000)


@pytest.mark.usefixtures("table_of_1000")
def test_a_table_that_is_a_part_says_so_and_has_all_losses(shown: Shown, tmp_path: Path) -> None:
    costs = (cost(f"{number}.pdf", peak_bytes=number) for number in range(1, 1201))
    lost = (failed(f"lost-{number}.pdf", peak_bytes=0) for number in range(300))
    path = write(tmp_path / "report.html", [*costs, *lost])
    shown.show(path)
    assert shown.headings()[-1] == (
        "Files: 1,000 of 1,500, with all 300 that lost pages. report.jsonl has every file"
    )
    assert path.read_text(encoding="utf-8").count('"lost-') == 300
    shown.page.locator("input").last.fill("1200.pdf")
    shown.page.wait_for_function(ROWS, arg=1)
    assert shown.column("file") == ["1200.pdf"], "the highest peak"


@pytest.mark.usefixtures("table_of_1000")
def test_losses_that_are_too_many_for_the_table_are_counted(tmp_path: Path) -> None:
    lost = (failed(f"{number}.pdf") for number in range(1005))
    page = write(tmp_path / "report.html", [*lost, cost("ok.pdf")]).read_text(encoding="utf-8")
    assert (
        "Files: 1,000 of 1,006, with 1,000 of the 1,005 that lost pages. report.jsonl has every "
        "file"
    ) in page
