"""An engine for pdfingest from outside: pdfminer.six, which orders text by its layout analysis.

Install it beside pdfingest (`pip install ./examples/engine`), then: pdfingest run --engine pdfminer
"""

from collections.abc import Sequence
from io import BufferedReader

from pdfminer.high_level import extract_text
from pdfminer.pdfdocument import PDFDocument, PDFPasswordIncorrect
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.psexceptions import PSException

from pdfingest import DocumentInfo, EncryptedError, MalformedError, Page


class PdfminerDocument:
    """An open document, by the protocol `pdfingest.Document`."""

    def __init__(self, file: BufferedReader, password: str) -> None:
        self._file = file
        self._password = password
        document = PDFDocument(PDFParser(file), password=password)
        self.page_count = sum(1 for _ in PDFPage.create_pages(document))

    def info(self) -> DocumentInfo:
        """Nothing beyond the text."""
        return DocumentInfo()

    def page(self, number: int) -> Page:
        """Read one page (1-based)."""
        pages = [number - 1]
        text = extract_text(self._file, self._password, page_numbers=pages, caching=False)
        return Page(text.rstrip("\f"))

    def close(self) -> None:
        """Release the file."""
        self._file.close()


def open_document(path: str, passwords: Sequence[str]) -> PdfminerDocument:
    """Open a file: the function that the entry point names."""
    file = open(path, "rb")  # noqa: SIM115 - the document closes it, or the child's end
    for password in ("", *passwords):
        try:
            return PdfminerDocument(file, password)
        except PDFPasswordIncorrect:
            continue
        except PSException as error:
            raise MalformedError(str(error)) from error
    raise EncryptedError("no password opens it")
