"""Engine `pdfium`: PDFium through pypdfium2. The fastest, and the best text of the three."""

# pyright: basic
# The library is not typed throughout; mypy checks this file strictly.

import ctypes
import encodings.utf_16_le  # noqa: F401 - what PDFium's text is decoded with: once for the image
from collections.abc import Iterator, Sequence
from contextlib import closing

import pypdfium2
from pypdfium2 import raw as pdfium

from pdfingest.extract.engine import EncryptedError, MalformedError
from pdfingest.model import DocumentInfo, Page

_FPDF_ERR_PASSWORD = 4
_FPDF_ERR_SECURITY = 5
"""fpdfview.h, FPDF_GetLastError."""


def _ignore_system_fonts() -> None:
    """Start PDFium again with no font folders (fpdfview.h, FPDF_LIBRARY_CONFIG).

    A process that meets a font that is not embedded else reads every font file of the machine, some
    milliseconds to tens of them, in every child; and the text could depend on what is installed.
    PDFium's own substitutes remain. On 234 real files the text is the same either way.
    """
    pdfium.FPDF_DestroyLibrary()
    no_folders = (ctypes.POINTER(ctypes.c_char) * 1)()
    config = pdfium.FPDF_LIBRARY_CONFIG(version=2, m_pUserFontPaths=no_folders)
    pdfium.FPDF_InitLibraryWithConfig(config)


_ignore_system_fonts()


def open_document(path: str, passwords: Sequence[str]) -> "PdfiumDocument":
    """Open a file; see `engine.Engine`."""
    for password in (None, *passwords):
        try:
            return PdfiumDocument(pypdfium2.PdfDocument(path, password=password))
        except pypdfium2.PdfiumError as error:
            code = getattr(error, "err_code", None)
            if code == _FPDF_ERR_SECURITY:
                raise EncryptedError("encrypted by a scheme that PDFium does not know") from error
            if code != _FPDF_ERR_PASSWORD:
                raise MalformedError(str(error)) from error
    raise EncryptedError("no password opens it")


class PdfiumDocument:
    """A document that PDFium holds open."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document
        self.page_count = len(document)
        self._has_form = document.get_formtype() != pdfium.FORMTYPE_NONE

    def info(self) -> DocumentInfo:
        """Metadata of the document; see `engine.Document`."""
        meta = self._document.get_metadata_dict()
        return DocumentInfo(
            title=meta.get("Title", ""),
            author=meta.get("Author", ""),
            created=meta.get("CreationDate", ""),
            producer=meta.get("Producer", ""),
            language=self._language(),
        )

    def page(self, number: int) -> Page:
        """Read one page and close it, for PDFium keeps every page that is left open."""
        try:
            with closing(self._document[number - 1]) as page:
                links = tuple(_links(self._document, page))
                ink = pdfium.FPDFPage_CountObjects(page) > 0
                filled_in = self._has_form and _flatten(page)
                text = "" if filled_in else _text(page)
            if filled_in:  # what is flattened shows once the page is loaded again
                with closing(self._document[number - 1]) as page:
                    text = _text(page)
        except pypdfium2.PdfiumError as error:
            raise MalformedError(str(error)) from error
        return Page(text, ink, self._document.get_page_label(number - 1), links)

    def close(self) -> None:
        """Release the document."""
        self._document.close()

    def _language(self) -> str:
        """The catalog's /Lang, where this build of PDFium can tell it."""
        read = getattr(pdfium, "FPDFCatalog_GetLanguage", None)
        if read is None:
            return ""
        size = read(self._document, None, 0)  # in bytes, the terminator included
        buffer = (ctypes.c_ushort * (size // 2))()
        read(self._document, buffer, size)
        return bytes(buffer).decode("utf-16-le", "replace").rstrip("\0")


def _flatten(page: pypdfium2.PdfPage) -> bool:
    """Draw the fields of a form into the page, so that what was filled in is text of the page."""
    done = pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY)
    return bool(done == pdfium.FLATTEN_SUCCESS)


def _text(page: pypdfium2.PdfPage) -> str:
    """All text of a page, hidden text included, in the order of the content stream.

    FPDFText_GetText by hand: it is one call, keeps text outside the crop box, and a surrogate that
    has lost its partner stays visible to `text.clean` instead of vanishing.
    """
    with closing(page.get_textpage()) as text_page:
        count = text_page.count_chars()
        if count <= 0:
            return ""
        buffer = (ctypes.c_ushort * (count + 1))()
        written = pdfium.FPDFText_GetText(text_page, 0, count, buffer)
        return bytes(buffer)[: 2 * max(0, written - 1)].decode("utf-16-le", "surrogatepass")


def _links(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> Iterator[str]:
    """Targets of the page's link annotations that leave the document (fpdf_doc.h)."""
    position = ctypes.c_int(0)
    link = pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, position, link):
        action = pdfium.FPDFLink_GetAction(link)
        if action and pdfium.FPDFAction_GetType(action) == pdfium.PDFACTION_URI:
            size = pdfium.FPDFAction_GetURIPath(document, action, None, 0)
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(document, action, buffer, size)
            yield buffer.raw.decode("utf-8", "replace").rstrip("\0")
