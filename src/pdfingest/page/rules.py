"""Tables between rules: lines that are drawn enclose their cells, whatever stands in these.

Runs in the child; pure. A lattice with text in less than two rows and two columns is a frame or a
drawing, and one that has several rows of text between two rules does not say where rows end: what
is in these comes as if there were no rules.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from pdfingest.page.lattice import NEAR, Lattice, lattices_of
from pdfingest.page.lines import Cell, Line, part_of
from pdfingest.pages import Box

_LEAST = 2
"""Rows and columns of a table that have text."""
_MOST_ACROSS = 0.2
"""Parts of lines that run across the rules of a table, for one that does not."""
_PAD_EMS = 1.0
"""A space, and the room that cells have at their edge."""
_INSET_EMS = 0.25
_CELL_RISE = 0.3
"""Height of the middle of small letters above the baseline, in ems."""


class Ruled:
    """A lattice, and the lines within it."""

    def __init__(self, lattice: Lattice) -> None:
        self.lattice = lattice
        self.cells: dict[int, list[Line]] = {}
        """Lines by the first place of their cell."""
        self.within = 0
        """Parts of lines that stand within a cell."""
        self.across = 0
        """Parts that run across rules."""

    def take(self, line: Line, cell: Cell) -> bool:
        """Add a part of a line, if it stands within; return whether it does."""
        inset, y = _INSET_EMS * line.size, _middle(line)
        ends = (cell.left + inset, (cell.left + cell.right) / 2, cell.right - inset)
        places: list[int] = []
        for x in ends:
            if (place := self.lattice.cell(x, y)) < 0:
                return False  # most lines of a page stand below or above the lattice
            places.append(place)
        begin, middle, end = places
        self.cells.setdefault(middle, []).append(part_of(line, [cell]))
        is_within = begin == middle == end
        self.within += is_within
        self.across += not is_within
        return True

    def table(self) -> list[list[list[Line]]]:
        """Return the lines of each cell by row and column, without empty rows and columns.

        What stands in a cell of several places stands in the first of them. It is empty where this
        is no table.
        """
        if self.across > _MOST_ACROSS * self.within:
            return []  # the rules underline text, or are the ground behind it
        count = len(self.lattice.columns) - 1
        places: defaultdict[int, list[Line]] = defaultdict(list)
        for first, lines in self.cells.items():
            for place, line in zip(self._apart(lines) or [first] * len(lines), lines, strict=True):
                places[place].append(line)
        rows = [
            [places.get(row * count + column, []) for column in range(count)]
            for row in range(len(self.lattice.rows) - 1)
        ]
        rows = [row for row in rows if any(row)]
        full = [n for n in range(count) if any(row[n] for row in rows)]
        if min(len(rows), len(full)) < _LEAST or any(map(self._has_rows, rows)):
            return []
        return [[row[n] for n in full] for row in rows]

    def _apart(self, lines: Sequence[Line]) -> list[int]:
        """Return the place of each line of a cell, if they stand side by side in its columns.

        Then the cell is several whose sides are not drawn, as where every other row is shaded.
        """
        columns, width = self.lattice.columns, len(self.lattice.columns) - 1
        places = [self.lattice.place((line.left + line.right) / 2, _middle(line)) for line in lines]
        fit = all(
            columns[place % width] - NEAR < line.left
            and line.right < columns[place % width + 1] + NEAR
            for place, line in zip(places, lines, strict=True)
        )
        return places if fit and len({place % width for place in places}) > 1 else []

    def _has_rows(self, row: Sequence[Sequence[Line]]) -> bool:
        """Whether what stands between two rules are rows: lines end where they need not."""
        several = [(n, cell) for n, cell in enumerate(row) if len(cell) > 1]
        if len(several) < _LEAST:
            return False
        ends = [
            _has_room(a, b, self._right(n, a)) for n, cell in several for a, b in pairwise(cell)
        ]
        return 2 * sum(ends) > len(ends)

    def _right(self, column: int, line: Line) -> float:
        """Return where the cell of a line ends, given the first of its columns."""
        after = self.lattice.columns[column + 1 :]
        return next((x for x in after if x > line.right - line.size), 0.0)


def parts_of(lines: Sequence[Line], rules: Sequence[Box]) -> Iterator[list[Line] | Ruled]:
    """Yield the tables of a page between rules, and the lines before, between and behind them.

    A table comes at the place of the first line of which it has a part.

    Args:
        lines: in the order in which they are read.
        rules: lines and edges that are drawn, horizontal or vertical.
    """
    angle = Counter(line.angle for line in lines).most_common(1)[0][0] if lines else 0
    lattices = lattices_of([_turned(rule, angle) for rule in rules])
    while True:
        tables = [Ruled(lattice) for lattice in lattices]
        found = [_shared_out(line, tables) if line.angle == angle else [line] for line in lines]
        left = [table.lattice for table in tables if table.table()]
        if len(left) == len(lattices):
            break
        lattices = left  # what another one has within may belong to one that is a table
    seen: set[int] = set()
    others: list[Line] = []
    for each in chain.from_iterable(found):
        if isinstance(each, Line):
            others.append(each)
        elif id(each) not in seen:
            seen.add(id(each))
            yield others
            yield each
            others = []
    yield others


def _shared_out(line: Line, tables: Sequence[Ruled]) -> list[Line | Ruled]:
    """Give the parts of a line to the tables that they stand in.

    Returns:
        The tables that have got some, and what is left of the line.
    """
    if not tables:
        return [line]
    homes: list[Line | Ruled] = []
    left: list[Cell] = []
    for cell in line.cells:
        home = next((table for table in tables if table.take(line, cell)), None)
        if home is None:
            left.append(cell)
        else:
            homes.append(home)
    if not homes:
        return [line]
    return [*homes, part_of(line, left)] if left else homes


def _has_room(a: Line, b: Line, right: float) -> bool:
    """Whether the first word of a line has room behind the line before it."""
    word = b.text.split(maxsplit=1)[0] if b.text.strip() else ""
    width = (b.right - b.left) * len(word) / max(len(b.text), 1)
    return a.right + width + _PAD_EMS * a.size < right


def _middle(line: Line) -> float:
    """Return the height of the middle of a line's small letters."""
    return line.baseline - _CELL_RISE * line.size


def _turned(box: Box, angle: int) -> Box:
    """Return a box after the page is turned by an angle, as lines at that angle are."""
    left, top, right, bottom = box
    match round(angle / 90) % 4:
        case 0:
            return box
        case 1:
            return Box(-bottom, left, -top, right)
        case 2:
            return Box(-right, -bottom, -left, -top)
        case _:
            return Box(top, -right, bottom, -left)
