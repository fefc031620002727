"""Text that PDFium shows nowhere in its text of a page, as it lacks the font: found by its objects.

PDFium draws a character by a font's program. Where the file has none (fonts for Chinese, Japanese
and Korean are often left out) or a damaged one, it asks the system for a font of that name and
character set. There is none here, and PDFium's own fonts are Latin. So the characters have no
width, and it leaves them out of the text without a word. Other engines read many of them, since the
codes say what they mean. A string of spaces may have no width either, so that all this finds is a
suspicion.

To look at all objects of a page would take a fifth of its time. That is done only once PDFium has
asked for a font that is not Latin, as it did in none of 231 real files and 18 of 472 test cases.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from collections.abc import Iterator
from typing import Any

import pypdfium2_raw as pdfium

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
    return bool(_unmet) and any(_is_missing(each) and _is_narrow(each) for each in _texts(page))


def shows_text(page: Any) -> bool:
    """Return whether a page, given its handle, draws any text, whether PDFium reads it or not."""
    return any(True for _ in _texts(page))


def shows_image(page: Any) -> bool:
    """Return whether a page, given its handle, draws an image."""
    return any(True for _ in _objects(page, pdfium.FPDF_PAGEOBJ_IMAGE))


def _texts(page: Any) -> Iterator[Any]:
    return _objects(page, pdfium.FPDF_PAGEOBJ_TEXT)


def _objects(page: Any, kind: int) -> Iterator[Any]:
    """Yield the objects of a kind of a page, those in forms (ISO 32000-2, 8.10) included."""
    for index in range(pdfium.FPDFPage_CountObjects(page)):
        yield from _within(pdfium.FPDFPage_GetObject(page, index), kind, _MOST_NESTED)


def _within(each: Any, wanted: int, levels: int) -> Iterator[Any]:
    kind = pdfium.FPDFPageObj_GetType(each)
    if kind == wanted:
        yield each
    elif kind == pdfium.FPDF_PAGEOBJ_FORM and levels:
        for index in range(pdfium.FPDFFormObj_CountObjects(each)):
            yield from _within(pdfium.FPDFFormObj_GetObject(each, index), wanted, levels - 1)


def _is_missing(text: Any) -> bool:
    """Return whether PDFium has neither the program of a text's font nor a substitute for it."""
    font = pdfium.FPDFTextObj_GetFont(text)
    return (
        bool(font)
        and not pdfium.FPDFFont_GetIsEmbedded(font)
        and not pdfium.FPDFFont_GetFlags(font) & _NONSYMBOLIC
    )


def _is_narrow(text: Any) -> bool:
    """Return whether the box of a text object has no width."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(text, left, bottom, right, top)
    return right.value <= left.value
