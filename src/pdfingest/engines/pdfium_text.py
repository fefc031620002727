"""The text of a page as PDFium gives it, in one call, and which of its marks are hyphens."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.engines.engine import MalformedError

_HYPHEN, _NO_CHARACTER = 0xFFFE, 0xFFFD
_UNMAPPED = _HYPHEN.to_bytes(2, "little")


def text_of(page: Any) -> str:
    """Return all text of a page, hidden text included, in the order of the content stream.

    One call for all of it keeps text outside the crop box, and leaves a surrogate that has lost its
    partner to `text.clean`, instead of dropping it.
    """
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        raise MalformedError("PDFium cannot load the text of the page.")
    try:
        count = pdfium.FPDFText_CountChars(text_page)
        if count <= 0:
            return ""
        buffer = (ctypes.c_ushort * (count + 1))()
        written = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
        if _UNMAPPED in bytes(buffer):
            _tell_hyphens(text_page, buffer)
        return bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "surrogatepass")
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def _tell_hyphens(text_page: Any, buffer: "ctypes.Array[ctypes.c_ushort]") -> None:
    """Tell hyphens at line ends from glyphs without a character: PDFium writes U+FFFE for both.

    Args:
        text_page: handle of the text.
        buffer: UTF-16 of all of it, in which such glyphs become U+FFFD.
    """
    for index, unit in enumerate(buffer):
        if unit == _HYPHEN:
            place = pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, index)
            if not (
                pdfium.FPDFText_IsHyphen(text_page, place)
                or pdfium.FPDFText_GetUnicode(text_page, place)
            ):
                buffer[index] = _NO_CHARACTER
