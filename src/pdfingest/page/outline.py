"""The outline of a document: which titles lead to a page, and under which it stands.

Runs in the child; pure. An outline may name pages in any order, or none (ISO 32000-2, 12.3.3).
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from pdfingest.pages import Title
from pdfingest.text import clean, shortened

_SEPARATOR = " > "
"""What stands between two titles of a section."""
_MOST_TITLE_CHARS = 200
_MOST_SECTION_CHARS = 1000


class Outline:
    """The titles of a document by the pages that they lead to.

    Args:
        titles: by the 1-based number of a page, in the order of the outline.
        sections: by the number of a page, the section with which it begins, and that with which it
            ends.
    """

    def __init__(
        self, titles: Mapping[int, Sequence[Title]], sections: Mapping[int, tuple[str, str]]
    ) -> None:
        self.titles = titles
        self._sections = sections
        self._pages = sorted(sections)
        """Numbers of the pages to which titles lead."""

    def __bool__(self) -> bool:
        return bool(self._pages)

    def section(self, number: int) -> str:
        """Return the titles under which a page stands, outermost first.

        Of the sections that begin on the page, the first counts, or the deepest of those with which
        that one begins; if none begins there, the last one of the pages before.
        """
        at = bisect_right(self._pages, number)
        if not at:
            return ""
        begin, end = self._sections[self._pages[at - 1]]
        return begin if self._pages[at - 1] == number else end


def as_title(text: str) -> str:
    """Return a clean text as one title of a section."""
    return shortened(" ".join(text.split()), _MOST_TITLE_CHARS)


def as_section(titles: Iterable[str]) -> str:
    """Return the section that titles name, outermost first; empty ones do not count."""
    return shortened(_SEPARATOR.join(filter(None, titles)), _MOST_SECTION_CHARS)


def outline_of(items: Iterable[Title]) -> Outline:
    """Return an outline, given its titles in their order."""
    titles: dict[int, list[Title]] = {}
    sections: dict[int, tuple[str, str]] = {}
    path: list[str] = []
    above = (0, 0)  # page and level of the title before, if the section that begins there ends it
    for title in items:
        number, level = title.number, title.level
        del path[level - 1 :]
        path += [""] * (level - 1 - len(path))
        path.append(as_title(clean(title.text)))
        if number < 1:
            continue
        titles.setdefault(number, []).append(title)
        section = as_section(path)
        begins = number not in sections or above == (number, level - 1)
        sections[number] = (section if begins else sections[number][0], section)
        above = (number, level) if begins else (0, 0)
    return Outline(titles, sections)
