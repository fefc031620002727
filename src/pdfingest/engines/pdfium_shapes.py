"""The shape of a page, and shapes drawn on it with the rules among them: lines, edges of boxes.

PDFium finds them among the objects of a page, and to look at all of these costs as much as the text
of many a page. So it is done only for Markdown and for tables.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pypdfium2_raw as pdfium

from pdfingest.engines import pdfium_calls as calls
from pdfingest.engines.pdfium_objects import Objects
from pdfingest.pages import Box

_MOST_SEGMENTS = 2000
"""Segments of a shape that are looked at."""
_BOX_SEGMENTS = 5
"""Segments of a line or a box; a shape of more is looked at segment by segment."""
_THICK = 3.0
"""Most that a line is thick, in points."""
_LEAST = 4.0
"""Least length of a rule, in points."""
_SLANT = 0.5
"""Most that the ends of a rule differ across its direction, in points."""


class Shape(NamedTuple):
    """A path of a page."""

    handle: int
    """As an address."""
    box: Box


def shown_box(page: Any) -> Box:
    """Return what of a page is shown."""
    shown = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, shown)
    return Box(shown.left, -shown.top, shown.right, -shown.bottom)


def shapes_of(objects: Objects) -> list[Shape]:
    """Return the shapes among the objects of a page, in the order in which they are drawn."""
    ends = (ctypes.c_float * 4)()
    places = [ctypes.byref(ends, 4 * n) for n in range(4)]
    shapes: list[Shape] = []
    for handle in objects.of(pdfium.FPDF_PAGEOBJ_PATH):
        calls.object_bounds(handle, *places)
        left, bottom, right, top = ends
        shapes.append(Shape(handle, Box(left, -top, right, -bottom)))
    return shapes


def rules_of(shapes: Sequence[Shape]) -> tuple[Box, ...]:
    """Return the rules among shapes, as boxes that may have no width or no height."""
    return tuple(
        box for box in _edges(shapes) if max(box.right - box.left, box.bottom - box.top) > _LEAST
    )


def _edges(shapes: Sequence[Shape]) -> Iterator[Box]:
    """Yield lines, and the edges of boxes."""
    for handle, box in shapes:
        left, top, right, bottom = box
        if max(right - left, bottom - top) <= _LEAST:
            continue
        if (count := calls.count_segments(handle)) > _BOX_SEGMENTS:
            yield from _segments(handle, min(count, _MOST_SEGMENTS))
        elif min(right - left, bottom - top) <= _THICK:
            yield box
        else:
            yield from _sides(box)


def _sides(box: Box) -> Iterator[Box]:
    left, top, right, bottom = box
    yield Box(left, top, right, top)
    yield Box(left, bottom, right, bottom)
    yield Box(left, top, left, bottom)
    yield Box(right, top, right, bottom)


def _segments(shape: int, count: int) -> Iterator[Box]:
    """Yield those of the first segments of a shape that are horizontal or vertical lines."""
    matrix, x, y = pdfium.FS_MATRIX(), ctypes.c_float(), ctypes.c_float()
    to_x, to_y = ctypes.byref(x), ctypes.byref(y)
    calls.object_matrix(shape, ctypes.byref(matrix))
    a, b, c, d, e, f = matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f
    before = begin = (0.0, 0.0)
    for index in range(count):
        segment = calls.path_segment(shape, index)
        calls.segment_point(segment, to_x, to_y)
        here = (a * x.value + c * y.value + e, -(b * x.value + d * y.value + f))
        kind = calls.segment_type(segment)
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            begin = here
        elif kind == pdfium.FPDF_SEGMENT_LINETO:
            yield from _straight(before, here)
        if calls.segment_closes(segment):
            yield from _straight(here, begin)
        before = here


def _straight(a: tuple[float, float], b: tuple[float, float]) -> Iterator[Box]:
    """Yield the line between two points, if it is horizontal or vertical."""
    if min(abs(a[0] - b[0]), abs(a[1] - b[1])) <= _SLANT:
        (left, right), (top, bottom) = sorted((a[0], b[0])), sorted((a[1], b[1]))
        yield Box(left, top, right, bottom)
