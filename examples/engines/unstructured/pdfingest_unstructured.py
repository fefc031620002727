"""unstructured as an engine of pdfingest, with its strategy `fast`: run --engine unstructured."""

import os
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from pdfingest import DocumentInfo, EncryptedError, MalformedError, Needs, Page

NEEDS = Needs(warm="pdfingest_unstructured:load", fork_safe=True)
_SAMPLE = b"""1 0 obj<</Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 99 99]>>endobj
3 0 obj<</Type/Page/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 37>>stream
BT /F 9 Tf 9 9 Td (A sentence.) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer
<</Root 1 0 R>>
"""


class UnstructuredDocument:
    """An open document, by the protocol `pdfingest.Document`; all of it is read at once."""

    def __init__(self, content: bytes, password: str | None) -> None:
        from unstructured.partition.pdf import extractable_elements

        # The first step of `partition_pdf`, which hides what this raises, and gives no elements.
        self._pages = extractable_elements(file=content, languages=[""], password=password)
        self.page_count = len(self._pages)

    def info(self) -> DocumentInfo:
        """Nothing beyond the text."""
        return DocumentInfo()

    def page(self, number: int) -> Page:
        """Return the elements of one page (1-based), sorted as `partition_pdf` does."""
        from unstructured.partition.utils.sorting import sort_page_elements

        found = sort_page_elements(sort_page_elements(self._pages[number - 1], "basic"), "xy-cut")
        return Page("\n\n".join(each.text for each in found if each.text))

    def close(self) -> None:
        """Nothing: the process ends."""


@cache
def load() -> None:
    """Import what reads, and read a sample with it; raise an error if its model is missing."""
    os.environ["DO_NOT_TRACK"] = os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import spacy.util
    from unstructured.partition.pdf_image import pdfminer_utils

    if not spacy.util.is_package("en_core_web_sm"):  # else each file would try to install it
        raise RuntimeError("its model is missing. Run: python -m spacy download en_core_web_sm")
    # It makes a folder for each file, to repair it there. The sandbox does not allow that.
    pdfminer_utils.tempfile = SimpleNamespace(TemporaryDirectory=lambda: nullcontext("/nowhere"))
    UnstructuredDocument(_SAMPLE, None).page(1)


def open_document(path: str, passwords: Sequence[str]) -> UnstructuredDocument:
    """Read a file: the function that the entry point names."""
    load()
    from pdfminer.pdfdocument import PDFPasswordIncorrect
    from pdfminer.psexceptions import PSException

    content = Path(path).read_bytes()
    for password in (None, *passwords):
        try:
            return UnstructuredDocument(content, password)
        except PDFPasswordIncorrect:
            continue
        except (PSException, FileNotFoundError) as error:  # the latter where it would repair
            raise MalformedError(f"{type(error).__name__}: {error}") from error
    raise EncryptedError
