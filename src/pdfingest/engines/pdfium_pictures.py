"""A part of a page as a small picture, without the text that PDFium reads there."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.engines.pdfium_scene import Area, size
from pdfingest.engines.text_lines import Picture

_SCALE = 110 / 72
"""Pixels a point: at 110 dpi, letters of 8 points are still apart."""
_FINEST = 3.0
"""Most pixels a point, for screenshots that are drawn small."""
_MOST_PIXELS = 1_000_000
"""Pixels of a picture; a page of A4 has 100 dpi then."""
_WHITE = 0xFFFFFFFF
_MARGIN = 1
"""Pixels around a text that belong to it, as its letters are smoothed."""


def picture_of(page: Any, area: Area, density: float, said: Iterable[Area]) -> Picture | None:
    """Draw an area of a page in levels of gray, on white.

    Args:
        page: handle of the page.
        area: which one; it must be on the page.
        density: pixels a point that the images in it have.
        said: what to leave blank.

    Returns:
        The picture, or None if it would have no pixels.
    """
    scale = scale_of(area, density)
    whole = [
        max(1, round(scale * pdfium.FPDF_GetPageWidthF(page))),
        max(1, round(scale * pdfium.FPDF_GetPageHeightF(page))),
    ]
    left, top, right, bottom = _on_screen(page, whole, area)
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0 or width * height > 2 * _MOST_PIXELS:
        return None
    stride = (width + 3) // 4 * 4
    buffer = (ctypes.c_ubyte * (stride * height))()
    bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_Gray, buffer, stride)
    if not bitmap:
        return None
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
        pdfium.FPDF_RenderPageBitmap(
            bitmap, page, -left, -top, *whole, 0, pdfium.FPDF_RENDER_LIMITEDIMAGECACHE
        )
        for each in said:
            x, y, right, bottom = _on_screen(page, whole, each)
            x, y = max(x - left - _MARGIN, 0), max(y - top - _MARGIN, 0)
            right = min(right - left + _MARGIN, width)
            bottom = min(bottom - top + _MARGIN, height)
            if x < right and y < bottom:
                pdfium.FPDFBitmap_FillRect(bitmap, x, y, right - x, bottom - y, _WHITE)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)
    levels = bytes(buffer)
    if stride != width:
        levels = b"".join(levels[at : at + width] for at in range(0, len(levels), stride))
    return Picture(width, height, levels)


def scale_of(area: Area, density: float) -> float:
    """Return how many pixels a point `picture_of` draws."""
    finest = math.sqrt(_MOST_PIXELS / max(size(area), 1.0))
    return min(max(_SCALE, min(density, _FINEST)), finest)


def _on_screen(page: Any, whole: Sequence[int], area: Area) -> tuple[int, int, int, int]:
    """Return where an area is on a page that is drawn, in pixels from the left and the top."""
    x, y = ctypes.c_int(), ctypes.c_int()
    xs, ys = [], []
    for at in (area[:2], area[2:]):
        pdfium.FPDF_PageToDevice(page, 0, 0, *whole, 0, *at, x, y)
        xs.append(min(max(x.value, -whole[0]), 2 * whole[0]))
        ys.append(min(max(y.value, -whole[1]), 2 * whole[1]))
    return min(xs), min(ys), max(xs), max(ys)
