"""Lattices: rules that cross, and the cells that they enclose.

Runs in the child; pure. Two places of a lattice are one cell where no rule is between them, so that
a cell may span rows and columns.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pdfingest.pages import Box

_THICK = 4.0
"""Most that a rule is thick, and less than the height of a row, in points."""
NEAR = 3.0
"""Most that two rules are apart that meet, in points."""
_COVERED = 0.6
"""Share of the side of a cell that rules cover, if it has a side there."""
_MOST_RULES = 3000
"""A page with more shows a drawing, or is an attack."""
_MOST_CELLS = 10_000
_LEAST = 3
"""Edges of two rows or columns."""


class _Rule(NamedTuple):
    """A rule of one direction."""

    at: float
    """Where it is, across its direction."""
    begin: float
    end: float


class Lattice(NamedTuple):
    """Rules that meet."""

    columns: Sequence[float]
    """x between columns, from the left edge to the right."""
    rows: Sequence[float]
    """y between rows, from the top edge to the bottom."""
    areas: Sequence[Sequence[int]]
    """By row and column: the place of the cell that this place belongs to."""

    @property
    def size(self) -> float:
        """Its area."""
        return (self.columns[-1] - self.columns[0]) * (self.rows[-1] - self.rows[0])

    def place(self, x: float, y: float) -> int:
        """Return the place at a point, counted row by row; -1 if it is outside."""
        column, row = bisect_right(self.columns, x) - 1, bisect_right(self.rows, y) - 1
        if 0 <= column < len(self.columns) - 1 and 0 <= row < len(self.rows) - 1:
            return row * (len(self.columns) - 1) + column
        return -1

    def cell(self, x: float, y: float) -> int:
        """Return the first place of the cell at a point; -1 if it is outside."""
        if (place := self.place(x, y)) < 0:
            return -1
        row, column = divmod(place, len(self.columns) - 1)
        return self.areas[row][column]


def lattices_of(rules: Sequence[Box]) -> list[Lattice]:
    """Return the lattices of rules, the smallest first, as one may be within a cell of another.

    Args:
        rules: lines and edges that are drawn, horizontal or vertical.
    """
    if len(rules) > _MOST_RULES:
        return []
    across = _merged([_Rule((b.top + b.bottom) / 2, b.left, b.right) for b in rules if _is_flat(b)])
    down = _merged(
        [_Rule((b.left + b.right) / 2, b.top, b.bottom) for b in rules if not _is_flat(b)]
    )
    found = (_lattice(*group) for group in _groups(across, down))
    return sorted(filter(None, found), key=lambda lattice: lattice.size)


def _is_flat(box: Box) -> bool:
    return box.right - box.left >= box.bottom - box.top


def _merged(rules: Sequence[_Rule]) -> list[_Rule]:
    """Return rules with those that stand at one place, and meet, as one."""
    merged: list[_Rule] = []
    groups: list[list[_Rule]] = []
    for rule in sorted(rules):
        if groups and rule.at - groups[-1][0].at < _THICK:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    for group in groups:
        at = sum(rule.at for rule in group) / len(group)
        begin, end = None, 0.0
        for rule in sorted(group, key=lambda rule: rule.begin):
            if begin is not None and rule.begin <= end + NEAR:
                end = max(end, rule.end)
                continue
            if begin is not None:
                merged.append(_Rule(at, begin, end))
            begin, end = rule.begin, rule.end
        if begin is not None:
            merged.append(_Rule(at, begin, end))
    return merged


def _meet(across: _Rule, down: _Rule) -> bool:
    return (
        across.begin - NEAR <= down.at <= across.end + NEAR
        and down.begin - NEAR <= across.at <= down.end + NEAR
    )


def _groups(
    across: Sequence[_Rule], down: Sequence[_Rule]
) -> Iterator[tuple[list[_Rule], list[_Rule]]]:
    """Yield the rules that meet each other, directly or through others."""
    meets = [[n for n, other in enumerate(down) if _meet(rule, other)] for rule in across]
    back: defaultdict[int, list[int]] = defaultdict(list)
    for number, others in enumerate(meets):
        for other in others:
            back[other].append(number)
    left = set(range(len(across)))
    while left:
        pending, rows, columns = [left.pop()], set[int](), set[int]()
        while pending:
            row = pending.pop()
            rows.add(row)
            for column in meets[row]:
                if column not in columns:
                    columns.add(column)
                    pending += left.intersection(back[column])
                    left.difference_update(back[column])
        yield [across[n] for n in sorted(rows)], [down[n] for n in sorted(columns)]


def _lattice(across: Sequence[_Rule], down: Sequence[_Rule]) -> Lattice | None:
    """Return the lattice of rules that meet; None if they enclose nothing."""
    if not across or not down:
        return None
    columns = _edges(down, across)
    rows = _edges(across, down)
    if min(len(columns), len(rows)) < _LEAST:
        return None
    if (len(columns) - 1) * (len(rows) - 1) > _MOST_CELLS:
        return None
    return Lattice(columns, rows, _areas(columns, rows, across, down))


def _edges(rules: Sequence[_Rule], others: Sequence[_Rule]) -> list[float]:
    """Return where rules stand, and the ends of those that cross them where these go further."""
    places = [rule.at for rule in rules]
    for end in (min(rule.begin for rule in others), max(rule.end for rule in others)):
        if all(abs(end - place) > _THICK for place in places):
            places.append(end)
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] >= _THICK:
            found.append(place)
    return found


def _areas(
    columns: Sequence[float],
    rows: Sequence[float],
    across: Sequence[_Rule],
    down: Sequence[_Rule],
) -> list[list[int]]:
    """Return the number of the cell of each place, by row and column."""
    beside = _sides(columns, rows, down)
    below = _sides(rows, columns, across)
    areas: list[list[int]] = []
    for row in range(len(rows) - 1):
        areas.append([])
        for column in range(len(columns) - 1):
            if column and not beside[column, row]:
                number = areas[row][column - 1]
            elif row and not below[row, column]:
                number = areas[row - 1][column]
            else:
                number = row * (len(columns) - 1) + column
            areas[row].append(number)
    return areas


def _sides(
    places: Sequence[float], steps: Sequence[float], rules: Sequence[_Rule]
) -> dict[tuple[int, int], bool]:
    """Return, by index of a place and of a step along it, whether rules cover that step."""
    by_place: defaultdict[int, list[_Rule]] = defaultdict(list)
    for rule in rules:
        near = min(range(len(places)), key=lambda n: abs(places[n] - rule.at))
        by_place[near].append(rule)
    return {
        (place, step): sum(
            max(0.0, min(rule.end, end) - max(rule.begin, begin)) for rule in by_place[place]
        )
        >= _COVERED * (end - begin)
        for place in range(len(places))
        for step, (begin, end) in enumerate(pairwise(steps))
    }
