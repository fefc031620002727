"""A page drawn by PDFium in shades of grey, for whoever reads pictures.

It is drawn into memory of this process, one byte a pixel, so that nothing is converted or copied
row by row. Why grey and not black and white: whoever reads pictures finds the border between paper
and ink better than a fixed one.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
import math
from typing import Any, NamedTuple

import pypdfium2_raw as pdfium

from pdfingest.engines.engine import MalformedError
from pdfingest.ocr.engine import Picture

MOST_PIXELS = 40_000_000
"""Pixels of a picture: A3 at 450 dpi, or A0 at 160."""
MOST_SIDE = 32_000
"""Pixels of a row, and rows: Tesseract keeps coordinates in 16 bits."""
_POINTS = 72.0
_WHITE = 0xFFFFFFFF
_FLAGS = pdfium.FPDF_ANNOT | pdfium.FPDF_GRAYSCALE | pdfium.FPDF_RENDER_LIMITEDIMAGECACHE


class _Sheet(NamedTuple):
    """How large a page is drawn, and how it is turned."""

    page_width: float
    """In points, after the page is turned as the document says."""
    page_height: float
    angle: float
    """In degrees, clockwise, from 0 to below 360."""
    scale: float
    """Pixels a point."""
    width: int
    """Of the picture, in pixels."""
    height: int


def drawn(page: Any, dpi: float, angle: float) -> Picture:
    """Return a picture of a page; see `abilities.PicturedDocument`.

    Args:
        page: handle of the page.
        dpi: pixels an inch, which may become fewer.
        angle: by how many degrees the page is turned, clockwise, beyond what the document says.

    Raises:
        MalformedError: the page has no size, or PDFium cannot make a picture of it.
        MemoryError: there is no room for the picture.
    """
    sheet = _sheet(pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page), dpi, angle)
    pixels = (ctypes.c_ubyte * (sheet.width * sheet.height))()
    bitmap = pdfium.FPDFBitmap_CreateEx(
        sheet.width, sheet.height, pdfium.FPDFBitmap_Gray, pixels, sheet.width
    )
    if not bitmap:
        raise MalformedError("PDFium cannot make a picture of the page.")
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, sheet.width, sheet.height, _WHITE)
        _draw(bitmap, page, sheet)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return Picture(bytes(pixels), sheet.width, sheet.height, sheet.scale * _POINTS)


def _sheet(page_width: float, page_height: float, dpi: float, angle: float) -> _Sheet:
    """Return how large a page is drawn, within what a picture may have."""
    if not (0 < page_width < math.inf and 0 < page_height < math.inf):
        raise MalformedError("the page has no size")
    angle %= 360.0
    cos, sin = (abs(each) for each in (_cos(angle), _sin(angle)))
    width, height = (
        page_width * cos + page_height * sin,
        page_width * sin + page_height * cos,
    )
    scale = min(
        dpi / _POINTS,
        math.sqrt(MOST_PIXELS / width / height),
        MOST_SIDE / width,
        MOST_SIDE / height,
    )
    pixels = [max(1, min(MOST_SIDE, round(side * scale))) for side in (width, height)]
    return _Sheet(page_width, page_height, angle, scale, *pixels)


def _cos(angle: float) -> float:
    """Return the cosine of degrees; exactly 0 where it is, so that no picture grows by a pixel."""
    return _sin(angle + 90.0)


def _sin(angle: float) -> float:
    return 0.0 if angle % 180.0 == 0.0 else math.sin(math.radians(angle))


def _draw(bitmap: Any, page: Any, sheet: _Sheet) -> None:
    quarters, rest = divmod(sheet.angle, 90.0)
    # PDFium cuts the fractions off the sides of the page before it applies a matrix.
    whole_width, whole_height = int(sheet.page_width), int(sheet.page_height)
    if not rest or not whole_width or not whole_height:
        size = (0, 0, sheet.width, sheet.height)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, *size, int(quarters), _FLAGS)
        return
    along = sheet.scale * sheet.page_width / whole_width
    down = sheet.scale * sheet.page_height / whole_height
    a, b = along * _cos(sheet.angle), along * _sin(sheet.angle)
    c, d = -down * _sin(sheet.angle), down * _cos(sheet.angle)
    middle = whole_width / 2, whole_height / 2
    matrix = pdfium.FS_MATRIX(
        a,
        b,
        c,
        d,
        sheet.width / 2 - a * middle[0] - c * middle[1],
        sheet.height / 2 - b * middle[0] - d * middle[1],
    )
    area = pdfium.FS_RECTF(0, 0, sheet.width, sheet.height)
    pdfium.FPDF_RenderPageBitmapWithMatrix(bitmap, page, matrix, area, _FLAGS)
