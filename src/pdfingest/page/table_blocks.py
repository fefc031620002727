"""The tables among the lines of a page, between rules and without them.

Runs in the child; pure.
"""

from collections.abc import Iterator, Sequence

from pdfingest.page.block import Block, Kind, kind_of
from pdfingest.page.grids import Grid
from pdfingest.page.lines import Line
from pdfingest.page.rules import Ruled, parts_of
from pdfingest.pages import Box


def with_tables(lines: Sequence[Line], rules: Sequence[Box]) -> Iterator[Block | list[Line]]:
    """Yield the tables of a page, and the lines between them.

    Args:
        lines: in the order in which they are read.
        rules: lines that are drawn, between which tables stand; others are told by their cells.
    """
    for part in parts_of(lines, rules) if rules else [list(lines)]:
        if isinstance(part, Ruled):
            rows = part.table()
            yield Block([line for row in rows for cell in row for line in cell], Kind.TABLE, rows)
        else:
            yield from _aligned(part)


def _aligned(lines: Sequence[Line]) -> Iterator[Block | list[Line]]:
    """Yield the tables whose cells stand below each other, and the lines between them."""
    others: list[Line] = []
    kinds = [kind_of(line) for line in lines]
    place = 0
    while place < len(lines):
        if kinds[place] is Kind.ROWS:
            grid, end = Grid(), place
            while end < len(lines) and kinds[end] is not Kind.ITEM and grid.takes(lines[end]):
                end += 1
            if grid.is_table:
                while others and kind_of(others[-1]) is Kind.ROWS and grid.takes_above(others[-1]):
                    others.pop()
                if others:
                    yield others
                yield Block(grid.lines, Kind.TABLE, [row.cells for row in grid.rows])
                others, place = [], end
                continue
        others.append(lines[place])
        place += 1
    if others:
        yield others
