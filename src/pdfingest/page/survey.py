"""The survey of a document: what some of its pages show that all of them have in common.

Runs in the child; pure. The pages are chosen by the page count alone, so that a record does not
depend on how a document is shared out among processes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from pdfingest.page.body import NO_TEXT, Body, body_of
from pdfingest.page.furniture import Place, places_of
from pdfingest.page.words import Words
from pdfingest.pages import Page

_FIRST, _MOST = 4, 8
"""Pages at the beginning that are looked at, and in all."""


class Survey(NamedTuple):
    """What the pages of a document have in common."""

    places: tuple[Place, ...] = ()
    """Where furniture stands."""
    body: Body = NO_TEXT
    """What most of its text looks like."""
    words: Words | None = None
    """What its words tell of those that line ends divide; None to ask the words of the page."""


NOTHING_IN_COMMON = Survey()
"""For a document of one page, or whose engine does not know where text stands."""


def sampled(total_pages: int) -> list[int]:
    """Return the numbers, 1-based, of the pages to look at, given the page count of a document.

    They come in pairs, as left and right pages often have heads of their own.
    """
    if total_pages <= _MOST:
        return list(range(1, total_pages + 1))
    middle = total_pages // 2
    return sorted({*range(1, _FIRST + 1), middle, middle + 1, total_pages - 1, total_pages})


def survey_of(pages: Sequence[Page]) -> Survey:
    """Return what pages have in common."""
    words = Words([span.text for page in pages for span in page.spans])
    return Survey(places_of(pages), body_of(page.spans for page in pages), words)
