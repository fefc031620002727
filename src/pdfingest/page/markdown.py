"""The text of a page as Markdown (CommonMark, with tables as GitHub has them).

Runs in the child; pure. What is Markdown's own in the text of the page is escaped, so that it
reads as it did.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from pdfingest.page.block import BULLET, ITEM, Block, Kind
from pdfingest.page.headings import Look
from pdfingest.page.lines import Line
from pdfingest.page.plain import block_text, table_rows
from pdfingest.page.words import Words
from pdfingest.pages import Page

_SPECIAL = re.compile(r"[\\`\[\]<>]|(?<!\w)_|_(?!\w)|\*(?!\s)|(?<=\S)\*|~(?=~)|&(?=#?\w+;)")
"""What reads as Markdown within a line. An underscore within a word does not, nor a lone star."""
_AT_BEGIN = re.compile(r"(?:#{1,6}(?=\s|$)|[-+*](?=\s|$)|={2,}\s*$|-{2,}\s*$|(?<=\d)[.)](?=\s|$))")
_NUMBERED = re.compile(r"\d{1,9}[.)](?=\s|$)")
_FENCED = re.compile(r"^(`{3,})\n.*?^\1$", re.MULTILINE | re.DOTALL)
_TARGET = {ord("<"): "%3C", ord(">"): "%3E"}


def markdown(blocks: Sequence[Block], look: Look, words: Words) -> str:
    """Return the text of blocks as Markdown.

    Args:
        blocks: in the order in which they are read.
        look: what tells a heading.
        words: of the document.
    """
    parts: list[str] = []
    for kind, group in groupby(blocks, lambda block: _kind(block, look)):
        parts += _PARTS[kind](list(group), look, words)
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """Return text in which nothing reads as Markdown."""
    text = _escaped(text)
    if mark := _NUMBERED.match(text):
        return f"{text[: mark.end() - 1]}\\{text[mark.end() - 1 :]}"
    return f"\\{text}" if _AT_BEGIN.match(text) else text


def linked(text: str, page: Page) -> str:
    """Return the Markdown of a page with its links.

    Each stands at the first place that has its text and no link yet; code has no links.
    """
    taken = [fence.span() for fence in _FENCED.finditer(text)]  # ascending, and they stay so
    found: list[tuple[int, int, str]] = []
    searched: dict[str, int] = {}  # links often have one text, such as all in an index
    for target, label in zip(page.links, page.link_texts, strict=False):
        words = r"\s+".join(re.escape(_escaped(word)) for word in label.split())
        places = re.compile(words).finditer(text, searched.get(words, 0)) if words else ()
        for place in places:
            begin, end = place.span()
            searched[words] = end
            at = bisect_right(taken, (begin, end))
            if (not at or taken[at - 1][1] <= begin) and (at == len(taken) or end <= taken[at][0]):
                taken.insert(at, (begin, end))
                found.append((begin, end, "".join(target.split())))
                break
        else:
            searched[words] = len(text)
    for begin, end, target in sorted(found, reverse=True):
        label = " ".join(text[begin:end].split())
        text = f"{text[:begin]}[{label}](<{target.translate(_TARGET)}>){text[end:]}"
    return text


def _kind(block: Block, look: Look) -> str:
    if block.kind is Kind.CODE:
        return "code"
    if block.kind is Kind.ROWS:
        return "rows"
    if block.kind is Kind.TABLE:
        return "table"
    if look.level(block):
        return "heading"
    return "item" if block.kind is Kind.ITEM else "text"


def _headings(blocks: list[Block], look: Look, words: Words) -> Iterator[str]:
    for block in blocks:
        text = escaped(" ".join(block_text(block, words).split()))
        yield f"{'#' * look.level(block)} {text}"


def _texts(blocks: list[Block], look: Look, words: Words) -> Iterator[str]:
    """Yield paragraphs, emphasized where all of one is set so and the body is not."""
    for block in blocks:
        text = escaped(block_text(block, words))
        fonts = [line.font for line in block.lines]
        strong = "**" * (not look.body.is_bold and all(font.is_bold for font in fonts))
        light = "*" * (not look.body.is_italic and all(font.is_italic for font in fonts))
        mark = (strong + light) * (text != "")
        yield f"{mark}{text}{mark}"


def _items(blocks: list[Block], _look: Look, words: Words) -> Iterator[str]:
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


def _codes(blocks: list[Block], _look: Look, _words: Words) -> Iterator[str]:
    """Yield one fenced block, with the indentation and the blank lines of the page."""
    lines = [line for block in blocks for line in block.lines]
    left = min(line.left for line in lines)
    width = max((line.right - line.left) / max(len(line.text), 1) for line in lines) or 1.0
    step = min(
        (b.baseline - a.baseline for a, b in pairwise(lines) if b.baseline > a.baseline),
        default=0.0,
    )
    code: list[str] = []
    before: Line | None = None
    for line in lines:
        if before is not None and step and line.baseline - before.baseline > 1.6 * step:
            code.append("")
        code.append(" " * round((line.left - left) / width) + line.text.replace("\t", "    "))
        before = line
    text = "\n".join(code).replace("\ufffe", "-")
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    yield f"{fence}\n{text}\n{fence}"


def _rows(blocks: list[Block], _look: Look, words: Words) -> Iterator[str]:
    for block in blocks:
        yield "\n".join(map(escaped, block_text(block, words).replace("\t", " ").split("\n")))


def _tables(blocks: list[Block], _look: Look, words: Words) -> Iterator[str]:
    """Yield tables, whose first row is taken for their head."""
    for block in blocks:
        rows = [f"| {' | '.join(map(_cell, cells))} |" for cells in table_rows(block, words)]
        yield "\n".join([rows[0], f"|{' --- |' * len(block.rows[0])}", *rows[1:]])


def _cell(text: str) -> str:
    return _escaped(text.strip()).replace("|", "\\|")


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: f"\\{match[0]}", text)


_PARTS = {
    "heading": _headings,
    "text": _texts,
    "item": _items,
    "code": _codes,
    "rows": _rows,
    "table": _tables,
}
