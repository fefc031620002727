"""LiteParse as an engine of pdfingest: PDFium and a layout in Rust, with Markdown.

Install it beside pdfingest, then: pdfingest run pdfs/ --engine liteparse
"""

import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

from pdfingest import DocumentInfo, EncryptedError, MalformedError, Needs, Page

NEEDS = Needs(warm="pdfingest_liteparse:load", fork_safe=True, address_bytes=3 << 29)
_HOW: dict[str, Any] = {
    "ocr_enabled": False,  # pdfingest has OCR of its own
    "output_format": "markdown",
    "keep_headers_footers": True,  # else lines that two pages share are in neither of them
    "extract_content_bounds": True,  # of what a page shows, also where that is not text
    "quiet": True,
}


class LiteParseDocument:
    """An open document, by the protocol `pdfingest.RangedDocument`."""

    def __init__(self, path: str, password: str | None) -> None:
        self._path, self._password = path, password
        self.page_count = self._parser(max_pages=0).parse(path).total_pages

    def _parser(self, **more: Any) -> Any:
        from liteparse import LiteParse

        return LiteParse(**_HOW, password=self._password, **more)

    def info(self) -> DocumentInfo:
        """Nothing beyond the text."""
        return DocumentInfo()

    def pages(self, first: int, last: int) -> Iterator[Page]:
        """Yield pages, each read alone; a walk over all is faster, but begins with the first."""
        if first == 1:
            for batch in self._parser().parse_batches(self._path, 1):
                yield _page(batch.result)
        for number in range(first, last + 1) if first > 1 else ():
            yield _page(self._parser(target_pages=str(number)).parse(self._path))

    def page(self, number: int) -> Page:
        """Read one page (1-based)."""
        return next(self.pages(number, number))

    def close(self) -> None:
        """Nothing: the process ends."""


def _page(result: Any) -> Page:
    page = result.pages[0]
    text = page.markdown if page.text.strip() else ""  # of a blank page, an empty block of code
    return Page(text, ink=page.content_bounds is not None, label=page.page_label or "")


def load() -> None:
    """Make a parser, and with it a pair of sockets, which no child may make; its threads end."""
    from liteparse import LiteParse

    LiteParse(**_HOW)
    while len(os.listdir("/proc/self/task")) > 1:  # one that has ended is seen a little longer
        time.sleep(0.001)


def open_document(path: str, passwords: Sequence[str]) -> LiteParseDocument:
    """Open a file: the function that the entry point names."""
    from liteparse import ParseError

    for password in (None, *passwords):
        try:
            return LiteParseDocument(path, password)
        except ParseError as error:
            if "password" not in str(error):
                raise MalformedError(str(error)) from error
    raise EncryptedError
