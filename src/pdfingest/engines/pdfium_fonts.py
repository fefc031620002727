"""Text that PDFium shows nowhere in its text of a page, as it lacks the font: found by its objects.

PDFium draws a character by a font's program. Where the file has none (fonts for Chinese, Japanese
and Korean are often left out) or a damaged one, it asks the system for a font of that name and
character set. There is none here, and PDFium's own fonts are Latin. So the characters have no
width, and it leaves them out of the text without a word. Other engines read many of them, since the
codes say what they mean. A string of spaces may have no width either, so that all this finds is a
suspicion.

To look at all objects of a page would take a tenth of its time. That is done only once PDFium has
asked for a font that is not Latin, as it did in none of 231 real files and 18 of 472 test cases.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from collections.abc import Iterator
from typing import Any

import pypdfium2_raw as pdfium

_Handle = ctypes.c_void_p


def _bare(function: Any, result: Any, *arguments: Any) -> Any:
    """Return a function of the bindings that takes and gives plain numbers for handles.

    The bindings make an object for each, and a page may have thousands: that would take twice the
    time.
    """
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return ctypes.CFUNCTYPE(result, *arguments)(address)


_count = _bare(pdfium.FPDFPage_CountObjects, ctypes.c_int, _Handle)
_object = _bare(pdfium.FPDFPage_GetObject, _Handle, _Handle, ctypes.c_int)
_type = _bare(pdfium.FPDFPageObj_GetType, ctypes.c_int, _Handle)
_font = _bare(pdfium.FPDFTextObj_GetFont, _Handle, _Handle)
_is_embedded = _bare(pdfium.FPDFFont_GetIsEmbedded, ctypes.c_int, _Handle)
_flags = _bare(pdfium.FPDFFont_GetFlags, ctypes.c_int, _Handle)
_bounds = _bare(
    pdfium.FPDFPageObj_GetBounds,
    ctypes.c_int,
    _Handle,
    *[ctypes.POINTER(ctypes.c_float)] * 4,
)
_parts = _bare(pdfium.FPDFFormObj_CountObjects, ctypes.c_int, _Handle)
_part = _bare(pdfium.FPDFFormObj_GetObject, _Handle, _Handle, ctypes.c_ulong)

_TEXT, _FORM = pdfium.FPDF_PAGEOBJ_TEXT, pdfium.FPDF_PAGEOBJ_FORM
_MOST_NESTED = 16
"""Deepest form within forms that is looked at; real ones are not deeper than a few."""
_NONSYMBOLIC = 1 << 5
"""Flag of a font that has Latin characters alone (ISO 32000-2, table 121)."""
_LATIN = frozenset({pdfium.FXFONT_ANSI_CHARSET, pdfium.FXFONT_DEFAULT_CHARSET})
_unmet: list[int] = []
"""Character sets for which PDFium has asked in this process, and that are not Latin."""


def _map_font(*asked: Any) -> None:
    """Note what PDFium asks for, and have no font for it (fpdf_sysfontinfo.h, MapFont)."""
    _this, _weight, _italic, charset, *_ = asked
    if charset not in _LATIN:
        _unmet.append(charset)


def _no_fonts() -> Any:
    """Return a description of a system without fonts."""
    system = pdfium.FPDF_SYSFONTINFO(version=1)
    fields: Any = pdfium.FPDF_SYSFONTINFO._fields_
    kinds: dict[str, Any] = dict(fields)
    for name in ("Release", "EnumFonts", "GetFont", "DeleteFont"):
        setattr(system, name, kinds[name](lambda *_: None))
    for name in ("GetFontData", "GetFaceName", "GetFontCharset"):
        setattr(system, name, kinds[name](lambda *_: 0))
    system.MapFont = kinds["MapFont"](_map_font)
    return system


NO_FONTS = _no_fonts()
"""For FPDF_SetSystemFontInfo, which keeps a reference to it."""


def lacks_text(page: Any) -> bool:
    """Return whether a page seems to show text that PDFium does not read.

    Args:
        page: handle of a page whose text was loaded.
    """
    if not _unmet:
        return False
    handle = ctypes.cast(page, _Handle).value
    is_missing: dict[int, bool] = {}  # by font, of which a page has few
    for each in _objects(handle):
        font = _font(each)
        if font not in is_missing:
            is_missing[font] = _is_missing(font)
        if is_missing[font] and _is_narrow(each):
            return True
    return False


def shows_text(page: Any) -> bool:
    """Return whether a page, given its handle, draws any text, whether PDFium reads it or not."""
    return any(True for _ in _objects(ctypes.cast(page, _Handle).value))


def _objects(page: int | None) -> Iterator[int]:
    """Yield the text objects of a page, those in forms (8.10) included."""
    for index in range(_count(page)):
        each = _object(page, index)
        kind = _type(each)
        if kind == _TEXT:
            yield each
        elif kind == _FORM:
            yield from _within(each, _MOST_NESTED)


def _within(form: int, levels: int) -> Iterator[int]:
    for index in range(_parts(form) if levels else 0):
        each = _part(form, index)
        kind = _type(each)
        if kind == _TEXT:
            yield each
        elif kind == _FORM:
            yield from _within(each, levels - 1)


def _is_missing(font: int | None) -> bool:
    """Return whether PDFium has neither the program of a font nor a substitute of its own."""
    return font is not None and not _is_embedded(font) and not _flags(font) & _NONSYMBOLIC


def _is_narrow(text: int) -> bool:
    """Return whether the box of a text object has no width."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    _bounds(text, left, bottom, right, top)
    return right.value <= left.value
