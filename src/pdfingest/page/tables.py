"""The tables of a page, as records have them.

Runs in the child; pure.
"""

from collections.abc import Sequence

from pdfingest.page.block import Block, Kind
from pdfingest.page.lines import Line
from pdfingest.page.plain import table_rows
from pdfingest.page.words import Words
from pdfingest.pages import Box, Table
from pdfingest.text import composed

_ASCENT, _DESCENT = 0.75, 0.25
"""Extent of a line above and below its baseline, in ems."""


def tables_of(blocks: Sequence[Block], shown: Box, words: Words) -> tuple[Table, ...]:
    """Return the tables among the blocks of a page.

    Args:
        blocks: in the order in which they are read.
        shown: what of the page is shown.
        words: of the document.
    """
    return tuple(
        Table(
            _box_of(block.lines, shown),
            tuple(tuple(map(composed, cells)) for cells in table_rows(block, words)),
        )
        for block in blocks
        if block.kind is Kind.TABLE
    )


def _box_of(lines: Sequence[Line], shown: Box) -> Box:
    """Return the box around lines of one direction, from the left and the top of the page."""
    begin, end = min(line.left for line in lines), max(line.right for line in lines)
    above = min(line.baseline - _ASCENT * line.size for line in lines)
    below = max(line.baseline + _DESCENT * line.size for line in lines)
    match round(lines[0].angle / 90) % 4:  # from where the page is turned back; see `Span.angle`
        case 0:
            box = Box(begin, above, end, below)
        case 1:
            box = Box(above, -end, below, -begin)
        case 2:
            box = Box(-end, -below, -begin, -above)
        case _:
            box = Box(-below, begin, -above, end)
    return Box(
        box.left - shown.left,
        box.top - shown.top,
        box.right - shown.left,
        box.bottom - shown.top,
    )
