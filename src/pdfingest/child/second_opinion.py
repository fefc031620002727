"""What the other engines make of a page of which the first one cannot read all.

Runs in the child. Owns when they are asked, and which of them is believed.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cached_property, partial

from pdfingest.child.opening import Opening
from pdfingest.engines.engine import tolerate
from pdfingest.model import Aside
from pdfingest.page.survey import sampled
from pdfingest.pages import Page
from pdfingest.text import character_counts, clean, is_garbled, letters

_ALL = 0.95
"""Share of the letters of an engine that another must find, to have found all there are."""
_OTHER = 0.05
"""Share of the characters that must differ for two engines to read different ones."""


class SecondOpinion:
    """Asks the engines behind the first of a job, as it has opened them."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening

    def whole(self, page: Page, index: int, number: int) -> tuple[Page, int]:
        """Return a page, and the 0-based index of the engine that read it.

        Args:
            page: as the first engine reads it.
            index: of that engine.
            number: of the page, 1-based.
        """
        if _has_no_meaning(page):
            best, by = self._readable(page, index, number) if self._helps else (page, index)
        elif page.is_doubtful and self._corrects:
            best, by = self._corrected(page, index, number)
        elif page.lacks_text:
            best, by = self._fuller(page, index, number)
        else:
            return page, index
        # Its pictures are the same, and another engine may not look at them.
        return (best if by == index else best._replace(unsaid=page.unsaid)), by

    def _fuller(self, page: Page, index: int, number: int) -> tuple[Page, int]:
        """Return the page of the next engine that finds more text.

        What seems to be lacking may be spaces. If the next engine finds no more, the page is whole.
        """
        known = letters(page.text)
        for other, second in self._others(index, number):
            found = letters(second.text)
            if found > known:
                return second, other
            if found and found >= _ALL * known:
                return page._replace(lacks_text=False), index
        return page, index

    def _readable(self, page: Page, index: int, number: int) -> tuple[Page, int]:
        """Return the page of the next engine whose text has a meaning."""
        for other, second in self._others(index, number):
            if letters(second.text) and not _has_no_meaning(second):
                return second, other
        return page, index

    def _corrected(self, page: Page, index: int, number: int) -> tuple[Page, int]:
        """Return the page of the next engine that reads other letters, if it finds them all.

        The names of the glyphs of a Type 3 font may say which characters they are, which PDFium
        does not ask.
        """
        known = character_counts(page.text)
        for other, second in self._others(index, number):
            found = character_counts(second.text)
            differing = (known - found).total()
            # An engine that writes the names of glyphs, where they say nothing, finds too many.
            is_whole = 2 * abs(found.total() - known.total()) < differing
            if is_whole and differing >= _OTHER * known.total() and not _has_no_meaning(second):
                return second, other
        return page, index

    def _others(self, index: int, number: int) -> Iterator[tuple[int, Page]]:
        """Yield a page as the engines behind an index read it, but for those that cannot."""
        for other in range(index + 1, len(self.opening.job.engines)):
            read = partial(self.opening.page, other, number)
            if (second := tolerate(Aside.OTHER, read, None)) is not None:
                yield other, second

    @cached_property
    def _helps(self) -> bool:
        """Whether to ask where text has no meaning, which another engine can rarely give it."""
        return tolerate(
            Aside.OTHER, lambda: self._has_helped(_has_no_meaning, self._readable), default=True
        )

    @cached_property
    def _corrects(self) -> bool:
        """Whether to ask where letters may be wrong, which they rarely are."""
        return tolerate(
            Aside.OTHER, lambda: self._has_helped(_may_be_wrong, self._corrected), default=True
        )

    def _has_helped(
        self, is_poor: Callable[[Page], bool], ask: Callable[[Page, int, int], tuple[Page, int]]
    ) -> bool:
        """Return whether another engine reads the first poor page of the document better.

        It is asked of one page, which the page count alone chooses, so that a record does not
        depend on which pages a process reads. Otherwise a document that nobody can read would take
        as long as its slowest reader. If one of the pages that are looked at kills the process, the
        next one asks nobody.

        Args:
            is_poor: whether a page is to be asked for.
            ask: returns the page, and the index of the engine that read it.
        """
        total_pages, first = self.opening.total_pages, self.opening.first
        for number in sampled(total_pages) if total_pages > 1 else ():
            with suppress(Exception):  # a page that cannot be read shows nothing
                page = self.opening.page(first, number)
                if is_poor(page):
                    return ask(page, first, number)[1] != first
        return True


def _may_be_wrong(page: Page) -> bool:
    return page.is_doubtful


def _has_no_meaning(page: Page) -> bool:
    return is_garbled(clean(page.text), page.lost)
