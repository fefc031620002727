"""The text of a page as PDFium gives it, in one call, and which of its marks are hyphens."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import ctypes
import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import pypdfium2_raw as pdfium

from pdfingest.engines import pdfium_calls as calls
from pdfingest.engines.engine import MalformedError
from pdfingest.engines.pdfium_spans import Spans
from pdfingest.pages import Box, Span

_HYPHEN, _NO_CHARACTER = 0xFFFE, 0xFFFD
_LOOKS = 9
"""Characters of a page that are looked at for their direction and their font."""
_MOST_UNITS = 512
"""Longest text of a link, in UTF-16."""
_UNMAPPED = _HYPHEN.to_bytes(2, "little")


Area: TypeAlias = tuple[float, float, float, float]
"""Left, top, right and bottom, y growing upwards."""


class Text(NamedTuple):
    """The text of a page."""

    text: str
    spans: Sequence[Span]
    lost: int
    """Number of characters that PDFium counts and leaves out: it does so with control characters,
    such as the numbers of glyphs that pose as characters."""
    is_doubtful: bool = False
    """Whether Type 3 fonts of it do not map their glyphs to characters. Many of their letters are
    right nevertheless, as those of TeX are."""
    inside: tuple[str, ...] = ()
    """The text in each of the areas that were asked for."""


def text_of(
    page: Any, spans: Spans | None, areas: Sequence[Area] = (), rules: Sequence[Box] = ()
) -> Text:
    """Return all text of a page, hidden text included, in the order of the content stream.

    One call for all of it keeps text outside the crop box, and leaves a surrogate that has lost its
    partner to `text.clean`, instead of dropping it.

    Args:
        page: handle of the page.
        spans: what reads where the text stands; None if nobody asks.
        areas: whose text is wanted apart.
        rules: of the page, at which spans end.
    """
    text_page, is_doubtful = _upright(page)
    try:
        count = pdfium.FPDFText_CountChars(text_page)
        if count <= 0:
            return Text("", (), 0)
        buffer = (ctypes.c_ushort * (count + 1))()
        written = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
        if _UNMAPPED in bytes(buffer):
            _tell_hyphens(text_page, buffer)
        units = max(0, written - 1)
        text = bytes(buffer)[: 2 * units].decode("utf-16-le", "surrogatepass")
        found = spans.read(text_page, text, units, count, rules) if spans else ()
        inside = tuple(_inside(text_page, area) for area in areas)
        return Text(text, found, count - units, is_doubtful, inside)
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def _inside(text_page: Any, area: Area) -> str:
    """Return the text in an area, or as much of it as the text of a link has."""
    buffer = (ctypes.c_ushort * _MOST_UNITS)()
    units = pdfium.FPDFText_GetBoundedText(text_page, *area, buffer, _MOST_UNITS)
    return bytes(buffer)[: 2 * max(0, units)].decode("utf-16-le", "replace").rstrip("\0")


def _upright(page: Any) -> tuple[Any, bool]:
    """Load the text of a page, turned so that most of it is upright: PDFium orders it as it shows.

    Otherwise the lines of a page that shows turned come in reverse order, or their words do.

    Returns:
        The handle of the text, and whether it is doubtful.
    """
    text_page = _load_text(page)
    drawn, is_doubtful = _looked_at(text_page)
    if drawn == pdfium.FPDFPage_GetRotation(page):
        return text_page, is_doubtful
    pdfium.FPDFText_ClosePage(text_page)
    pdfium.FPDFPage_SetRotation(page, drawn)
    return _load_text(page), is_doubtful


def _load_text(page: Any) -> Any:
    if text_page := pdfium.FPDFText_LoadPage(page):
        return text_page
    raise MalformedError("PDFium cannot load the text of the page.")


def _looked_at(text_page: Any) -> tuple[int, bool]:
    """Look at some characters of a page, spread over its text.

    Returns:
        By how many quarters the page must be turned to show most of them upright, and whether the
        font of one of them is a Type 3 font that does not map its glyphs to characters.
    """
    count = pdfium.FPDFText_CountChars(text_page)
    matrix = pdfium.FS_MATRIX()
    found, is_doubtful = Counter[int](), False
    for place in range(0, count, max(1, count // _LOOKS)):
        if not calls.is_generated(text_page, place):
            calls.matrix_of(text_page, place, ctypes.byref(matrix))
            found[round(2 * math.atan2(matrix.b, matrix.a) / math.pi) % 4] += 1
            if calls.is_unmapped(text_page, place) == 1:
                is_doubtful = is_doubtful or _has_no_name(text_page, place)
    return found.most_common(1)[0][0] if found else 0, is_doubtful


def _has_no_name(text_page: Any, place: int) -> bool:
    """Return whether the font of a character has no name, as those of Type 3 need none.

    PDFium reads the names of glyphs in all other fonts.
    """
    font = pdfium.FPDFTextObj_GetFont(pdfium.FPDFText_GetTextObject(text_page, place))
    return bool(pdfium.FPDFFont_GetBaseFontName(font, None, 0) <= 1)


def _tell_hyphens(text_page: Any, buffer: "ctypes.Array[ctypes.c_ushort]") -> None:
    """Tell hyphens at line ends from glyphs without a character: PDFium writes U+FFFE for both.

    Args:
        text_page: handle of the text.
        buffer: UTF-16 of all of it, in which such glyphs become U+FFFD.
    """
    content, at = bytes(buffer), -1
    while (at := content.find(_UNMAPPED, at + 1)) >= 0:
        index, is_between = divmod(at, ctypes.sizeof(ctypes.c_ushort))
        if is_between:  # the second half of one unit and the first of the next
            continue
        place = pdfium.FPDFText_GetCharIndexFromTextIndex(text_page, index)
        if not (
            pdfium.FPDFText_IsHyphen(text_page, place)
            or pdfium.FPDFText_GetUnicode(text_page, place)
        ):
            buffer[index] = _NO_CHARACTER
