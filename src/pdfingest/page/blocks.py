"""The blocks of a page: paragraphs, items of lists, headings, code, rows of tables.

Runs in the child; pure. A paragraph ends where the distance to the next line is larger than
between its own, where size or weight change, where the next line begins further in, and where the
next line's first word would still have had room.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import groupby, pairwise

from pdfingest.model import Box
from pdfingest.page.body import Body
from pdfingest.page.grids import Grid
from pdfingest.page.lines import Line
from pdfingest.page.rules import Ruled, taken

_SAME_SIZE = 0.06
"""Most that two sizes differ, relative to the larger, and still are one."""
_LOOSE_EMS, _LEAST_LOOSE = 1.6, 5
"""Distance of lines that have much room between them, and how many there must be."""
_OFTEN = 0.15
"""How often lines have the usual distance, relative to the most frequent one, which may be that of
paragraphs of one line each."""
_WIDER = 1.22
"""How much larger than usual the distance to the next line is, where a paragraph ends."""
_USUAL_EMS = 1.3
"""Distance of lines of a size that has no two lines to measure it by."""
_INDENT_EMS = 0.7
_SLACK_EMS = 0.35
"""How much a word may be wider than it is estimated to be."""
_LEAST_LINES = 2
_FULL_EMS = 1.5
"""How much shorter than the others a line may be that is no last line of a paragraph."""
_SHORT = 0.6
"""Width of a line that ends a paragraph even without a full stop, relative to the others."""
_SMALL = 0.93
"""Size of footnotes, relative to the text."""
_ENDED = re.compile(r"[.!?:;。！？：；।…]['\"’”»)\]]*\s*$")
"""The end of a sentence."""
_NOTE = re.compile(r"(?:\d{1,3}|[*†‡§¶]{1,3}|[a-z](?=\s))\s?(?=\S)")
"""The mark at the beginning of a footnote."""
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


@dataclass(slots=True)
class Block:
    """Lines that belong together."""

    lines: list[Line]
    kind: Kind = Kind.TEXT
    rows: list[list[list[Line]]] = field(default_factory=list[list[list[Line]]])
    """Of a table: the lines of each cell, row by row; all rows have as many cells."""

    @property
    def size(self) -> float:
        """Size of most of its characters."""
        return self.lines[0].size


def blocks_of(lines: Sequence[Line], body: Body, rules: Sequence[Box] = ()) -> list[Block]:
    """Return the blocks of a page, notes at the foot of a column after all other text.

    Args:
        lines: in the order in which they are read.
        body: what most text of the document looks like.
        rules: lines that are drawn, between which tables stand.
    """
    leading = _leading(lines)
    blocks: list[Block] = []
    for part in _ruled(lines, rules) if rules else _tables(lines):
        if isinstance(part, Block):
            blocks.append(part)
        else:
            blocks += [
                block for group in _groups(part, leading) for block in _paragraphs(group, body)
            ]
    return list(_continued(_notes_last(blocks, body)))


def _ruled(lines: Sequence[Line], rules: Sequence[Box]) -> Iterator[Block | list[Line]]:
    """Yield the tables of a page, those between rules and others, and the lines between them."""
    for is_line, group in groupby(taken(lines, rules), lambda each: isinstance(each, Line)):
        if is_line:
            yield from _tables([each for each in group if isinstance(each, Line)])
            continue
        for each in group:
            if isinstance(each, Ruled):
                rows = each.table()
                inside = [line for row in rows for cell in row for line in cell]
                yield Block(inside, Kind.TABLE, rows)


def _tables(lines: Sequence[Line]) -> Iterator[Block | list[Line]]:
    """Yield the tables of a page, and the lines between them."""
    others: list[Line] = []
    place = 0
    while place < len(lines):
        grid = Grid()
        end = place
        if _kind(lines[place]) is Kind.ROWS:
            while (
                end < len(lines) and _kind(lines[end]) is not Kind.ITEM and grid.takes(lines[end])
            ):
                end += 1
        if grid.is_table:
            while others and _kind(others[-1]) is Kind.ROWS and grid.takes_above(others[-1]):
                others.pop()
            if others:
                yield others
            yield Block(grid.lines, Kind.TABLE, [row.cells for row in grid.rows])
            others, place = [], end
        else:
            others.append(lines[place])
            place += 1
    if others:
        yield others


def _notes_last(blocks: list[Block], body: Body) -> list[Block]:
    """Move footnotes behind the text that they stand below, which goes on in the next column."""
    most = _SMALL * body.size
    notes, rest = list[Block](), list[Block]()
    is_foot = True  # what comes next begins a column, or is a footnote
    for place in range(len(blocks) - 1, -1, -1):
        block, line = blocks[place], blocks[place].lines[0]
        is_note = is_foot and block.size <= most and bool(_NOTE.match(line.text))
        (notes if is_note else rest).append(block)
        before = blocks[place - 1].lines[-1]
        is_foot = is_note or line.baseline < before.baseline
    return [*reversed(rest), *reversed(notes)]


def _continued(blocks: Sequence[Block]) -> Iterator[Block]:
    """Yield blocks, a paragraph that goes on in the next column with its other part."""
    last: Block | None = None
    for block in blocks:
        if last is not None and _goes_on(last, block):
            last.lines += block.lines
        else:
            if last is not None:
                yield last
            last = block
    if last is not None:
        yield last


def _goes_on(block: Block, after: Block) -> bool:
    """Whether a paragraph goes on at the top of the next column."""
    a, b = block.lines[-1], after.lines[0]
    return (
        b.baseline < a.baseline
        and after.kind is Kind.TEXT
        and (block.kind is Kind.TEXT or block.kind is Kind.ITEM)
        and _is_same(a.size, b.size)
        and a.font.is_bold == b.font.is_bold
        and _is_open(block, after)
    )


def _is_open(block: Block, after: Block) -> bool:
    """Whether the last line of a block seems to go on in another: by its words, or its width."""
    a, b = block.lines[-1], after.lines[0]
    if not _ENDED.search(a.text) and (a.text.endswith("\ufffe") or not b.text[:1].isupper()):
        return True
    if len(block.lines) < _LEAST_LINES or len(after.lines) < _LEAST_LINES:
        return False
    is_full = a.right > max(line.right for line in block.lines) - _FULL_EMS * a.size
    return is_full and b.left < min(line.left for line in after.lines) + _INDENT_EMS * b.size


def _leading(lines: Sequence[Line]) -> dict[int, float]:
    """Return the usual distance of lines of each size, in half points, in points."""
    steps: dict[int, dict[int, int]] = {}
    for a, b in pairwise(lines):
        step = b.baseline - a.baseline
        if 0 < step < 3 * a.size and abs(a.size - b.size) <= _SAME_SIZE * a.size:
            counted = steps.setdefault(int(2 * a.size + 0.5), {})
            half_points = int(2 * step + 0.5)
            counted[half_points] = counted.get(half_points, 0) + 1
    usual: dict[int, float] = {}
    for size, counted in steps.items():
        most = max(counted.values())
        half_points = min(step for step, count in counted.items() if count >= _OFTEN * most)
        # What is far apart and rare are headings, and not lines with much room between them.
        least = _LEAST_LOOSE if half_points > _LOOSE_EMS * size else _LEAST_LINES
        if most >= least:
            usual[size] = half_points / 2
    return usual


def _is_same(a: float, b: float) -> bool:
    return abs(a - b) <= _SAME_SIZE * max(a, b)


def _groups(lines: Sequence[Line], leading: dict[int, float]) -> Iterator[list[Line]]:
    """Yield lines that follow each other at the usual distance, in one size and weight."""
    group: list[Line] = []
    for line in lines:
        if group and not _follows(group[-1], line, leading):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _follows(a: Line, b: Line, leading: dict[int, float]) -> bool:
    step = b.baseline - a.baseline
    usual = leading.get(int(2 * a.size + 0.5), _USUAL_EMS * a.size)
    return (
        a.angle == b.angle
        and 0 < step < _WIDER * usual + 0.5
        and _is_same(a.size, b.size)
        and a.font.is_bold == b.font.is_bold
        and a.font.is_fixed == b.font.is_fixed
        and b.left < a.right
        and a.left < b.right
    )


def _paragraphs(group: list[Line], body: Body) -> Iterator[Block]:
    """Yield the paragraphs of lines that follow each other."""
    if group[0].font.is_fixed and not body.is_fixed:
        yield Block(group, Kind.CODE)
        return
    left, right = min(line.left for line in group), max(line.right for line in group)
    kinds = _kinds(group, left, right)
    block = Block([group[0]], kinds[0])
    for (a, b), kind in zip(pairwise(group), kinds[1:], strict=True):
        if kind is Kind.ROWS or block.kind is Kind.ROWS:
            is_end = kind is not block.kind
        elif kind is Kind.ITEM and (block.kind is Kind.ITEM or a.right < right - 2 * a.size):
            is_end = not a.text.endswith("\ufffe")
        else:
            is_end = _is_end(block, a, b, left, right)
        if is_end:
            yield block
            block = Block([b], kind)
        else:
            block.lines.append(b)
    yield block


def _kinds(group: list[Line], left: float, right: float) -> list[Kind]:
    """Return what each line is. One wide gap in a line of justified text does not make it a row."""
    kinds = [_kind(line) for line in group]
    if Kind.ROWS not in kinds:
        return kinds
    around = [Kind.TEXT, *kinds, Kind.TEXT]
    for place, line in enumerate(group):
        is_alone = Kind.ROWS not in {around[place], around[place + 2]} and len(group) > 1
        if kinds[place] is Kind.ROWS and is_alone:
            slack = line.size / 2
            if line.left < left + slack and line.right > right - slack:
                kinds[place] = Kind.ITEM if ITEM.match(line.text) else Kind.TEXT
    return kinds


def _kind(line: Line) -> Kind:
    text = line.text
    # Most lines begin with a letter; then only a parenthesis makes it a mark.
    mark = None if text[:1].isalpha() and ")" not in text[1:5] else ITEM.match(text)
    if "\t" in text and "\t" in text[mark.end() if mark else 0 :]:
        return Kind.ROWS
    return Kind.ITEM if mark else Kind.TEXT


def _is_end(block: Block, a: Line, b: Line, left: float, right: float) -> bool:
    """Whether a paragraph ends between two lines of a column from `left` to `right`."""
    if a.text.endswith("\ufffe"):
        return False
    em = a.size
    indent = b.left - a.left
    if indent > _INDENT_EMS * em and len(block.lines) > 1:  # a first line further in
        return True
    if indent < -_INDENT_EMS * em and len(block.lines) > 1:  # the end of a hanging paragraph
        return True
    word = b.text.split(maxsplit=1)[0] if b.text.strip() else ""
    width = (b.right - b.left) * len(word) / len(b.text)
    if a.right + width + _SLACK_EMS * em >= right:
        return False
    return bool(_ENDED.search(a.text)) or a.right < left + _SHORT * (right - left)
