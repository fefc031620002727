"""An engine for pdfingest from outside: pdfminer.six, which orders text by its layout analysis.

Install it beside pdfingest (`pip install ./examples/engines/pdfminer`), then:
pdfingest run --engine pdfminer
"""

from collections.abc import Sequence
from io import BufferedReader

from pdfminer.converter import PDFPageAggregator
from pdfminer.layout import LAParams, LTTextBox
from pdfminer.pdfdocument import PDFDocument, PDFEncryptionError, PDFPasswordIncorrect
from pdfminer.pdfinterp import PDFPageInterpreter, PDFResourceManager
from pdfminer.pdfpage import PDFPage
from pdfminer.pdfparser import PDFParser
from pdfminer.psexceptions import PSException

from pdfingest import DocumentInfo, EncryptedError, MalformedError, Page


class PdfminerDocument:
    """An open document, by the protocol `pdfingest.Document`."""

    def __init__(self, file: BufferedReader, password: str) -> None:
        self._file = file
        document = PDFDocument(PDFParser(file), password=password)
        self._pages = list(PDFPage.create_pages(document))
        self.page_count = len(self._pages)

    def info(self) -> DocumentInfo:
        """Nothing beyond the text."""
        return DocumentInfo()

    def page(self, number: int) -> Page:
        """Read one page (1-based); nothing of it stays in memory."""
        manager = PDFResourceManager(caching=False)
        device = PDFPageAggregator(manager, laparams=LAParams())
        try:
            PDFPageInterpreter(manager, device).process_page(self._pages[number - 1])
        except PSException as error:
            raise MalformedError(f"{type(error).__name__}: {error}") from error
        found = list(device.get_result())
        text = "\n".join(each.get_text() for each in found if isinstance(each, LTTextBox))
        return Page(text, ink=bool(found))

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
        except PDFEncryptionError as error:
            raise EncryptedError(str(error), by_password=False) from error
        except PSException as error:
            raise MalformedError(f"{type(error).__name__}: {error}") from error
    raise EncryptedError
