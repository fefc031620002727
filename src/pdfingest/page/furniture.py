"""Furniture: what stands at the same place on page after page, such as running heads and numbers.

Runs in the child; pure. It is told by some pages of the document, always the same ones, so that it
does not depend on which pages a process reads. Nothing is lost: records have it, but not in `text`.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from pdfingest.pages import Box, Page, Span

_MOST_ROWS = 3
"""Rows at the top of a page, and at its end, that may be furniture."""
_MARGIN = 0.16
"""Share of the height of a page, at its top and at its end, in which furniture stands."""
_OUTERMOST = 0.06
"""Share of it in which no text stands: half an inch of a letter."""
_MOST_CHARS = 160
"""Longest row that may be furniture."""
_NEAR = 2.0
"""Most, in points, that the places of furniture differ between two pages."""
_LEAST_PAGES = 2
_APART_EMS = 1.6
"""Least distance of furniture to the text, which is more than that of lines of text."""
_OFTEN = 0.6
"""Share of the pages that have a row at a place where any row is furniture."""
_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)


class Place(NamedTuple):
    """A baseline at which furniture stands."""

    baseline: float
    size: float
    texts: frozenset[str]
    """What stands there, without numbers."""
    is_frequent: bool
    """Whether most pages have something there."""

    def holds(self, row: "_Row", distance_ems: float) -> bool:
        """Whether a row is furniture, given its distance to the text in ems."""
        if abs(row.baseline - self.baseline) > _NEAR or abs(row.size - self.size) > 1:
            return False
        return row.key in self.texts or (self.is_frequent and distance_ems > _APART_EMS)


class _Row:
    """What stands on one baseline at the top or at the end of a page.

    Args:
        baseline: y of it, in points.
        size: of its letters, in points.
        is_outermost: whether it stands in the narrow margin where no text does.
    """

    def __init__(self, baseline: float, size: float, *, is_outermost: bool) -> None:
        self.baseline, self.size, self.is_outermost = baseline, size, is_outermost
        self.spans: list[Span] = []

    @property
    def text(self) -> str:
        return " ".join(s.text.strip() for s in sorted(self.spans, key=lambda s: s.left))

    def is_like(self, beyond: "_Row") -> bool:
        """Whether it looks like the text that it stands beside, as the first line of a letter does.

        Near the edge of the page there is no text.
        """
        a, b = self.spans[0], beyond.spans[0]
        return (
            len(self.spans) == 1
            and not self.is_outermost
            and (a.font.name, round(a.size)) == (b.font.name, round(b.size))
            and abs(a.left - b.left) < _NEAR
        )

    @property
    def key(self) -> str:
        """What it says, without numbers."""
        return _NUMBER.sub("#", " ".join(self.text.split())).casefold()


def places_of(pages: Sequence[Page]) -> tuple[Place, ...]:
    """Return where furniture stands, as far as some pages show it."""
    found: defaultdict[tuple[int, int], list[tuple[int, _Row]]] = defaultdict(list)
    for number, page in enumerate(pages):
        top, end = _edges(page)
        for row in (*top[:-1], *end[:-1]):
            if len(row.text) <= _MOST_CHARS:
                found[round(row.baseline / _NEAR), round(row.size)].append((number, row))
    places: list[Place] = []
    for entries in found.values():
        on = {number for number, _ in entries}
        counted = Counter(row.key for row in dict(entries).values())
        texts = frozenset(text for text, pages_ in counted.items() if pages_ >= _LEAST_PAGES)
        if texts:
            row = entries[0][1]
            places.append(Place(row.baseline, row.size, texts, len(on) >= _OFTEN * len(pages)))
    return tuple(places)


def split(page: Page, places: Sequence[Place]) -> tuple[Sequence[Span], str]:
    """Return what of a page is no furniture, and the text of what is, a row a line.

    Rows are taken from the edges inwards, up to the last that stands apart from what is left. A
    page of which nothing would be left has no furniture.
    """
    spans = page.spans
    if not places:
        return spans, ""
    edges = _edges(page)
    for most in (_MOST_ROWS, 1):  # where all rows of a page are repeated, the outermost will do
        taken = [row for rows in edges for row in _taken(rows[: most + 1], places)]
        gone = {id(span) for row in taken for span in row.spans}
        rest = [span for span in spans if id(span) not in gone]
        if rest:
            return rest, "\n".join(row.text for row in sorted(taken, key=lambda row: row.baseline))
    return spans, ""


def _taken(rows: Sequence[_Row], places: Sequence[Place]) -> Sequence[_Row]:
    """Return the rows that are furniture, of those at one edge of a page, without the last."""
    count = 0
    for place, (row, beyond) in enumerate(pairwise(rows), 1):
        distance_ems = abs(beyond.baseline - row.baseline) / max(row.size, beyond.size, 1)
        if row.is_like(beyond) or not any(each.holds(row, distance_ems) for each in places):
            break
        if distance_ems > _APART_EMS:
            count = place
    return rows[:count]


def _edges(page: Page) -> tuple[list[_Row], list[_Row]]:
    """Return the rows at the top of a page and at its end, the outermost first.

    One row more is for comparison; it may stand anywhere.
    """
    if not page.spans:
        return [], []
    angle = Counter(span.angle for span in page.spans).most_common(1)[0][0]
    upright = [span for span in page.spans if span.angle == angle]
    upright.sort(key=lambda span: span.baseline)
    top, end = _height(page.box, angle)
    height = (end - top) or 1.0
    return (
        _rows(upright, lambda span: (span.baseline - top) / height),
        _rows(reversed(upright), lambda span: (end - span.baseline) / height),
    )


def _height(box: Box, angle: int) -> tuple[float, float]:
    """Return where a page begins and ends for spans of an angle, along their baselines' y."""
    match round(angle / 90) % 4:
        case 0:
            return box.top, box.bottom
        case 1:
            return box.left, box.right
        case 2:
            return -box.bottom, -box.top
        case _:
            return -box.right, -box.left


def _rows(spans: Iterable[Span], depth: Callable[[Span], float]) -> list[_Row]:
    """Return the rows of spans that are near an edge, and the next one.

    Args:
        spans: from the edge on.
        depth: tells how far from the edge one stands, as a share of the height of the page.
    """
    rows: list[_Row] = []
    for span in spans:
        if not rows or abs(span.baseline - rows[-1].baseline) > _NEAR:
            if len(rows) > _MOST_ROWS or (rows and depth(rows[-1].spans[0]) > _MARGIN):
                break
            rows.append(_Row(span.baseline, span.size, is_outermost=depth(span) < _OUTERMOST))
        rows[-1].spans.append(span)
    return rows
