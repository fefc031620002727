"""How the pages of a document are laid out, by what they have in common.

Runs in the child. Owns which pages are looked at before the first is read, and what is kept of
them.
"""

from contextlib import suppress

from pdfingest.child.opening import Opening
from pdfingest.engines.engine import tolerate
from pdfingest.model import Aside
from pdfingest.page.outline import outline_of
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON, Survey, sampled, survey_of
from pdfingest.pages import Page

_MOST_KEPT = 2000
"""Spans of a page that is kept from the survey until its turn; a larger one is read again."""


class Layout:
    """The pages of a document that is open."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.outline = outline_of([])
        self.survey = NOTHING_IN_COMMON
        self._surveyed: dict[int, Page] = {}
        """Pages that were read for the survey, by number, until their turn comes."""

    def look(self) -> None:
        """Look at the document before its first page is read."""
        self.outline = outline_of(tolerate(Aside.OUTLINE, self.opening.outline, []))
        self.survey = tolerate(Aside.SURVEY, self._look, NOTHING_IN_COMMON)

    def _look(self) -> Survey:
        """Return what the pages of the document have in common."""
        opening, total_pages = self.opening, self.opening.total_pages
        if total_pages == 1 or not opening.has_layout:
            return NOTHING_IN_COMMON
        for number in sampled(total_pages):
            with suppress(Exception):  # a page that cannot be read shows nothing
                self._surveyed[number] = opening.page(opening.first, number)
        survey = survey_of([*self._surveyed.values()])
        pages = opening.job.pages.within(total_pages)
        self._surveyed = {
            number: page
            for number, page in self._surveyed.items()
            if number in pages and len(page.spans) <= _MOST_KEPT
        }
        return survey

    def page(self, index: int, number: int) -> Page:
        """Return a page as an engine reads it; it may be known from the survey.

        Args:
            index: 0-based, of the engine.
            number: of the page, 1-based.
        """
        if index == self.opening.first and (known := self._surveyed.pop(number, None)):
            return known
        return self.opening.page(index, number)

    def laid_out(self, page: Page, number: int) -> Page:
        """Return a page with its text as the job wants it, and all that layout tells of it."""
        if self.outline:
            titles = tuple(self.outline.titles.get(number, ()))
            page = page._replace(titles=titles, section=self.outline.section(number))
        job = self.opening.job
        return read(page, self.survey, job.format, tables=job.tables)
