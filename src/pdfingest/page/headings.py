"""Which blocks of a page are headings, and of which level.

Runs in the child; pure.
"""

import re
from collections.abc import Sequence

from pdfingest.page.block import BULLET, Block, Kind
from pdfingest.page.body import MOST_LEVELS, Body
from pdfingest.pages import Title

_HEADING_CHARS = 200
_HEADING_LINES = 4
_BOLD_CHARS = 120
_NOT_SMALL = 0.9
"""Size of the smallest heading that is told by its weight, relative to the body."""
_SENTENCE = re.compile(r"[.,;:!]\s*$")
_NUMBER_ALONE = re.compile(r"[\d\s.,%$€£()+–-]*")
_NO_HEADINGS = {Kind.CODE, Kind.ROWS, Kind.TABLE}


class Look:
    """What tells a heading.

    Args:
        body: what most text of the document looks like.
        titles: of the outline, that lead to the page.
    """

    def __init__(self, body: Body, titles: Sequence[Title] = ()) -> None:
        self.body = body
        self._levels = {_letters(title.text): title.level for title in reversed(titles)}
        self._levels.pop("", None)

    def level(self, block: Block) -> int:
        """Return the level of a block as a heading; 0 if it is none."""
        if block.kind in _NO_HEADINGS:
            return 0
        line = block.lines[0]
        chars = sum(len(each.text) for each in block.lines)
        is_long = len(block.lines) > _HEADING_LINES or chars > _HEADING_CHARS
        if is_long or BULLET.match(line.text):
            return 0
        if self._levels:
            level = self._levels.get(_letters("".join(each.text for each in block.lines)), 0)
            if level:
                return min(level, MOST_LEVELS)
        if _NUMBER_ALONE.fullmatch(line.text):
            return 0
        return self.body.level(block.size) if self._stands_out(block, chars) else 0

    def _stands_out(self, block: Block, chars: int) -> bool:
        """Whether a block is larger or bolder than the body."""
        if self.body.is_larger(block.size):
            return True
        return (
            block.lines[0].font.is_bold
            and not self.body.is_bold
            and chars <= _BOLD_CHARS
            and block.size > _NOT_SMALL * self.body.size
            and not _SENTENCE.search(block.lines[-1].text)
        )


def _letters(text: str) -> str:
    """Return what two writings of one title have in common."""
    return "".join(filter(str.isalnum, text)).casefold()
