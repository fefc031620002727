"""Links of a page and titles of the outline, as PDFium has them (fpdf_doc.h)."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import codecs
import ctypes
from collections.abc import Iterator
from typing import Any, NamedTuple

import pypdfium2_raw as pdfium

from pdfingest.engines.pdfium_text import Area
from pdfingest.model import Title

_MOST_TITLES = 5000
_MOST_DEPTH = 8
_TITLE_BYTES = 1024


class Link(NamedTuple):
    """A link that leads out of the document."""

    target: str
    area: Area
    """Where it is clicked."""


def links_of(document: Any, page: Any) -> Iterator[Link]:
    """Yield the links of a page that lead out of the document, given the handles of both."""
    position, link, rect = ctypes.c_int(0), pdfium.FPDF_LINK(), pdfium.FS_RECTF()
    while pdfium.FPDFLink_Enumerate(page, position, link):
        action = pdfium.FPDFLink_GetAction(link)
        if action and pdfium.FPDFAction_GetType(action) == pdfium.PDFACTION_URI:
            size = pdfium.FPDFAction_GetURIPath(document, action, None, 0)
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(document, action, buffer, size)
            pdfium.FPDFLink_GetAnnotRect(link, rect)
            area = (rect.left, rect.top, rect.right, rect.bottom)
            yield Link(_uri(buffer.raw[: max(size - 1, 0)]), area)


def _uri(content: bytes) -> str:
    """Decode the target of a link. It should be ASCII, but files have UTF-16 and UTF-8 as well."""
    for mark, encoding in (
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF8, "utf-8"),
    ):
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").rstrip("\0")
    try:
        return content.decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        return content.decode("latin-1").rstrip("\0")


def titles_of(document: Any) -> dict[int, list[Title]]:
    """Return the titles of the outline by the 1-based number of the page that each leads to.

    An outline may be endless or lead in a circle (ISO 32000-2, 12.3.3): so many titles are enough.
    """
    titles: dict[int, list[Title]] = {}
    left = _MOST_TITLES
    first = pdfium.FPDFBookmark_GetFirstChild(document, None)
    pending = [(first, 1)] if first else []
    while pending and left:
        bookmark, level = pending.pop()
        left -= 1
        target = pdfium.FPDFBookmark_GetDest(document, bookmark)
        if not target and (action := pdfium.FPDFBookmark_GetAction(bookmark)):
            target = pdfium.FPDFAction_GetDest(document, action)
        if target:
            number = pdfium.FPDFDest_GetDestPageIndex(document, target) + 1
            titles.setdefault(number, []).append(Title(_title(bookmark), level))
        if after := pdfium.FPDFBookmark_GetNextSibling(document, bookmark):
            pending.append((after, level))
        below = pdfium.FPDFBookmark_GetFirstChild(document, bookmark)
        if below and level < _MOST_DEPTH:
            pending.append((below, level + 1))
    return titles


def _title(bookmark: Any) -> str:
    buffer = ctypes.create_string_buffer(_TITLE_BYTES)
    size = pdfium.FPDFBookmark_GetTitle(bookmark, buffer, _TITLE_BYTES)
    return buffer.raw[: max(0, min(size, _TITLE_BYTES) - 2)].decode("utf-16-le", "replace")
