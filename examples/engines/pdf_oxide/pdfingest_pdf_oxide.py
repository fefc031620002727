"""PDF Oxide as an engine of pdfingest: a parser in Rust, with Markdown by its own layout.

Install it beside pdfingest, then: pdfingest run pdfs/ --engine pdf_oxide
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pdfingest import DocumentInfo, EncryptedError, MalformedError, Needs, Page, Title

NEEDS = Needs(warm="pdfingest_pdf_oxide:load", fork_safe=True)


class OxideDocument:
    """An open document, by the protocol `pdfingest.Document`."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self.page_count = int(document.page_count)

    def info(self) -> DocumentInfo:
        """Nothing: it reads XMP alone, which pdfingest reads by itself."""
        return DocumentInfo()

    def page(self, number: int) -> Page:
        """Read one page (1-based) as Markdown."""
        document, index = self._document, number - 1
        try:
            known = len(document.structured_warnings())
            text = document.to_markdown(index)
            ink = bool(text or document.page_images(index) or document.extract_paths(index))
            kinds = {each["category"] for each in document.structured_warnings()[known:]}
        except (OSError, RuntimeError, ValueError) as error:
            raise MalformedError(str(error)) from error
        if "eof_premature" in kinds and not ink:
            raise MalformedError("the content of the page is cut off")  # to it, the page is blank
        lacks_text = bool(kinds - {"no_text_layer"}) and not text  # it warns of fonts, above all
        return Page(text, ink=ink or lacks_text, lacks_text=lacks_text)

    def outline(self) -> list[Title]:
        """Return the titles of the outline."""
        return list(_titles(self._document.get_outline() or (), 1))

    def close(self) -> None:
        """Nothing: the process ends."""


def _titles(entries: Iterable[dict[str, Any]], level: int) -> Iterator[Title]:
    for entry in entries:
        page = entry["page"]  # 0-based
        yield Title(entry["title"], level, 0 if page is None else page + 1)
        yield from _titles(entry["children"], level + 1)


def load() -> Any:
    """Import what reads, which takes a tenth of a second."""
    from pdf_oxide import PdfDocument

    return PdfDocument


def open_document(path: str, passwords: Sequence[str]) -> OxideDocument:
    """Open a file: the function that the entry point names."""
    try:
        document = load()(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise MalformedError(str(error)) from error
    # It opens what is encrypted as well, and then reads no text. Of others it says True.
    if not any(document.authenticate(each) for each in ("", *passwords)):
        raise EncryptedError
    return OxideDocument(document)
