"""MarkItDown as an engine of pdfingest: the Markdown of a whole document.

Install it beside pdfingest, then: pdfingest run pdfs/ --engine markitdown --unit document
"""

import os
from collections.abc import Sequence

from pdfingest import DocumentInfo, EncryptedError, MalformedError, Needs, Page

NEEDS = Needs(warm="pdfingest_markitdown:load", fork_safe=True, is_whole=True)
"""It knows no pages. It takes more than a second to import, as it imports ONNX Runtime."""


class MarkItDownDocument:
    """An open document, by the protocol `pdfingest.Document`; it has one page."""

    page_count = 1

    def __init__(self, text: str) -> None:
        self._text = text

    def info(self) -> DocumentInfo:
        """Nothing beyond the text."""
        return DocumentInfo()

    def page(self, number: int) -> Page:
        """Return the text of the document."""
        return Page(self._text)

    def close(self) -> None:
        """Nothing: the process ends."""


def load() -> None:
    """Import what reads; ONNX Runtime then starts no thread that sends telemetry."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import markitdown.converters  # noqa: F401 - for the image to hold it


def open_document(path: str, passwords: Sequence[str]) -> MarkItDownDocument:
    """Read a file: the function that the entry point names.

    It takes no passwords. Its converter of PDFs is called by itself: `MarkItDown` would first guess
    what the file is, with a model, and read one that is no PDF as plain text.
    """
    load()
    from markitdown import StreamInfo
    from markitdown.converters import PdfConverter
    from pdfminer.pdfdocument import PDFEncryptionError
    from pdfminer.psexceptions import PSException

    with open(path, "rb") as file:
        try:
            found = PdfConverter().convert(file, StreamInfo(extension=".pdf"))
        except PDFEncryptionError as error:
            raise EncryptedError("MarkItDown takes no passwords", by_password=False) from error
        except (PSException, RecursionError) as error:
            raise MalformedError(f"{type(error).__name__}: {error}") from error
    return MarkItDownDocument(found.markdown)
