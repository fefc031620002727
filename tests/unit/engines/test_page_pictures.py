"""Pictures that PDFium draws of pages: their size, how they are turned, and what bounds them."""

from pathlib import Path

import pytest
from fpdf import FPDF

from pdfingest.engines.abilities import has_picture
from pdfingest.engines.pdfium import open_document
from pdfingest.engines.pdfium_picture import MOST_PIXELS, MOST_SIDE
from pdfingest.ocr.engine import Picture


def picture(
    path: Path,
    size: tuple[float, float] = (200, 100),
    *,
    dpi: float = 72,
    angle: float = 0,
    turn: int = 0,
) -> Picture:
    """A page that has a black square of 20 points in its left upper corner."""
    pdf = FPDF(unit="pt", format=size)
    pdf.add_page()
    pdf.rect(0, 0, 20, 20, style="F")
    content = bytes(pdf.output())
    if turn:
        content = content.replace(b"/Type /Page\n", b"/Type /Page\n/Rotate %d\n" % turn, 1)
    path.write_bytes(content)
    document = open_document(str(path), ())
    assert has_picture(document)
    try:
        return document.picture(1, dpi, angle)
    finally:
        document.close()


def black(drawn: Picture) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of what is black, as a list of one."""
    dark = [place for place, shade in enumerate(drawn.data) if shade < 128]
    rows, columns = {p // drawn.width for p in dark}, {p % drawn.width for p in dark}
    return [(min(columns), min(rows), max(columns) + 1, max(rows) + 1)]


def test_a_picture_has_a_byte_for_each_pixel_and_is_white_where_nothing_is_drawn(
    tmp_path: Path,
) -> None:
    drawn = picture(tmp_path / "a.pdf", dpi=144)
    assert (drawn.width, drawn.height, drawn.dpi) == (400, 200, 144)
    assert len(drawn.data) == 400 * 200
    assert drawn.data[-1] == 255
    assert black(drawn) == [(0, 0, 40, 40)]


@pytest.mark.parametrize(
    ("angle", "size", "where"),
    [
        (90, (100, 200), (80, 0, 100, 20)),
        (180, (200, 100), (180, 80, 200, 100)),
        (270, (100, 200), (0, 180, 20, 200)),
        (-90, (100, 200), (0, 180, 20, 200)),
    ],
)
def test_a_page_is_turned_clockwise(
    tmp_path: Path, angle: float, size: tuple[int, int], where: tuple[int, int, int, int]
) -> None:
    drawn = picture(tmp_path / "a.pdf", angle=angle)
    assert (drawn.width, drawn.height) == size
    assert black(drawn) == [where]


def test_a_page_is_turned_a_little_around_its_middle(tmp_path: Path) -> None:
    drawn = picture(tmp_path / "a.pdf", (200.9, 100.9), angle=2)
    assert (drawn.width, drawn.height) == (204, 108)
    left, top, right, bottom = black(drawn)[0]
    assert (left, top, right, bottom) == pytest.approx((3, 0, 24, 21), abs=1.5)


def test_the_rotation_that_the_document_says_is_kept(tmp_path: Path) -> None:
    assert black(picture(tmp_path / "a.pdf", turn=90)) == [(80, 0, 100, 20)]
    assert black(picture(tmp_path / "a.pdf", turn=90, angle=270)) == [(0, 0, 20, 20)]


@pytest.mark.parametrize("size", [(14_400, 14_400), (14_400, 3), (14_400, 0.4), (1e9, 1e9)])
@pytest.mark.parametrize("angle", [0, 90, 45])
def test_a_huge_page_is_drawn_smaller(
    tmp_path: Path, size: tuple[float, float], angle: float
) -> None:
    drawn = picture(tmp_path / "a.pdf", size, dpi=600, angle=angle)
    assert drawn.width * drawn.height == len(drawn.data) <= MOST_PIXELS * 1.001
    assert max(drawn.width, drawn.height) <= MOST_SIDE
    assert drawn.dpi < 600


def test_a_tiny_page_has_a_pixel(tmp_path: Path) -> None:
    for angle in (0, 2):
        drawn = picture(tmp_path / "a.pdf", (0.01, 0.01), dpi=150, angle=angle)
        assert (drawn.width, drawn.height) == (1, 1)


def test_a_page_without_a_size_takes_that_of_letter_paper(tmp_path: Path) -> None:
    drawn = picture(tmp_path / "a.pdf", (0, 0))
    assert (drawn.width, drawn.height) == (612, 792)
