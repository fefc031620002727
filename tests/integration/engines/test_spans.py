"""PDFium says where text stands: ends, baselines, sizes, fonts, directions, gaps, bullets."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fpdf import FPDF

from pdfingest.engines.pdfium import open_document
from pdfingest.page.order import reading_order
from pdfingest.pages import Page, Span

LINES = ["The first line of a page", "The second line of it", "The third and last line"]
Draw = Callable[[FPDF], None]


def layout(path: Path, draw: Draw, *, marked: bool = False) -> Page:
    pdf = FPDF(unit="pt", format="A4")
    pdf.set_auto_page_break(auto=False)
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    draw(pdf)
    pdf.output(str(path))
    return opened(path, marked=marked)


def opened(path: Path, *, marked: bool = False) -> Page:
    document = open_document(str(path), [])
    page = document.layout(1, marked=marked, ruled=False)
    document.close()
    return page


def lines(pdf: FPDF) -> None:
    for number, line in enumerate(LINES):
        pdf.text(72, 100 + 16 * number, line)


def texts(page: Page) -> list[str]:
    return [span.text for span in page.spans]


def test_a_line_is_a_span_with_its_place_and_size(tmp_path: Path) -> None:
    page = layout(tmp_path / "a.pdf", lines)
    assert texts(page) == LINES
    first, second, _ = page.spans
    assert first.left == pytest.approx(72, abs=0.1)
    assert first.right == pytest.approx(72 + 118.7, abs=0.2)
    assert second.baseline - first.baseline == pytest.approx(16, abs=0.1)
    assert first.size == pytest.approx(12, abs=0.01)
    assert page.box.bottom - page.box.top == pytest.approx(842, abs=1)
    assert first.baseline - page.box.top == pytest.approx(100, abs=1)


def test_fonts_are_told(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        for number, (family, style) in enumerate(
            (("Times", "B"), ("Helvetica", "I"), ("Courier", ""))
        ):
            pdf.set_font(family, style, 12)
            pdf.text(72, 100 + 30 * number, LINES[number])

    fonts = [span.font for span in layout(tmp_path / "a.pdf", draw).spans]
    assert [font.is_bold for font in fonts] == [True, False, False]
    assert [font.is_italic for font in fonts] == [False, True, False]
    assert [font.is_fixed for font in fonts] == [False, False, True]


def test_a_line_ends_where_a_gap_is_wide(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.text(72, 100, "North")
        pdf.text(200, 100, "12")
        pdf.text(300, 100, "1,204")

    assert texts(layout(tmp_path / "a.pdf", draw)) == ["North", "12", "1,204"]


def test_the_wide_spaces_of_a_justified_line_are_no_gaps(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        for number, word in enumerate(["these", "words", "stand", "apart"]):
            pdf.text(72 + 50 * number, 100, word)

    (span,) = layout(tmp_path / "a.pdf", draw).spans
    assert span.text.split() == ["these", "words", "stand", "apart"]


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turning_the_page_changes_neither_text_nor_order(tmp_path: Path, turn: int) -> None:
    path = tmp_path / "a.pdf"
    layout(path, lines)
    path.write_bytes(
        path.read_bytes().replace(b"/Type /Page\n", b"/Type /Page /Rotate %d\n" % turn)
    )
    found = opened(path)
    assert [line.text for line in reading_order(found.spans)] == LINES


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_words_that_are_drawn_one_by_one_stay_in_order_on_a_page_that_is_turned(
    tmp_path: Path, turn: int
) -> None:
    def draw(pdf: FPDF) -> None:
        for number, line in enumerate(LINES):
            for place, word in enumerate(line.split()):
                pdf.text(72 + 60 * place, 100 + 16 * number, word)

    path = tmp_path / "a.pdf"
    layout(path, draw)
    rotate = b"/Type /Page /Rotate %d\n" % turn
    path.write_bytes(path.read_bytes().replace(b"/Type /Page\n", rotate))
    assert opened(path).text.split() == " ".join(LINES).split()


def test_a_line_that_begins_bold_is_not_bold(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        for style, text in (("B", "Minimize the dependencies: "), ("", "where it can be done")):
            pdf.set_font("Helvetica", style, 12)
            pdf.write(text=text)

    (span,) = layout(tmp_path / "a.pdf", draw).spans
    assert not span.font.is_bold


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_what_is_drawn_turned_is_read_in_its_own_direction(tmp_path: Path, angle: int) -> None:
    def draw(pdf: FPDF) -> None:
        with pdf.rotation(angle, 300, 400):
            lines(pdf)

    page = layout(tmp_path / "a.pdf", draw)
    assert {span.angle for span in page.spans} == {angle}
    assert [line.text for line in reading_order(page.spans)] == LINES
    first, second, _ = reading_order(page.spans)
    assert second.baseline - first.baseline == pytest.approx(16, abs=0.1)


def bulleted(pdf: FPDF) -> None:
    for number, line in enumerate(LINES):
        pdf.ellipse(60, 94 + 16 * number, 4, 4, style="F")
        pdf.text(72, 100 + 16 * number, line)


def test_bullets_that_are_drawn_stand_before_their_lines(tmp_path: Path) -> None:
    assert texts(layout(tmp_path / "a.pdf", bulleted, marked=True)) == [
        f"• {line}" for line in LINES
    ]


def test_bullets_are_not_looked_for_where_nobody_asks(tmp_path: Path) -> None:
    assert texts(layout(tmp_path / "a.pdf", bulleted)) == LINES


def test_lines_and_frames_are_no_bullets(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        lines(pdf)
        pdf.rect(60, 80, 300, 100)
        pdf.line(60, 101, 70, 101)

    assert texts(layout(tmp_path / "a.pdf", draw, marked=True)) == LINES


def test_spans_say_all_of_the_text(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        lines(pdf)
        pdf.text(72, 300, "25 km")
        pdf.set_font_size(7)
        pdf.text(105, 296, "2")

    page = layout(tmp_path / "a.pdf", draw)
    assert "".join(map(squeezed, page.spans)) == "".join(page.text.split())


def squeezed(span: Span) -> str:
    return "".join(span.text.split())
