"""Simple tables: lines whose cells stand below each other, wrapped cells included.

Runs in the child; pure. It goes by where cells stand alone, and knows no rules. A cell that wraps
may be drawn line by line before the next one, or all cells of a row line by line. What is no table
comes out as the lines that it is.
"""

from collections.abc import Sequence
from itertools import pairwise

from pdfingest.page.lines import Cell, Line, part_of

_LEAST_ROWS = 2
_WRAP_EMS = 1.45
"""Most that a line of a cell stands below the one before it; rows are further apart."""
_MOST_STEP_EMS = 4.0
"""Most that the rows of a table are apart."""
_FURTHER = 1.6
"""How much further than the rows before it a row may stand below the last one."""
_SAME_ROW_EMS = 0.4
_SLACK_EMS = 0.5


class _Column:
    def __init__(self, left: float, right: float) -> None:
        self.left, self.right = left, right

    def take(self, cell: Cell) -> None:
        """Make room for a cell."""
        self.left, self.right = min(self.left, cell.left), max(self.right, cell.right)


class _Row:
    """Lines of the cells of a row, by column."""

    def __init__(self, top: float, cells: list[list[Line]], bottoms: list[float]) -> None:
        self.top, self.cells, self.bottoms = top, cells, bottoms


class Grid:
    """A table that grows line by line."""

    def __init__(self) -> None:
        self.columns: list[_Column] = []
        self.rows: list[_Row] = []
        self.lines: list[Line] = []
        """All that it is made of, in the order of reading."""
        self.steps: list[float] = []
        """How far each row but the first stands below the one before."""

    def takes(self, line: Line) -> bool:
        """Add a line, if it fits; return whether it did."""
        if not self.rows:
            self._begin(line)
            return True
        places = self._places(line)
        if any(a == b >= 0 for a, b in pairwise(places)):
            line = _merged(line, places)
            places = self._places(line)
        is_clear = -1 not in places and len(set(places)) == len(places)
        if not is_clear or not _is_near(line, self.lines[-1]):
            return False
        row = self.rows[-1]
        if all(self._goes_on(row, line, place) for place in places):
            self._add(row, line, places)
        elif self._is_below(row, line, places):
            self._new_row(line, places)
        else:
            return False
        return True

    def takes_above(self, line: Line) -> bool:
        """Add a line as the first row, if it fits there; return whether it did.

        Heads have cells over several columns, which stand in the first of them.
        """
        places = [self._first_column(cell) for cell in line.cells]
        is_clear = -1 not in places and all(a < b for a, b in pairwise(places))
        step = self.rows[0].top - line.baseline
        most = max(self.steps, default=0.0)
        if not is_clear or line.angle != self.lines[0].angle or not 0 < step < _FURTHER * most:
            return False
        count = len(self.columns)
        row = _Row(line.baseline, [[] for _ in range(count)], [line.baseline] * count)
        for cell, place in zip(line.cells, places, strict=True):
            row.cells[place].append(part_of(line, [cell]))
        self.rows.insert(0, row)
        self.lines.insert(0, line)
        self.steps.append(step)
        return True

    def _first_column(self, cell: Cell) -> int:
        """Return the first column that a cell stands over; -1 if there is none."""
        return next(iter(self._over(cell)), -1)

    def _over(self, cell: Cell) -> list[int]:
        """Return the columns that a cell stands over."""
        left, right = cell.left, cell.right
        if left >= right:
            return []
        return [
            n
            for n, each in enumerate(self.columns)
            if left < each.right and each.left < right and each.left < each.right
        ]

    def _goes_on(self, row: _Row, line: Line, place: int) -> bool:
        """Whether what a line has in a column belongs to the row: it wraps, or stands beside.

        A cell of several lines may begin above the others, which stand beside its middle or end.
        """
        em = line.size
        if row.cells[place]:
            wraps = 0 < line.baseline - row.bottoms[place] < _WRAP_EMS * em
            return wraps and (place > 0 or not self._is_tight(line))
        if abs(line.baseline - row.top) < _SAME_ROW_EMS * em:
            return True
        before = max(self.rows[-2].bottoms) if len(self.rows) > 1 else row.top - em
        return place > 0 and line.baseline - before > em / 2 and line.baseline - row.top < em

    def _is_below(self, row: _Row, line: Line, places: Sequence[int]) -> bool:
        """Whether a line begins a row; one that has no first cell has several others."""
        most = max(self.steps, default=_MOST_STEP_EMS * line.size)
        step = line.baseline - max(row.bottoms)
        return 0 <= step < _FURTHER * most and (places[0] == 0 or len(places) > 1)

    def _begin(self, line: Line) -> None:
        self.columns = [_Column(cell.left, cell.right) for cell in line.cells]
        self._new_row(line, list(range(len(line.cells))))

    def _new_row(self, line: Line, places: Sequence[int]) -> None:
        if self.rows:
            self.steps.append(line.baseline - self.rows[-1].top)
        count = len(self.columns)
        self.rows.append(_Row(line.baseline, [[] for _ in range(count)], [line.baseline] * count))
        self._add(self.rows[-1], line, places)

    def _add(self, row: _Row, line: Line, places: Sequence[int]) -> None:
        self.lines.append(line)
        for cell, place in zip(line.cells, places, strict=True):
            self.columns[place].take(cell)
            row.cells[place].append(part_of(line, [cell]))
            row.bottoms[place] = line.baseline

    def _places(self, line: Line) -> list[int]:
        """Return the columns that the cells of a line stand in alone; -1 where there is none."""
        return [self._place(cell, line.size) for cell in line.cells]

    def _place(self, cell: Cell, em: float) -> int:
        over = self._over(cell)
        if len(over) == 1:
            return over[0]
        near = [
            n
            for n, each in enumerate(self.columns)
            if abs(each.left - cell.left) < _SLACK_EMS * em
            or abs(each.right - cell.right) < _SLACK_EMS * em
        ]
        if over or len(near) > 1:
            return -1
        return near[0] if near else self._beside(cell)

    def _beside(self, cell: Cell) -> int:
        """Return the column behind whose text a cell stands, before the next; -1 if there is none.

        That is where the end of a long line of a cell stands that began with a short one.
        """
        for n, (a, b) in enumerate(pairwise(self.columns)):
            if a.right <= cell.left and cell.right < b.left:
                return n
        return -1

    def _is_tight(self, line: Line) -> bool:
        """Whether the rows are as close as lines, so that a line is a row of its own."""
        return not self.steps or min(self.steps) < _WRAP_EMS * line.size

    @property
    def is_table(self) -> bool:
        """Whether it has rows and columns enough."""
        full = sum(sum(map(bool, row.cells)) > 1 for row in self.rows)
        return len(self.columns) > 1 and full >= _LEAST_ROWS


def _merged(line: Line, places: Sequence[int]) -> Line:
    """Return a line with one cell for what stands in one column, such as loose words."""
    cells: list[Cell] = []
    before = -1
    for cell, place in zip(line.cells, places, strict=True):
        if place == before >= 0:
            last = cells[-1]
            cells[-1] = Cell(f"{last.text} {cell.text}", last.left, cell.right)
        else:
            cells.append(cell)
        before = place
    return line._replace(cells=tuple(cells))


def _is_near(a: Line, b: Line) -> bool:
    return a.angle == b.angle and abs(a.baseline - b.baseline) < 2 * _MOST_STEP_EMS * a.size
