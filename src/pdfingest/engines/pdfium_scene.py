"""What a page draws and where, as PDFium lists it: images, paths and texts, those in forms too."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
import math
from collections.abc import Iterator
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

import pypdfium2_raw as pdfium

from pdfingest.engines import pdfium_calls as calls
from pdfingest.engines.pdfium_objects import Objects, objects_in

_MOST_IN_FORMS = 20_000
"""Objects of a page that are looked at in forms; a drawing may have millions."""
_MOST_NESTED = 8
"""Deepest form within forms that is looked at (ISO 32000-2, 8.10); real ones are at most a few."""

_GENERAL = frozenset(
    {b"FlateDecode", b"LZWDecode", b"RunLengthDecode", b"ASCIIHexDecode", b"ASCII85Decode"}
    | {b"Fl", b"LZW", b"RL", b"AHx", b"A85"}
)
"""Filters that are not for images alone (ISO 32000-2, 7.4); their data may end early unnoticed."""
_FILTER_BYTES = 32

Area: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right and top in points, y growing upwards."""
_Matrix: TypeAlias = tuple[float, float, float, float, float, float]
Drawn: TypeAlias = tuple[int, _Matrix]
"""An object of a page: its handle as an address, and the matrix of the form that it is in."""
_UNIT: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Scene(NamedTuple):
    """The objects of a page, those in forms too, by their kinds."""

    box: Area
    """What of the page is shown."""
    images: list[Drawn]
    paths: list[Drawn]
    texts: list[Drawn]


def scene_of(page: Any, objects: Objects) -> Scene:
    """Return what a page draws.

    Args:
        page: handle of the page.
        objects: of the page itself; those of its forms are found here.
    """
    shown = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, shown)
    scene = Scene((shown.left, shown.bottom, shown.right, shown.top), [], [], [])
    _add(scene, objects, _UNIT)
    left = _MOST_IN_FORMS
    inner = [(form, _UNIT, 1) for form in objects.of(pdfium.FPDF_PAGEOBJ_FORM)]
    while inner and left > 0:
        form, outer, level = inner.pop()
        own = objects_in(form)
        matrix = _times(_matrix_of(form), outer)
        _add(scene, own, matrix)
        left -= len(own.handles)
        if level < _MOST_NESTED:
            forms = own.of(pdfium.FPDF_PAGEOBJ_FORM)
            inner += [(each, matrix, level + 1) for each in forms]
    return scene


def _add(scene: Scene, objects: Objects, matrix: _Matrix) -> None:
    """Add the objects of the page, or of one form, to a scene."""
    for kind, drawn in (
        (pdfium.FPDF_PAGEOBJ_IMAGE, scene.images),
        (pdfium.FPDF_PAGEOBJ_PATH, scene.paths),
        (pdfium.FPDF_PAGEOBJ_TEXT, scene.texts),
    ):
        drawn.extend(zip(objects.of(kind), repeat(matrix), strict=False))


def _matrix_of(drawn: int) -> _Matrix:
    own = pdfium.FS_MATRIX()
    calls.object_matrix(drawn, ctypes.byref(own))
    return own.a, own.b, own.c, own.d, own.e, own.f


def areas_of(objects: list[Drawn]) -> Iterator[Area]:
    """Yield the areas that objects take on the page, whether or not they are clipped."""
    ends = (ctypes.c_float * 4)()
    places = [ctypes.byref(ends, 4 * n) for n in range(4)]
    for handle, matrix in objects:
        calls.object_bounds(handle, *places)
        left, bottom, right, top = ends
        if matrix is _UNIT:
            yield left, bottom, right, top
        else:
            a, b, c, d, e, f = matrix
            xs = [a * x + c * y + e for x in (left, right) for y in (bottom, top)]
            ys = [b * x + d * y + f for x in (left, right) for y in (bottom, top)]
            yield min(xs), min(ys), max(xs), max(ys)


def pixels_of(image: Drawn) -> int:
    """Return how many pixels an image declares; it is not decoded for that."""
    width, height = ctypes.c_uint(), ctypes.c_uint()
    handle = _handle_of(image)
    pdfium.FPDFImageObj_GetImagePixelSize(handle, width, height)
    return width.value * height.value


def can_be_decoded(page: Any, image: Drawn) -> bool:
    """Return whether PDFium decodes at least half of an image; it draws nothing where it cannot."""
    handle = _handle_of(image)
    bitmap = pdfium.FPDFImageObj_GetBitmap(handle)
    if not bitmap:
        return False
    pdfium.FPDFBitmap_Destroy(bitmap)
    if not _GENERAL.issuperset(_filters_of(handle)):
        return True
    data = pdfium.FPDF_IMAGEOBJ_METADATA()
    pdfium.FPDFImageObj_GetImageMetadata(handle, page, data)
    expected = (data.width * data.bits_per_pixel + 7) // 8 * data.height
    found = int(pdfium.FPDFImageObj_GetImageDataDecoded(handle, None, 0))
    return 2 * found >= int(expected)


def _filters_of(image: Any) -> Iterator[bytes]:
    """Yield the names of the filters of an image, which PDFium gives with a NUL at their end."""
    for index in range(pdfium.FPDFImageObj_GetImageFilterCount(image)):
        name = ctypes.create_string_buffer(_FILTER_BYTES)
        pdfium.FPDFImageObj_GetImageFilter(image, index, name, _FILTER_BYTES)
        yield name.value


def is_invisible(text: Drawn) -> bool:
    """Return whether a text is drawn in mode 3, which shows nothing (ISO 32000-2, 9.3.6)."""
    handle = _handle_of(text)
    return bool(
        pdfium.FPDFTextObj_GetTextRenderMode(handle) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
    )


def em_of(text: Drawn) -> float:
    """Return the height of an em of a text, in points; that of the form it is in left out."""
    font_size = ctypes.c_float()
    calls.text_size(text[0], ctypes.byref(font_size))
    _, _, c, d, _, _ = _matrix_of(text[0])
    return abs(font_size.value) * math.hypot(c, d)


def segments_of(path: Drawn) -> int:
    """Return how many segments a path has."""
    return int(calls.count_segments(path[0]))


def _handle_of(drawn: Drawn) -> Any:
    return ctypes.cast(drawn[0], pdfium.FPDF_PAGEOBJECT)


def size(area: Area) -> float:
    """Return the size of an area, in square points; 0 if it is empty."""
    left, bottom, right, top = area
    return max(0.0, right - left) * max(0.0, top - bottom)


def shared(one: Area, other: Area) -> Area:
    """Return what two areas share, which may be empty."""
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def around(one: Area, other: Area) -> Area:
    """Return the smallest area that has two in it."""
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[2], other[2]),
        max(one[3], other[3]),
    )


def _times(inner: _Matrix, outer: _Matrix) -> _Matrix:
    """Return the matrix that does what one does, and then another (ISO 32000-2, 8.3.4)."""
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return (
        a * p + b * r,
        a * q + b * s,
        c * p + d * r,
        c * q + d * s,
        e * p + f * r + t,
        e * q + f * s + u,
    )
