"""Reads the pages of a document whose engine gives many at a time. Runs in the child."""

from collections.abc import Iterator

from pdfingest.engines.abilities import RangedDocument
from pdfingest.engines.engine import MalformedError
from pdfingest.pages import Page


class Ranges:
    """Takes pages one by one from what an engine yields for a range.

    What the engine raises costs the page that it was asked for; the range behind it is begun anew.
    """

    def __init__(self) -> None:
        self._document: RangedDocument | None = None
        self._pages: Iterator[Page] = iter(())
        self._next = 0

    def page(self, document: RangedDocument, number: int, last: int) -> Page:
        """Return one page.

        Args:
            document: that is open.
            number: of the page, as for `Document.page`.
            last: number of the last page that is wanted.

        Raises:
            MalformedError: the engine gives no such page.
        """
        if document is not self._document or number != self._next:
            self._document, self._pages = document, document.pages(number, last)
        page = next(self._pages, None)
        if page is None:
            raise MalformedError("its engine gives no such page")
        self._next = number + 1
        return page
