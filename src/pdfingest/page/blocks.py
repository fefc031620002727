"""The blocks of a page: paragraphs, items of lists, headings, code, rows of tables.

Runs in the child; pure. A paragraph ends where the distance to the next line is larger than
between its own, where size or weight change, where the next line begins further in, and where the
next line's first word would still have had room.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pdfingest.page.block import ITEM, Block, Kind, kind_of
from pdfingest.page.body import Body
from pdfingest.page.lines import Line
from pdfingest.page.table_blocks import with_tables
from pdfingest.pages import Box

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
_FLUSH_EMS = 0.1
"""Most that lines of justified text end before the edge of their column."""
_LEAST_FLUSH = 3
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


class _Column(NamedTuple):
    """Where lines that follow each other begin and end."""

    left: float
    right: float
    is_justified: bool
    """Whether most of them end at the right edge, so that one that does not ends a paragraph."""


def blocks_of(lines: Sequence[Line], body: Body, rules: Sequence[Box] = ()) -> list[Block]:
    """Return the blocks of a page, notes at the foot of a column after all other text.

    Args:
        lines: in the order in which they are read.
        body: what most text of the document looks like.
        rules: lines that are drawn, between which tables stand.
    """
    leading = _leading(lines)
    blocks: list[Block] = []
    for part in with_tables(lines, rules):
        if isinstance(part, Block):
            blocks.append(part)
        else:
            blocks += [
                block for group in _groups(part, leading) for block in _paragraphs(group, body)
            ]
    return list(_continued(_notes_last(blocks, body)))


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
    flush = sum(line.right > right - _FLUSH_EMS * line.size for line in group)
    column = _Column(left, right, flush >= _LEAST_FLUSH and 2 * flush > len(group))
    kinds = _kinds(group, left, right)
    block = Block([group[0]], kinds[0])
    for (a, b), kind in zip(pairwise(group), kinds[1:], strict=True):
        if kind is Kind.ROWS or block.kind is Kind.ROWS:
            is_end = kind is not block.kind
        elif kind is Kind.ITEM and (block.kind is Kind.ITEM or a.right < right - 2 * a.size):
            is_end = not a.text.endswith("\ufffe")
        else:
            is_end = _is_end(block, a, b, column)
        if is_end:
            yield block
            block = Block([b], kind)
        else:
            block.lines.append(b)
    yield block


def _kinds(group: list[Line], left: float, right: float) -> list[Kind]:
    """Return what each line is. One wide gap in a line of justified text does not make it a row."""
    kinds = [kind_of(line) for line in group]
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


def _is_end(block: Block, a: Line, b: Line, column: _Column) -> bool:
    """Whether a paragraph ends between two lines of a column."""
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
    if a.right + width + _SLACK_EMS * em >= column.right:
        return False
    if column.is_justified or _ENDED.search(a.text):
        return True
    return a.right < column.left + _SHORT * (column.right - column.left)
