"""The text of a page as Markdown (CommonMark, with tables as GitHub has them).

Runs in the child; pure. What is Markdown's own in the text of the page is escaped, so that it
reads as it did.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from pdfingest.model import Span
from pdfingest.page.blocks import BULLET, ITEM, Block, Kind
from pdfingest.page.body import Body
from pdfingest.page.plain import block_text
from pdfingest.page.words import Words

_SPECIAL = re.compile(r"[\\`\[\]<>]|(?<!\w)_|_(?!\w)|\*(?!\s)|(?<=\S)\*|~(?=~)|&(?=#?\w+;)")
"""What reads as Markdown within a line. An underscore within a word does not, nor a lone star."""
_AT_BEGIN = re.compile(r"(?:#{1,6}(?=\s|$)|[-+*](?=\s|$)|={2,}\s*$|-{2,}\s*$|(?<=\d)[.)](?=\s|$))")
_NUMBERED = re.compile(r"\d{1,9}[.)](?=\s|$)")
_HEADING_CHARS = 200
_HEADING_LINES = 4
_BOLD_CHARS = 120
_SENTENCE = re.compile(r"[.,;:!]\s*$")
_NUMBER_ALONE = re.compile(r"[\d\s.,%$€£()+–-]*")


def markdown(blocks: Sequence[Block], body: Body, words: Words) -> str:
    """Return the text of blocks as Markdown.

    Args:
        blocks: in the order in which they are read.
        body: what most text of the document looks like.
        words: of the document.
    """
    parts: list[str] = []
    for kind, group in groupby(blocks, lambda block: _kind(block, body)):
        parts += _PARTS[kind](list(group), body, words)
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """Return text in which nothing reads as Markdown."""
    text = _SPECIAL.sub(lambda match: f"\\{match[0]}", text)
    if mark := _NUMBERED.match(text):
        return f"{text[: mark.end() - 1]}\\{text[mark.end() - 1 :]}"
    return f"\\{text}" if _AT_BEGIN.match(text) else text


def _kind(block: Block, body: Body) -> str:
    if block.kind is Kind.CODE:
        return "code"
    if block.kind is Kind.ROWS:
        return "rows"
    if _is_heading(block, body):
        return "heading"
    return "item" if block.kind is Kind.ITEM else "text"


def _is_heading(block: Block, body: Body) -> bool:
    """Whether a block is a heading: short, and larger or bolder than the body."""
    line = block.lines[0]
    chars = sum(len(each.text) for each in block.lines)
    if BULLET.match(line.text) or _NUMBER_ALONE.fullmatch(line.text):
        return False
    if len(block.lines) > _HEADING_LINES or chars > _HEADING_CHARS:
        return False
    if body.is_larger(block.size):
        return True
    return (
        line.font.is_bold
        and not body.is_bold
        and chars <= _BOLD_CHARS
        and block.size > 0.9 * body.size
        and not _SENTENCE.search(block.lines[-1].text)
    )


def _headings(blocks: list[Block], body: Body, words: Words) -> Iterator[str]:
    for block in blocks:
        text = escaped(" ".join(block_text(block, words).split()))
        yield f"{'#' * body.level(block.size)} {text}"


def _texts(blocks: list[Block], _body: Body, words: Words) -> Iterator[str]:
    for block in blocks:
        yield escaped(block_text(block, words))


def _items(blocks: list[Block], _body: Body, words: Words) -> Iterator[str]:
    """Yield one list, its items indented as on the page."""
    lines: list[str] = []
    lefts: list[float] = []
    for block in blocks:
        left, em = block.lines[0].left, block.size
        while lefts and left < lefts[-1] - em / 2:
            lefts.pop()
        if not lefts or left > lefts[-1] + em / 2:
            lefts.append(left)
        text = block_text(block, words)
        mark = ITEM.match(text)
        assert mark, "an item has a mark"
        rest = escaped(text[mark.end() :])
        if BULLET.match(text):
            label = "- "
        elif _NUMBERED.match(text):
            label = f"{mark[0].strip()} "
        else:
            label = f"- {escaped(mark[0].strip())} "
        lines.append(f"{'   ' * (len(lefts) - 1)}{label}{rest}")
    yield "\n".join(lines)


def _codes(blocks: list[Block], _body: Body, _words: Words) -> Iterator[str]:
    """Yield one fenced block, with the indentation and the blank lines of the page."""
    lines = [line for block in blocks for line in block.lines]
    left = min(line.left for line in lines)
    width = max((line.right - line.left) / max(len(line.text), 1) for line in lines) or 1.0
    step = min(
        (b.baseline - a.baseline for a, b in pairwise(lines) if b.baseline > a.baseline),
        default=0.0,
    )
    code: list[str] = []
    before: Span | None = None
    for line in lines:
        if before is not None and step and line.baseline - before.baseline > 1.6 * step:
            code.append("")
        code.append(" " * round((line.left - left) / width) + line.text.replace("\t", "    "))
        before = line
    text = "\n".join(code).replace("\ufffe", "-")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    yield f"{fence}\n{text}\n{fence}"


def _rows(blocks: list[Block], _body: Body, _words: Words) -> Iterator[str]:
    """Yield tables, of rows with as many cells, and what has no table's form."""
    lines = [line.text.replace("\ufffe", "-") for block in blocks for line in block.lines]
    for cells, group in groupby(lines, lambda line: line.count("\t") + 1):
        rows = [[_cell(cell) for cell in line.split("\t")] for line in group]
        if len(rows) == 1:
            yield escaped(" ".join(rows[0]))
            continue
        table = [f"| {' | '.join(row)} |" for row in rows]
        yield "\n".join([table[0], f"|{' --- |' * cells}", *table[1:]])


def _cell(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text.strip()).replace("|", "\\|")


_PARTS = {
    "heading": _headings,
    "text": _texts,
    "item": _items,
    "code": _codes,
    "rows": _rows,
}
