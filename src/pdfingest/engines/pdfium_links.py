"""Links of a page and the outline, as PDFium has them (fpdf_doc.h)."""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import codecs
import ctypes
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pypdfium2_raw as pdfium

from pdfingest.engines.pdfium_strings import content
from pdfingest.engines.pdfium_text import Area
from pdfingest.pages import Title

_MOST_LINKS = 10_000
"""Links of a page that are read; a page that has more is an attack."""
_MOST_TITLES = 50_000
_MOST_DEPTH = 16
_TITLE_BYTES = 1024


class Link(NamedTuple):
    """A link that leads out of the document, or to a page of it."""

    target: str
    """Address outside the document; empty if it leads to a page."""
    number: int
    """Number of the page that it leads to, 1-based; 0 if to none."""
    area: Area
    """Where it is clicked."""


def links_of(document: Any, page: Any) -> Iterator[Link]:
    """Yield the links of a page, given the handles of both."""
    position, link, rect = ctypes.c_int(0), pdfium.FPDF_LINK(), pdfium.FS_RECTF()
    left = _MOST_LINKS
    while left and pdfium.FPDFLink_Enumerate(page, position, link):
        left -= 1
        target, number = _target(document, link)
        if target or number:
            pdfium.FPDFLink_GetAnnotRect(link, rect)
            yield Link(target, number, (rect.left, rect.top, rect.right, rect.bottom))


def _target(document: Any, link: Any) -> tuple[str, int]:
    """Return the address that a link leads to, or the number of the page."""
    action = pdfium.FPDFLink_GetAction(link)
    kind = pdfium.FPDFAction_GetType(action) if action else 0
    if kind == pdfium.PDFACTION_URI:
        return _uri(content(partial(pdfium.FPDFAction_GetURIPath, document, action))), 0
    if kind == pdfium.PDFACTION_REMOTEGOTO:
        return _uri(content(partial(pdfium.FPDFAction_GetFilePath, action))), 0
    found = pdfium.FPDFLink_GetDest(document, link)
    return "", pdfium.FPDFDest_GetDestPageIndex(document, found) + 1 if found else 0


def _uri(address: bytes) -> str:
    """Decode the target of a link. It should be ASCII, but files have UTF-16 and UTF-8 as well."""
    for mark, encoding in (
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF8, "utf-8"),
    ):
        if address.startswith(mark):
            return address[len(mark) :].decode(encoding, "replace").rstrip("\0")
    try:
        return address.decode("utf-8").rstrip("\0")
    except UnicodeDecodeError:
        return address.decode("latin-1").rstrip("\0")


def outline_of(document: Any) -> Iterator[Title]:
    """Yield the titles of the outline, in their order.

    An outline may lead in a circle (ISO 32000-2, 12.3.3), or never end.
    """
    left, seen = _MOST_TITLES, set[int]()
    first = pdfium.FPDFBookmark_GetFirstChild(document, None)
    pending = [(first, 1)] if first else []
    while pending and left:
        bookmark, level = pending.pop()
        address = ctypes.addressof(bookmark.contents)
        if address in seen:
            continue
        seen.add(address)
        left -= 1
        target = pdfium.FPDFBookmark_GetDest(document, bookmark)
        if not target and (action := pdfium.FPDFBookmark_GetAction(bookmark)):
            target = pdfium.FPDFAction_GetDest(document, action)
        number = pdfium.FPDFDest_GetDestPageIndex(document, target) + 1 if target else 0
        yield Title(_title(bookmark), level, number)
        if after := pdfium.FPDFBookmark_GetNextSibling(document, bookmark):
            pending.append((after, level))
        below = pdfium.FPDFBookmark_GetFirstChild(document, bookmark)
        if below and level < _MOST_DEPTH:
            pending.append((below, level + 1))


def _title(bookmark: Any) -> str:
    buffer = ctypes.create_string_buffer(_TITLE_BYTES)
    size = pdfium.FPDFBookmark_GetTitle(bookmark, buffer, _TITLE_BYTES)
    return buffer.raw[: max(0, min(size, _TITLE_BYTES) - 2)].decode("utf-16-le", "replace")
