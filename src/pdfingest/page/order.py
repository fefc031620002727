"""The reading order of a page: spans become lines, and lines stand in the order of reading.

Runs in the child; pure. Most files draw text in the order in which it is read, and where they do,
no geometry knows better. So that order is kept, unless it goes up or back within a column, or draws
two columns of text row by row. Then gutters split the page into columns, each read from its top.

All of a page turned to one direction is read before what is turned to another, the direction of
most characters first.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TypeAlias

from pdfingest.page.lines import ROW_EMS, SHIFT_EMS, Line, joined, line_of
from pdfingest.pages import Span

MOST_SPANS = 20_000
"""A page that has more keeps the order in which it was drawn; no page that is read has as many."""
_MOST_SPLITS = 12
"""Deepest columns within columns."""
_GUTTER_EMS = 0.7
_MOST_EDGES = 8
"""How many places are tried for a gutter, those first where most lines begin."""
_FEW_TURNS = 2
_FEW_ROWS, _ROWS = 2, 0.15
"""Rows of spans that are far apart, in all and relative to the spans, that leave the order to how
they were drawn."""
_LEAST_LINES = 2
"""Lines that a column has on each side of a gutter."""
_LOOSE_EMS = 1.7
"""Distance of the rows of a form, which is more than that of lines of text."""
_PROSE_CHARS = 16
"""Mean length of the lines of a column of text; cells of tables are shorter."""
_PROSE_FILL = 0.55
"""Mean length of lines of text, relative to the longest."""


def reading_order(spans: Sequence[Span]) -> list[Line]:
    """Return the lines of a page, in the order in which they are read.

    Args:
        spans: as drawn.

    Returns:
        Lines made of one or more of the spans each, with a tabulator where they are far apart, as
        the cells of a table are. Every span is in one line.
    """
    by_angle: defaultdict[int, list[Span]] = defaultdict(list)
    for span in spans:
        by_angle[span.angle].append(span)
    if len(by_angle) > 1:
        weight = {angle: sum(len(s.text) for s in group) for angle, group in by_angle.items()}
        groups = sorted(by_angle.values(), key=lambda group: -weight[group[0].angle])
    else:
        groups = list(by_angle.values())
    return [line for group in groups for line in _lines(group)]


def _lines(spans: list[Span]) -> Iterator[Line]:
    """Yield the lines of spans of one direction."""
    if len(spans) > MOST_SPANS:
        yield from map(line_of, spans)
        return
    if not _has_rows(spans) and _is_read_as_drawn(spans):
        yield from joined(spans)
        return
    for region in _split(spans, _MOST_SPLITS):
        yield from joined(_in_order(region))


def _is_read_as_drawn(spans: Sequence[Span]) -> bool:
    """Whether spans are drawn down the page, or down each of its columns, from the left one on."""
    columns = [[spans[0]]]
    for a, b in pairwise(spans):
        if _goes_back(a, b):
            return False
        if b.baseline < a.baseline - SHIFT_EMS * max(a.size, b.size):
            columns.append([])
        columns[-1].append(b)
    return all(_are_neighbours(a, b) for a, b in pairwise(columns))


def _are_neighbours(a: Sequence[Span], b: Sequence[Span]) -> bool:
    """Whether most of `b` stands to the right of most of `a`, and not in the rows of a form."""
    if min(len(a), len(b)) < _LEAST_LINES:
        return False
    right = sorted(span.right for span in a)[len(a) * 3 // 4]
    left = sorted(span.left for span in b)[len(b) // 2]
    return right <= left and not _are_rows(a, b)


def _goes_back(a: Span, b: Span) -> bool:
    """Return whether `b`, drawn after `a`, should be read before it.

    It stands above `a`, and does not begin a column to the right of it, or left of `a` on one line.
    """
    up = a.baseline - b.baseline
    if up > SHIFT_EMS * max(a.size, b.size):
        return b.left < a.right
    return b.right <= a.left and abs(up) < ROW_EMS * min(a.size, b.size)


def _in_order(spans: list[Span]) -> list[Span]:
    """Return the spans of a column from its top: stretches that are in order, or else rows."""
    stretches = [spans[:1]]
    for a, b in pairwise(spans):
        if _goes_back(a, b):
            stretches.append([])
        stretches[-1].append(b)
    if len(stretches) == 1:
        return spans
    stretches.sort(key=lambda stretch: min(span.baseline for span in stretch))
    is_apart = all(
        max(span.baseline for span in a) < min(span.baseline for span in b)
        for a, b in pairwise(stretches)
    )
    return [span for each in stretches for span in each] if is_apart else _sorted(spans)


def _has_rows(spans: Sequence[Span]) -> bool:
    """Whether many lines consist of spans that are far apart."""
    rows = sum(
        abs(b.baseline - a.baseline) < ROW_EMS * a.size and b.left - a.right > _GUTTER_EMS * a.size
        for a, b in pairwise(spans)
    )
    return rows > max(_FEW_ROWS, len(spans) * _ROWS)


def _sorted(spans: Sequence[Span]) -> list[Span]:
    """Return spans by rows, from the top, and each row from the left."""
    rows: list[list[Span]] = []
    for span in sorted(spans, key=lambda s: s.baseline):
        if rows and span.baseline - rows[-1][0].baseline < ROW_EMS * span.size:
            rows[-1].append(span)
        else:
            rows.append([span])
    return [span for row in rows for span in sorted(row, key=lambda s: s.left)]


def _split(spans: list[Span], splits: int) -> Iterator[list[Span]]:
    """Yield the regions of spans in the order of reading: what is above, left, right, and below."""
    best = _best_gutter(spans) if splits and len(spans) > 2 * _LEAST_LINES else None
    if best is None:
        yield spans
        return
    parts = [best.above, best.left, best.right, best.below]
    if _are_rows(best.left, best.right):
        parts[1:3] = [_sorted(best.left + best.right)]
    for part in parts:
        if part:
            yield from _split(part, splits - 1)


def _best_gutter(spans: list[Span]) -> "_Split | None":
    """Split spans at the gutter beside which most text stands; None if there is no gutter."""
    em = sorted(span.size for span in spans)[len(spans) // 2]
    begin = min(span.left for span in spans)
    edges = Counter([int(span.left // 2) for span in spans if span.left > begin + 2 * em])
    merged = Counter({edge: count + edges[edge + 1] for edge, count in edges.items()})
    down = sorted(enumerate(spans), key=lambda each: each[1].baseline - each[1].size / 4)
    best, most = None, 0
    around: list[_Placed] = []
    for edge, count in merged.most_common(_MOST_EDGES):
        if count < _LEAST_LINES:
            break
        for beside in _stretches(down, 2.0 * edge, _GUTTER_EMS * em):
            split = _split_at(beside, 2.0 * edge)
            weight = min(_characters(split.left), _characters(split.right))
            if weight > most and _is_columns(split):
                best, most, around = split, weight, beside
    if best is not None:
        _add_rest(best, spans, around)
    return best


def _characters(spans: Sequence[Span]) -> int:
    return sum([len(span.text) for span in spans])


_Placed: TypeAlias = tuple[int, Span]
"""A span and its place in the order in which it was drawn."""


def _stretches(down: list[_Placed], edge: float, width: float) -> Iterator[list[_Placed]]:
    """Yield the spans beside a gutter, for each stretch without a span across it.

    Args:
        down: spans of a region, from its top.
        edge: where the gutter ends, and lines on its right begin.
        width: least width of the gutter.
    """
    begin = edge - width
    beside: list[_Placed] = []
    left = right = 0
    for placed in down:
        span = placed[1]
        if span.left >= edge:
            right += 1
        elif span.right <= begin:
            left += 1
        else:
            if left >= _LEAST_LINES and right >= _LEAST_LINES:
                yield beside
            beside = []
            left = right = 0
            continue
        beside.append(placed)
    if left >= _LEAST_LINES and right >= _LEAST_LINES:
        yield beside


class _Split:
    """A region that a gutter divides, for as long as no span crosses it."""

    def __init__(self) -> None:
        self.above: list[Span] = []
        self.left: list[Span] = []
        self.right: list[Span] = []
        self.below: list[Span] = []
        self.turns = 0
        """How often what is drawn changes from one side to the other."""


def _split_at(beside: Sequence[_Placed], edge: float) -> _Split:
    """Split what stands beside a gutter; what is drawn first stays first."""
    split = _Split()
    was_right: bool | None = None
    for _, span in sorted(beside):
        is_right = span.left >= edge
        (split.right if is_right else split.left).append(span)
        split.turns += was_right is not None and is_right != was_right
        was_right = is_right
    return split


def _add_rest(split: _Split, spans: Sequence[Span], beside: Sequence[_Placed]) -> None:
    """Add what stands above and below a gutter, given what stands beside it from the top."""
    places = {place for place, _ in beside}
    first = beside[0][1]
    top = first.baseline - first.size / 4
    for place, span in enumerate(spans):
        if place not in places:
            is_above = span.baseline - span.size / 4 < top
            (split.above if is_above else split.below).append(span)


def _is_columns(split: _Split) -> bool:
    """Whether what stands beside a gutter is text in columns, and not the cells of a table."""
    left, right = split.left, split.right
    low = max(min(s.baseline for s in left), min(s.baseline for s in right))
    high = min(max(s.baseline for s in left), max(s.baseline for s in right))
    if high - low < left[0].size:  # they do not stand side by side
        return False
    # The rows of a table are drawn one after the other.
    if split.turns <= max(_FEW_TURNS, min(len(left), len(right)) // 4):
        return True
    return all(map(_is_prose, (left, right)))


def _are_rows(left: Sequence[Span], right: Sequence[Span]) -> bool:
    """Whether two columns are read by rows: labels and what is filled in beside them."""
    steps = sorted(b.baseline - a.baseline for a, b in pairwise(_sorted(left)))
    if steps[len(steps) // 2] < _LOOSE_EMS * left[0].size:
        return False
    rows = sorted(span.baseline for span in left)
    return all(
        (place := bisect_right(rows, span.baseline - span.size / 2)) < len(rows)
        and rows[place] < span.baseline + span.size / 2
        for span in right
    )


def _is_prose(spans: list[Span]) -> bool:
    widths = [span.right - span.left for span in spans]
    return _characters(spans) >= _PROSE_CHARS * len(spans) and sum(widths) > _PROSE_FILL * max(
        widths
    ) * len(spans)
