"""The engine `pypdf`: pure Python, a second opinion on what PDFium cannot read."""

# pyright: basic
# The library is typed in parts only; mypy checks this file strictly.

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import BinaryIO

import pypdf
from pypdf.errors import DependencyError, PyPdfError
from pypdf.generic import ContentStream, DictionaryObject, PdfObject, TextStringObject

from pdfingest.engines.engine import EncryptedError, MalformedError, tolerate
from pdfingest.model import Aside
from pdfingest.pages import DocumentInfo, Page

_PAINTS = re.compile(rb"(?<![^\s\])>])(?:f\*?|F|B\*?|b\*?|S|s|sh|Do|Tj|TJ|'|\"|EI)(?!\S)")
"""Operators that put something on the page (ISO 32000-2, table 50)."""


def open_document(path: str, passwords: Sequence[str]) -> "PypdfDocument":
    """Open a file with pypdf; see `engine.Engine`."""
    with ExitStack() as stack:
        # An open file, not its path: given a path, pypdf reads the whole file into memory.
        document = _opened(stack.enter_context(open(path, "rb")), passwords)
        stack.pop_all()  # from now on, the document closes the file
        return document


def _opened(file: BinaryIO, passwords: Sequence[str]) -> "PypdfDocument":
    try:
        reader = pypdf.PdfReader(file)
        if reader.is_encrypted and not any(reader.decrypt(p) for p in ("", *passwords)):
            raise EncryptedError
        return PypdfDocument(reader, file)
    except DependencyError as error:
        raise EncryptedError(
            f"pypdf lacks a package to decrypt it: {error}", by_password=False
        ) from error
    except NotImplementedError as error:  # what pypdf says of a file opened by a certificate
        raise EncryptedError(f"pypdf cannot decrypt it: {error}", by_password=False) from error
    except (PyPdfError, RecursionError) as error:
        raise MalformedError(f"{type(error).__name__}: {error}") from error


class PypdfDocument:
    """A document that pypdf holds open."""

    def __init__(self, reader: pypdf.PdfReader, file: BinaryIO) -> None:
        self._reader = reader
        self._file = file
        self.page_count = len(reader.pages)
        self._labels: list[str] = tolerate(Aside.LABEL, self._page_labels, [])

    def info(self) -> DocumentInfo:
        """Return the metadata of the document; see `engine.Document`."""
        meta = self._reader.metadata or DictionaryObject()
        language = self._reader.root_object.get("/Lang")
        return DocumentInfo(
            title=_string(meta.get("/Title")),
            author=_string(meta.get("/Author")),
            subject=_string(meta.get("/Subject")),
            keywords=_string(meta.get("/Keywords")),
            created=_string(meta.get("/CreationDate")),
            modified=_string(meta.get("/ModDate")),
            producer=_string(meta.get("/Producer")),
            language=_string(language),
        )

    def page(self, number: int) -> Page:
        """Read one page, then release what pypdf resolved for it (py-pdf/pypdf#3296)."""
        try:
            page = self._reader.pages[number - 1]
            annotations: list[DictionaryObject] = tolerate(
                Aside.LINKS, lambda: list(_annotations(page)), []
            )
            filled_in: list[str] = tolerate(
                Aside.FIELDS, lambda: list(_field_values(annotations)), []
            )
            text = "\n".join((page.extract_text(), *filled_in))
            return Page(
                text=text,
                ink=bool(text)
                or tolerate(Aside.INK, lambda: _paints(page.get_contents()), default=True),
                label=self._labels[number - 1] if number <= len(self._labels) else "",
                links=tolerate(Aside.LINKS, lambda: tuple(_links(annotations)), ()),
            )
        except (PyPdfError, RecursionError) as error:
            raise MalformedError(f"{type(error).__name__}: {error}") from error
        finally:
            self._reader.resolved_objects.clear()

    def close(self) -> None:
        """Release the document and close the file."""
        self._reader.close()
        self._file.close()

    def _page_labels(self) -> list[str]:
        """Return a label for each page, or nothing where the document has none."""
        return self._reader.page_labels if "/PageLabels" in self._reader.root_object else []


def _paints(content: ContentStream | None) -> bool:
    return content is not None and bool(_PAINTS.search(content.get_data()))


def _annotations(page: pypdf.PageObject) -> Iterator[DictionaryObject]:
    """Yield the annotations of a page, except broken ones."""
    for reference in page.annotations or ():
        annotation = reference.get_object()
        if isinstance(annotation, DictionaryObject):
            yield annotation


def _links(annotations: Iterable[DictionaryObject]) -> Iterator[str]:
    for annotation in annotations:
        action = annotation.get("/A")
        action = action.get_object() if action is not None else None
        if isinstance(action, DictionaryObject) and "/URI" in action:
            yield _string(action["/URI"])


def _field_values(annotations: Iterable[DictionaryObject]) -> Iterator[str]:
    """Yield the text that is filled into form fields, which may inherit it (ISO 32000-2, 12.7)."""
    for annotation in annotations:
        if annotation.get("/Subtype") == "/Widget":
            parent = annotation.get("/Parent", DictionaryObject()).get_object()
            value = annotation.get("/V") or parent.get("/V")
            if isinstance(value, TextStringObject) and value:
                yield value


def _string(value: object) -> str:
    """Return a value of the document as text, whatever type the file gave it."""
    value = value.get_object() if isinstance(value, PdfObject) else value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
