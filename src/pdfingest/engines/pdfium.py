"""The engine `pdfium`: PDFium through pypdfium2, the fastest, and the best text of the three.

It uses the bindings alone. What the classes of pypdfium2 add to them (finalizers, weak references,
paths) touches hundreds of Python objects, each in memory that a fresh process must copy first.
Without them a page costs a third less, and the image of the children is 1 MiB smaller.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import codecs
import ctypes
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.engines.engine import EncryptedError, MalformedError, tolerate
from pdfingest.engines.pdfium_bullets import with_bullets
from pdfingest.engines.pdfium_fonts import NO_FONTS, lacks_text, shows_image, shows_text
from pdfingest.engines.pdfium_layers import take_hidden
from pdfingest.engines.pdfium_links import Link, links_of, titles_of
from pdfingest.engines.pdfium_spans import Spans
from pdfingest.engines.pdfium_text import text_of
from pdfingest.engines.raw_objects import find_catalog
from pdfingest.model import Aside, Box, DocumentInfo, Page, Title

_ERRORS = {
    1: "unknown error",
    2: "file access error",
    3: "data format error",
    6: "page not found or content error",
}
_FORMAT, _PASSWORD, _SECURITY = 3, 4, 5
"""Error codes of FPDF_GetLastError (fpdfview.h)."""
_PUBLIC_KEY = re.compile(rb"/Filter\s*/(?:Adobe\.PubSec|Adobe\.PPKLite|Entrust\.PPKEF)\b")
"""Security handlers of certificates (ISO 32000-2, 7.6.5)."""
_IN_MEMORY_BYTES = 8 << 20
"""Largest file that is read into memory at once; more is not worth the memory."""
_TERMINATOR_BYTES = 2
_CUT_OFF = "the file is cut off, and nothing of this page is in it"
_MOST_REBUILT_BYTES = 256 << 20
"""Largest file that is read whole because its end is missing."""
_UNDRAWN = frozenset({pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP})
"""Annotations that draw nothing that has text (ISO 32000-2, 12.5.6.5 and 12.5.6.14)."""


def _start() -> None:
    """Start PDFium with no font folders (fpdfview.h, FPDF_LIBRARY_CONFIG).

    Otherwise a process that meets a font that is not embedded reads every font file of the machine,
    which takes up to tens of milliseconds in each child, and the text could depend on what is
    installed. PDFium's own substitutes remain; on 234 real files the text is the same either way.
    """
    no_folders = (ctypes.POINTER(ctypes.c_char) * 1)()
    config = pdfium.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=no_folders)
    pdfium.FPDF_InitLibraryWithConfig(config)
    pdfium.FPDF_SetSystemFontInfo(NO_FONTS)


_start()
codecs.lookup("utf-16-le")  # of PDFium's texts; its first use in a process is an import


def open_document(path: str, passwords: Sequence[str]) -> "PdfiumDocument":
    """Open a file with PDFium; see `engine.Engine`."""
    content = _content(path)
    for password in (None, *passwords):
        key = None if password is None else password.encode()
        if content is None:
            document = pdfium.FPDF_LoadDocument(os.fsencode(path), key)
        else:
            document = pdfium.FPDF_LoadMemDocument64(content, len(content), key)
        if document and pdfium.FPDF_GetPageCount(document) > 0:
            return PdfiumDocument(document, content)
        code = pdfium.FPDF_GetLastError()
        if document:
            pdfium.FPDF_CloseDocument(document)
            raise MalformedError("it has no pages")
        if code == _FORMAT and (rebuilt := _rebuilt(path)):
            document = pdfium.FPDF_LoadMemDocument64(rebuilt, len(rebuilt), key)
            if document and pdfium.FPDF_GetPageCount(document) > 0:
                return PdfiumDocument(document, rebuilt, is_cut_off=True)
        if code == _SECURITY:
            raise EncryptedError(_scheme(path), by_password=False)
        if code != _PASSWORD:
            raise MalformedError(f"PDFium cannot open it: {_ERRORS.get(code, 'unknown error')}")
    raise EncryptedError


def _rebuilt(path: str) -> bytes | None:
    """Return a file that was cut off with an end that names its catalog; None if that is not seen.

    Then PDFium looks for the objects itself, and reads the pages that are there. An object that is
    not whole is left out, so that its page is lost and not half of it.
    """
    with open(path, "rb", buffering=0) as file:
        content = file.read(_MOST_REBUILT_BYTES + 1)
    if len(content) > _MOST_REBUILT_BYTES or not (catalog := find_catalog(content)):
        return None
    whole = content[: content.rfind(b"endobj")]
    return b"%sendobj\ntrailer<</Root %d 0 R>>\n%%%%EOF\n" % (whole, catalog)


def _scheme(path: str) -> str:
    """Say how a file is encrypted whose scheme PDFium does not know."""
    with open(path, "rb") as file:
        # The encryption dictionary is neither encrypted nor in an object stream (7.6.1).
        before = b""
        while piece := file.read(1 << 20):
            if _PUBLIC_KEY.search(before + piece):
                return "it is encrypted for the owner of a certificate; no password opens it"
            before = piece[-100:]
    return "it is encrypted by a scheme that PDFium does not know; no password opens it"


def _content(path: str) -> bytes | None:
    """Return the content of a file, or None if it is large.

    From a file PDFium reads 512 bytes at a time, with three system calls. Why not map it: a file
    that is truncated meanwhile would kill the process (SIGBUS).
    """
    with open(path, "rb", buffering=0) as file:
        return file.read() if os.fstat(file.fileno()).st_size <= _IN_MEMORY_BYTES else None


class PdfiumDocument:
    """A document that PDFium holds open: its handle, and its content if that is in memory."""

    goes_by_count = True

    def __init__(self, document: Any, content: bytes | None, *, is_cut_off: bool = False) -> None:
        self._document = document
        self._is_cut_off = is_cut_off
        self._content = content  # PDFium does not copy it
        self.page_count: int = pdfium.FPDF_GetPageCount(document)
        self._spans = Spans()
        self._hidden: Collection[bytes] = ()
        self._titles: dict[int, list[Title]] | None = None
        self._form: Any = None
        if pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_NONE:
            # It is what draws values for which the file has no drawing, or an old one.
            self._callbacks = pdfium.FPDF_FORMFILLINFO(version=2)
            self._form = pdfium.FPDFDOC_InitFormFillEnvironment(document, self._callbacks)

    def info(self) -> DocumentInfo:
        """Return the metadata of the document; see `engine.Document`."""
        return DocumentInfo(
            title=self._meta(b"Title"),
            author=self._meta(b"Author"),
            created=self._meta(b"CreationDate"),
            producer=self._meta(b"Producer"),
            language=self._language(),
        )

    def page(self, number: int) -> Page:
        """Read one page; see `engine.Document`."""
        return self._read(number, None)

    def layout(self, number: int, *, marked: bool) -> Page:
        """Read one page with where its text stands; see `engine.LayoutDocument`."""
        page = self._read(number, self._spans, marked=marked)
        if not marked:
            return page
        if self._titles is None:
            none = dict[int, list[Title]]()
            self._titles = tolerate(Aside.OUTLINE, lambda: titles_of(self._document), none)
        return replace(page, titles=tuple(self._titles.get(number, ())))

    def hide_layers(self, names: Collection[bytes]) -> None:
        """Read no text of some layers; see `engine.LayeredDocument`."""
        self._hidden = names

    def _read(self, number: int, spans: Spans | None, *, marked: bool = False) -> Page:
        """Read one page and close it, because PDFium keeps every page that is left open."""
        page = self._load(number)
        try:
            box = _box(page)
            links: list[Link] = tolerate(
                Aside.LINKS, lambda: list(links_of(self._document, page)), []
            )
            drawn = _drawn_annotations(page)
            ink = pdfium.FPDFPage_CountObjects(page) > 0 or pdfium.FPDF_ANNOT_STAMP in drawn
            is_flattened = bool(drawn) and tolerate(
                Aside.FIELDS, lambda: self._flatten(page), default=False
            )
            said = None if is_flattened else _said(page, spans, links, marked=marked)
        finally:
            pdfium.FPDF_ClosePage(page)
        if said is None:  # what is flattened shows once the page is loaded again
            page = self._load(number)
            try:
                said = _said(page, spans, links, marked=marked)
                ink = ink or shows_text(page)  # empty fields and the icons of notes are no ink
            finally:
                pdfium.FPDF_ClosePage(page)
        if self._is_cut_off and not ink:
            raise MalformedError(_CUT_OFF)
        label = tolerate(Aside.LABEL, lambda: self._label(number), "")
        return replace(said, ink=ink, label=label, box=box)

    def close(self) -> None:
        """Release the document."""
        if self._form:
            pdfium.FPDFDOC_ExitFormFillEnvironment(self._form)
        pdfium.FPDF_CloseDocument(self._document)

    def _flatten(self, page: Any) -> bool:
        """Draw fields and annotations into the page, so that what they say is text of the page.

        Returns:
            Whether anything was drawn.
        """
        if self._form:
            pdfium.FORM_OnAfterLoadPage(page, self._form)
        try:
            done = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
        finally:
            if self._form:
                pdfium.FORM_OnBeforeClosePage(page, self._form)
        return bool(done == pdfium.FLATTEN_SUCCESS)

    def _load(self, number: int) -> Any:
        if page := pdfium.FPDF_LoadPage(self._document, number - 1):
            if self._hidden:
                tolerate(Aside.LAYERS, lambda: take_hidden(page, self._hidden), None)
            return page
        raise MalformedError(_CUT_OFF if self._is_cut_off else "PDFium cannot load the page.")

    def _meta(self, key: bytes) -> str:
        return _string(lambda to, size: pdfium.FPDF_GetMetaText(self._document, key, to, size))

    def _label(self, number: int) -> str:
        """Return the label of a page by its 1-based number."""
        index = number - 1
        return _string(lambda to, size: pdfium.FPDF_GetPageLabel(self._document, index, to, size))

    def _language(self) -> str:
        """Return the catalog's /Lang, where this build of PDFium can tell it."""
        read = getattr(pdfium, "FPDFCatalog_GetLanguage", None)
        if read is None:
            return ""
        return _string(
            lambda to, size: read(
                self._document, ctypes.cast(to, ctypes.POINTER(ctypes.c_ushort)), size
            )
        )


def _string(read: Callable[[Any, int], int]) -> str:
    """Return the text that a function writes, as UTF-16 with a terminator.

    The function takes a buffer and its size in bytes, and returns the size that it needs.
    """
    size = read(None, 0)
    if size <= _TERMINATOR_BYTES:
        return ""
    buffer = ctypes.create_string_buffer(size)
    read(buffer, size)
    return buffer.raw[: size - _TERMINATOR_BYTES].decode("utf-16-le", "replace")


def _drawn_annotations(page: Any) -> set[int]:
    """Return the kinds of annotations of a page that show something: not links and pop-ups."""
    kinds: set[int] = set()
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        kinds.add(pdfium.FPDFAnnot_GetSubtype(annotation))
        pdfium.FPDFPage_CloseAnnot(annotation)
    return kinds - _UNDRAWN


def _said(page: Any, spans: Spans | None, links: Sequence[Link], *, marked: bool) -> Page:
    """Return what a page says, and where, if its spans are wanted."""
    found = text_of(page, spans, [link.area for link in links] if marked else ())
    return Page(
        found.text,
        lacks_text=tolerate(Aside.INK, lambda: lacks_text(page), default=False),
        lost=found.lost,
        is_doubtful=found.is_doubtful,
        links=tuple(link.target for link in links),
        link_texts=found.inside,
        spans=tuple(with_bullets(page, found.spans) if marked else found.spans),
        draws_image=bool(found.text)
        or tolerate(Aside.INK, lambda: shows_image(page), default=True),
    )


def _box(page: Any) -> Box:
    """Return what of a page is shown."""
    shown = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page, shown)
    return Box(shown.left, -shown.top, shown.right, -shown.bottom)
