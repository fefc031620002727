"""The engine `pdfplumber`: pdfminer.six with layout; the slowest, and the one that knows tables."""

# pyright: basic
# The library is typed in parts only; mypy checks this file strictly.

from collections.abc import Iterator, Sequence
from itertools import islice

import pdfplumber
from pdfminer.pdfdocument import PDFEncryptionError, PDFNoPageLabels, PDFPasswordIncorrect
from pdfminer.pdftypes import resolve1
from pdfminer.psexceptions import PSException
from pdfminer.utils import decode_text
from pdfplumber.page import Page as PlumberPage
from pdfplumber.pdf import PDF
from pdfplumber.table import Table as PlumberTable
from pdfplumber.utils.exceptions import PdfminerException

from pdfingest.engines.engine import EncryptedError, MalformedError, tolerate
from pdfingest.model import Aside
from pdfingest.pages import Box, DocumentInfo, Page, Table


def open_document(path: str, passwords: Sequence[str]) -> "PdfplumberDocument":
    """Open a file with pdfplumber; see `engine.Engine`."""
    for password in ("", *passwords):
        try:
            return PdfplumberDocument(pdfplumber.open(path, password=password))
        except (PdfminerException, PSException, RecursionError) as error:
            cause = error.args[0] if isinstance(error, PdfminerException) and error.args else error
            if isinstance(cause, OSError | MemoryError):
                raise cause from error
            if isinstance(cause, PDFPasswordIncorrect):
                continue
            if isinstance(cause, PDFEncryptionError):
                message = f"pdfminer cannot decrypt it: {cause}"
                raise EncryptedError(message, by_password=False) from error
            raise MalformedError(f"{type(cause).__name__}: {cause}") from error
    raise EncryptedError


class PdfplumberDocument:
    """A document that pdfplumber holds open."""

    def __init__(self, document: PDF) -> None:
        self._document = document
        # Without this, pdfminer reads the labels with the pages: endless labels would cost all.
        catalog = document.doc.catalog
        labels = catalog.pop("PageLabels", None)
        self._pages = document.pages
        if labels is not None:
            catalog["PageLabels"] = labels
        self.page_count = len(self._pages)
        self._labels: list[str] = tolerate(Aside.LABEL, self._page_labels, [])

    def info(self) -> DocumentInfo:
        """Return the metadata of the document; see `engine.Document`."""
        meta = self._document.metadata or {}
        language = resolve1(self._document.doc.catalog.get("Lang", ""))
        return DocumentInfo(
            title=_string(meta.get("Title")),
            author=_string(meta.get("Author")),
            subject=_string(meta.get("Subject")),
            keywords=_string(meta.get("Keywords")),
            created=_string(meta.get("CreationDate")),
            modified=_string(meta.get("ModDate")),
            producer=_string(meta.get("Producer")),
            language=_string(language),
        )

    def page(self, number: int) -> Page:
        """Read one page, then release its caches (jsvine/pdfplumber#193)."""
        page = self._pages[number - 1]
        try:
            filled_in: list[str] = tolerate(Aside.FIELDS, lambda: list(_field_values(page)), [])
            text = "\n".join((page.extract_text(), *filled_in))
            return Page(
                text=text,
                ink=bool(text)
                or tolerate(Aside.INK, lambda: any(page.objects.values()), default=True),
                label=self._labels[number - 1] if self._labels else "",
                links=tolerate(Aside.LINKS, lambda: tuple(_links(page)), ()),
            )
        except (PdfminerException, PSException, RecursionError) as error:
            raise MalformedError(f"{type(error).__name__}: {error}") from error
        finally:
            page.close()

    def tables(self, number: int) -> list[Table]:
        """Return the tables of a page, told by lines; see `abilities.TabledDocument`."""
        page = self._pages[number - 1]
        try:
            return [_table(found) for found in page.find_tables()]
        finally:
            page.close()

    def close(self) -> None:
        """Release the document."""
        self._document.close()

    def _page_labels(self) -> list[str]:
        """Return a label for each page, or nothing where the document has none."""
        try:
            return list(islice(self._document.doc.get_page_labels(), self.page_count))
        except PDFNoPageLabels:
            return []


def _table(found: PlumberTable) -> Table:
    rows = [[cell or "" for cell in row] for row in found.extract()]
    return Table(Box(*found.bbox), tuple(map(tuple, rows)))


def _links(page: PlumberPage) -> Iterator[str]:
    for link in page.hyperlinks:
        if link.get("uri"):
            yield _string(link["uri"])


def _field_values(page: PlumberPage) -> Iterator[str]:
    """Yield the text that is filled into form fields, which may inherit it (ISO 32000-2, 12.7)."""
    for annotation in page.annots:
        data = annotation["data"]
        if getattr(data.get("Subtype"), "name", "") == "Widget":
            parent = resolve1(data.get("Parent")) or {}
            value = resolve1(data.get("V") or parent.get("V"))
            if isinstance(value, bytes) and value:
                yield decode_text(value)


def _string(value: object) -> str:
    """Return a value of the document as text, whatever type the file gave it."""
    if isinstance(value, bytes):
        return decode_text(value)
    return "" if value is None else str(value)
