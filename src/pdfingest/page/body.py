"""The body of a document: the size and the font of most of its text, by which headings are told.

Runs in the child; pure.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pdfingest.page.lines import Line
from pdfingest.pages import Span

MOST_LEVELS = 6
"""Levels of headings in Markdown."""
_LARGER = 1.08
"""Size of the smallest heading that is told by its size, relative to the body."""
_MOST_CHARS = 200
"""Longest line that may be a heading."""


class Body(NamedTuple):
    """What most text of a document, or of a page, looks like, and what is larger."""

    size: float = 0.0
    """In points; 0 if there is no text."""
    is_fixed: bool = False
    """Whether it is set in a font of one width, so that such text is no code."""
    is_bold: bool = False
    is_italic: bool = False
    larger: tuple[float, ...] = ()
    """Sizes of what is larger, the largest first."""

    def level(self, size: float) -> int:
        """Return the level of a heading, from 1, by its size in points."""
        above = sum(each > _rounded(size) + 0.5 for each in self.larger)
        return min(above + 1, MOST_LEVELS)

    def is_larger(self, size: float) -> bool:
        """Whether a size is that of a heading."""
        return size > _LARGER * self.size


NO_TEXT = Body()


def body_of(pages: Iterable[Sequence[Span] | Sequence[Line]]) -> Body:
    """Return what most text of some pages looks like."""
    sizes: Counter[float] = Counter()
    chars = fixed = bold = italic = 0
    short: set[float] = set()
    for spans in pages:
        for span in spans:
            length = len(span.text)
            size = _rounded(span.size)
            sizes[size] += length
            chars += length
            fixed += length * span.font.is_fixed
            bold += length * span.font.is_bold
            italic += length * span.font.is_italic
            if length < _MOST_CHARS:
                short.add(size)
    if not chars:
        return NO_TEXT
    size = max(sizes, key=lambda each: (sizes[each], each))
    larger = sorted((each for each in short if each > _LARGER * size), reverse=True)
    return Body(
        size, 2 * fixed > chars, 2 * bold > chars, 2 * italic > chars, tuple(larger[:MOST_LEVELS])
    )


def _rounded(size: float) -> float:
    """Round a size to half a point."""
    return round(2 * size) / 2
