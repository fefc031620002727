"""Bullets of lists that are drawn as shapes, as browsers draw them: put before their lines.

PDFium finds them among the objects of a page, and to look at all of these costs as much as the text
of many a page. So it is done for Markdown alone, which has lists.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.model import Box, Span

_MOST_OBJECTS = 20_000
"""Objects of a page that are looked at; a drawing may have millions."""
_LEAST_EMS, _MOST_EMS = 0.15, 0.75
"""Width and height of a bullet."""
_NEAR_EMS = 2.5
"""Most that a bullet stands before its line."""
_BULLET = "\N{BULLET}"


def with_bullets(page: Any, spans: Sequence[Span]) -> list[Span]:
    """Return the spans of a page, each behind the bullet that is drawn before it.

    Args:
        page: handle of the page.
        spans: of the page.
    """
    shapes = list(_shapes(page))
    return [_marked(span, shapes) for span in spans] if shapes else list(spans)


def _marked(span: Span, shapes: Sequence[Box]) -> Span:
    if span.angle:
        return span
    em = span.size
    for box in shapes:
        width, height = box.right - box.left, box.bottom - box.top
        middle = (box.top + box.bottom) / 2
        if (
            0 <= span.left - box.right < _NEAR_EMS * em
            and 0 < span.baseline - middle < em
            and _LEAST_EMS * em < min(width, height)
            and max(width, height) < _MOST_EMS * em
        ):
            return span._replace(text=f"{_BULLET} {span.text}", left=box.left)
    return span


def _shapes(page: Any) -> Iterator[Box]:
    """Yield the boxes of the shapes of a page that are about as wide as high."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)):
        each = pdfium.FPDFPage_GetObject(page, index)
        if pdfium.FPDFPageObj_GetType(each) == pdfium.FPDF_PAGEOBJ_PATH:
            pdfium.FPDFPageObj_GetBounds(each, left, bottom, right, top)
            box = Box(left.value, -top.value, right.value, -bottom.value)
            width, height = box.right - box.left, box.bottom - box.top
            if width and height and 1 / 2 < width / height < 2:  # noqa: PLR2004 - no line
                yield box
