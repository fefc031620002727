"""Engine `pdfium`: PDFium through pypdfium2. The fastest, and the best text of the three.

By the bindings alone: what the classes of pypdfium2 do beyond them (finalizers, weak references,
paths) touches hundreds of Python objects, and each of them is memory that a fresh process must copy
first. Without them a page costs a third less, and the image of the children is 1 MiB smaller.
"""

# pyright: basic
# The bindings are not typed; mypy checks this file strictly.

import codecs
import ctypes
import os
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pypdfium2_raw as pdfium

from pdfingest.engines.engine import EncryptedError, MalformedError, tolerate
from pdfingest.model import Aside, DocumentInfo, Page

_ERRORS = {
    1: "unknown error",
    2: "file access error",
    3: "data format error",
    6: "page not found or content error",
}
_PASSWORD, _SECURITY = 4, 5
"""fpdfview.h, FPDF_GetLastError."""
_PUBLIC_KEY = re.compile(rb"/Filter\s*/(?:Adobe\.PubSec|Adobe\.PPKLite|Entrust\.PPKEF)\b")
"""Security handlers of certificates (ISO 32000-2, 7.6.5)."""
_IN_MEMORY_BYTES = 8 << 20
"""A larger file is not worth its memory."""


def _start() -> None:
    """Start PDFium with no font folders (fpdfview.h, FPDF_LIBRARY_CONFIG).

    A process that meets a font that is not embedded else reads every font file of the machine, some
    milliseconds to tens of them, in every child; and the text could depend on what is installed.
    PDFium's own substitutes remain. On 234 real files the text is the same either way.
    """
    no_folders = (ctypes.POINTER(ctypes.c_char) * 1)()
    config = pdfium.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=no_folders)
    pdfium.FPDF_InitLibraryWithConfig(config)


_start()
codecs.lookup("utf-16-le")  # of PDFium's text; the first time of a process is an import


def open_document(path: str, passwords: Sequence[str]) -> "PdfiumDocument":
    """Open a file; see `engine.Engine`."""
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
        if code == _SECURITY:
            raise EncryptedError(_scheme(path), by_password=False)
        if code != _PASSWORD:
            raise MalformedError(f"PDFium cannot open it: {_ERRORS.get(code, 'unknown error')}")
    raise EncryptedError


def _scheme(path: str) -> str:
    """Say what a file is encrypted with that PDFium does not know."""
    with open(path, "rb") as file:
        # The dictionary of the encryption is not encrypted, nor in an object stream (7.6.1).
        before = b""
        while piece := file.read(1 << 20):
            if _PUBLIC_KEY.search(before + piece):
                return "it is encrypted for the owner of a certificate; no password opens it"
            before = piece[-100:]
    return "it is encrypted by a scheme that PDFium does not know; no password opens it"


def _content(path: str) -> bytes | None:
    """The file, unless it is large.

    Of a file PDFium asks 512 bytes at a time, with three system calls. Why not a mapping: a file
    that is cut off meanwhile would kill the process (SIGBUS).
    """
    with open(path, "rb", buffering=0) as file:
        return file.read() if os.fstat(file.fileno()).st_size <= _IN_MEMORY_BYTES else None


class PdfiumDocument:
    """A document that PDFium holds open.

    Args:
        document: PDFium's handle.
        content: the file, if it is read from memory.
    """

    goes_by_count = True

    def __init__(self, document: Any, content: bytes | None) -> None:
        self._document = document
        self._content = content  # PDFium does not copy it
        self.page_count: int = pdfium.FPDF_GetPageCount(document)
        self._has_form = pdfium.FPDF_GetFormType(document) != pdfium.FORMTYPE_NONE

    def info(self) -> DocumentInfo:
        """Metadata of the document; see `engine.Document`."""
        return DocumentInfo(
            title=self._meta(b"Title"),
            author=self._meta(b"Author"),
            created=self._meta(b"CreationDate"),
            producer=self._meta(b"Producer"),
            language=self._language(),
        )

    def page(self, number: int) -> Page:
        """Read one page and close it, for PDFium keeps every page that is left open."""
        page = self._load(number)
        try:
            links: tuple[str, ...] = tolerate(
                Aside.LINKS, lambda: tuple(_links(self._document, page)), ()
            )
            ink = pdfium.FPDFPage_CountObjects(page) > 0
            filled_in = self._has_form and _flatten(page)
            text = "" if filled_in else _text(page)
        finally:
            pdfium.FPDF_ClosePage(page)
        if filled_in:  # what is flattened shows once the page is loaded again
            page = self._load(number)
            try:
                text = _text(page)
            finally:
                pdfium.FPDF_ClosePage(page)
        label = tolerate(Aside.LABEL, lambda: self._label(number), "")
        return Page(text, ink, label, links)

    def close(self) -> None:
        """Release the document."""
        pdfium.FPDF_CloseDocument(self._document)

    def _load(self, number: int) -> Any:
        """A page by its 1-based number."""
        if page := pdfium.FPDF_LoadPage(self._document, number - 1):
            return page
        raise MalformedError("Failed to load page.")

    def _meta(self, key: bytes) -> str:
        """A value of the document's information dictionary."""
        return _string(lambda to, size: pdfium.FPDF_GetMetaText(self._document, key, to, size))

    def _label(self, number: int) -> str:
        """The label of a page by its 1-based number."""
        index = number - 1
        return _string(lambda to, size: pdfium.FPDF_GetPageLabel(self._document, index, to, size))

    def _language(self) -> str:
        """The catalog's /Lang, where this build of PDFium can tell it."""
        read = getattr(pdfium, "FPDFCatalog_GetLanguage", None)
        if read is None:
            return ""
        return _string(
            lambda to, size: read(
                self._document, ctypes.cast(to, ctypes.POINTER(ctypes.c_ushort)), size
            )
        )


def _string(read: Callable[[Any, int], int]) -> str:
    """What a call writes that takes a buffer and its size in bytes, and gives the size it needs.

    Args:
        read: the call; what it writes is UTF-16 with a terminator.
    """
    size = read(None, 0)
    if size <= 2:  # noqa: PLR2004 - the terminator alone
        return ""
    buffer = ctypes.create_string_buffer(size)
    read(buffer, size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _uri(content: bytes) -> str:
    """Decode a target. It should be ASCII, and is what the file has: UTF-16 too, or UTF-8."""
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


def _flatten(page: Any) -> bool:
    """Draw the fields of a form into the page, so that what was filled in is text of the page."""
    done = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
    return bool(done == pdfium.FLATTEN_SUCCESS)


def _text(page: Any) -> str:
    """All text of a page, hidden text included, in the order of the content stream.

    In one call, which keeps text outside the crop box; and a surrogate that has lost its partner
    stays visible to `text.clean` instead of vanishing.
    """
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        raise MalformedError("Failed to load text page.")
    try:
        count = pdfium.FPDFText_CountChars(text_page)
        if count <= 0:
            return ""
        buffer = (ctypes.c_ushort * (count + 1))()
        written = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
        return bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "surrogatepass")
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def _links(document: Any, page: Any) -> Iterator[str]:
    """Targets of the page's link annotations that leave the document (fpdf_doc.h)."""
    position = ctypes.c_int(0)
    link = pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, position, link):
        action = pdfium.FPDFLink_GetAction(link)
        if action and pdfium.FPDFAction_GetType(action) == pdfium.PDFACTION_URI:
            size = pdfium.FPDFAction_GetURIPath(document, action, None, 0)
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(document, action, buffer, size)
            yield _uri(buffer.raw[: max(size - 1, 0)])
