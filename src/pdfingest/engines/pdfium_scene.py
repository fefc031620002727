"""What a page draws and where, as PDFium lists it: images, paths and texts, those in forms too."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import pypdfium2_raw as pdfium

from pdfingest.engines import pdfium_calls as calls

_MOST_OBJECTS = 20_000
"""Objects of a page that are looked at; a drawing may have millions."""
_MOST_NESTED = 8
"""Deepest form within forms that is looked at (ISO 32000-2, 8.10); real ones are at most a few."""

Area: TypeAlias = tuple[float, float, float, float]
"""Left, bottom, right and top in points, y growing upwards."""
_Matrix: TypeAlias = tuple[float, float, float, float, float, float]
_UNIT: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


class Drawn(NamedTuple):
    """An object of a page: its handle as an address, and the matrix of the form that it is in."""

    handle: int
    matrix: _Matrix


class Scene(NamedTuple):
    """The objects of a page, in the order in which they are drawn."""

    box: Area
    """What of the page is shown."""
    images: list[Drawn]
    paths: list[Drawn]
    texts: list[Drawn]


def scene_of(page: Any) -> Scene:
    """Return what a page, given its handle, draws."""
    shown = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, shown)
    scene = Scene((shown.left, shown.bottom, shown.right, shown.top), [], [], [])
    lists = {
        pdfium.FPDF_PAGEOBJ_IMAGE: scene.images.append,
        pdfium.FPDF_PAGEOBJ_PATH: scene.paths.append,
        pdfium.FPDF_PAGEOBJ_TEXT: scene.texts.append,
    }
    left = _MOST_OBJECTS
    address = ctypes.cast(page, ctypes.c_void_p).value
    object_at, type_of = calls.page_object, calls.object_type
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)):
        handle = object_at(address, index)
        kind = type_of(handle)
        if kind == pdfium.FPDF_PAGEOBJ_FORM:
            for inner, drawn in _inside(handle, _UNIT, _MOST_NESTED):
                left -= 1
                if left < 0:
                    break
                if inner in lists:
                    lists[inner](drawn)
        elif kind in lists:
            lists[kind](Drawn(handle, _UNIT))
    return scene


def _inside(form: int, outer: _Matrix, levels: int) -> Iterator[tuple[int, Drawn]]:
    """Yield the objects of a form with their kinds."""
    own = pdfium.FS_MATRIX()
    handle = ctypes.cast(form, pdfium.FPDF_PAGEOBJECT)
    pdfium.FPDFPageObj_GetMatrix(handle, own)
    matrix = _times((own.a, own.b, own.c, own.d, own.e, own.f), outer)
    for index in range(pdfium.FPDFFormObj_CountObjects(handle)):
        each = calls.form_object(form, index)
        kind = calls.object_type(each)
        if kind != pdfium.FPDF_PAGEOBJ_FORM:
            yield kind, Drawn(each, matrix)
        elif levels > 1:
            yield from _inside(each, matrix, levels - 1)


def areas_of(objects: list[Drawn]) -> Iterator[Area]:
    """Yield the areas that objects take on the page, whether or not they are clipped."""
    ends = (ctypes.c_float * 4)()
    begin = ctypes.addressof(ends)
    places = [begin + 4 * n for n in range(4)]
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
    handle = ctypes.cast(image.handle, pdfium.FPDF_PAGEOBJECT)
    pdfium.FPDFImageObj_GetImagePixelSize(handle, width, height)
    return width.value * height.value


def can_be_decoded(image: Drawn) -> bool:
    """Return whether PDFium decodes an image; it draws nothing where it cannot."""
    handle = ctypes.cast(image.handle, pdfium.FPDF_PAGEOBJECT)
    bitmap = pdfium.FPDFImageObj_GetBitmap(handle)
    if bitmap:
        pdfium.FPDFBitmap_Destroy(bitmap)
    return bool(bitmap)


def is_invisible(text: Drawn) -> bool:
    """Return whether a text is drawn in mode 3, which shows nothing (ISO 32000-2, 9.3.6)."""
    handle = ctypes.cast(text.handle, pdfium.FPDF_PAGEOBJECT)
    return bool(
        pdfium.FPDFTextObj_GetTextRenderMode(handle) == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE
    )


def em_of(text: Drawn) -> float:
    """Return the height of an em of a text, in points; that of the form it is in left out."""
    handle = ctypes.cast(text.handle, pdfium.FPDF_PAGEOBJECT)
    font_size, own = ctypes.c_float(), pdfium.FS_MATRIX()
    pdfium.FPDFTextObj_GetFontSize(handle, font_size)
    pdfium.FPDFPageObj_GetMatrix(handle, own)
    return abs(font_size.value) * math.hypot(own.c, own.d)


def segments_of(path: Drawn) -> int:
    """Return how many segments a path has."""
    handle = ctypes.cast(path.handle, pdfium.FPDF_PAGEOBJECT)
    return int(pdfium.FPDFPath_CountSegments(handle))


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
