"""A block: lines of a page that belong together, and what kinds of them there are.

Runs in the child; pure. How a page is divided into blocks is in `blocks`.
"""

import re
from collections.abc import Sequence
from enum import Enum, auto

from pdfingest.page.lines import Line

BULLET = re.compile(r"[•‣◦▪●○■□➢➤✓❖⁃·\uf0b7\uf0a7\uf0d8]|[-–—*+](?=\s)")
"""The mark at the beginning of an item of a list without order."""
ITEM = re.compile(
    rf"(?:{BULLET.pattern}|\d{{1,2}}[.)](?=\s)|\(?(?:\d{{1,2}}|[^\W\d_]|[ivx]{{1,4}})\)(?=\s))\s*(?=\S)"
)
"""The mark at the beginning of an item of a list."""


class Kind(Enum):
    """What a block is."""

    TEXT = auto()
    ITEM = auto()
    CODE = auto()
    ROWS = auto()
    """Lines of several cells that make no table."""
    TABLE = auto()
    """Rows of cells; see `Block.rows`."""


class Block:
    """Lines that belong together.

    Args:
        lines: all of them, in the order of reading.
        kind: what they are.
        rows: of a table, the lines of each cell, row by row; all rows have as many cells.
    """

    __slots__ = ("kind", "lines", "rows")

    def __init__(
        self, lines: list[Line], kind: Kind = Kind.TEXT, rows: Sequence[Sequence[list[Line]]] = ()
    ) -> None:
        self.lines, self.kind, self.rows = lines, kind, rows

    @property
    def size(self) -> float:
        """Size of most of its characters."""
        return self.lines[0].size


def kind_of(line: Line) -> Kind:
    """Return what a line is by its text: an item, cells side by side, or text."""
    text = line.text
    # Most lines begin with a letter; then only a parenthesis makes it a mark.
    mark = None if text[:1].isalpha() and ")" not in text[1:5] else ITEM.match(text)
    if "\t" in text and "\t" in text[mark.end() if mark else 0 :]:
        return Kind.ROWS
    return Kind.ITEM if mark else Kind.TEXT
