"""The text of a page as it is read: each paragraph one line, a blank line between two.

Runs in the child; pure. Why one line a paragraph: whoever splits or embeds text takes a line end
for a border, and a width of lines that belongs to paper means nothing there.
"""

from collections.abc import Sequence

from pdfingest.page.block import Block, Kind
from pdfingest.page.lines import Line
from pdfingest.page.words import Words, is_divided, space_between


def plain_text(blocks: Sequence[Block], words: Words) -> str:
    """Return the text of blocks.

    Args:
        blocks: in the order in which they are read.
        words: of the document.
    """
    return "\n\n".join(block_text(block, words) for block in blocks)


def block_text(block: Block, words: Words) -> str:
    """Return the text of a block on one line, or on its own lines if they stand for themselves."""
    if block.kind is Kind.TABLE:
        return "\n".join("\t".join(cells) for cells in table_rows(block, words))
    if block.kind is Kind.CODE or block.kind is Kind.ROWS:
        return "\n".join(line.text.replace("\ufffe", "-").rstrip() for line in block.lines)
    return joined_lines(block.lines, words)


def table_rows(block: Block, words: Words) -> list[list[str]]:
    """Return the texts of the cells of a table, row by row."""
    return [[joined_lines(cell, words) for cell in row] for row in block.rows]


def joined_lines(lines: Sequence[Line], words: Words) -> str:
    """Return lines as one."""
    if not lines:
        return ""
    text = lines[0].text.strip()
    for line in lines[1:]:
        new = line.text.strip()
        if is_divided(text, new):
            text = words.joined(text, new)
        else:
            text = f"{text}{space_between(text, new)}{new}"
    return text.replace("\ufffe", "-").replace("\t", " ")
