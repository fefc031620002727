"""What was read from a picture of a page that the page does not say already.

Runs in the child; pure. Where two texts stand in one place, the page's own is right. What stands in
another place, but says what the page says, is its own text in a layer that is shifted.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from operator import attrgetter

from pdfingest.ocr.engine import Line, Word
from pdfingest.ocr.transcript import Transcript
from pdfingest.ocr.turning import turned
from pdfingest.pages import Box, Page, Span

_ABOVE, _BELOW = 0.9, 0.3
"""How far letters reach above and below their baseline, in ems."""
_BESIDE = 0.3
"""How far beside a span the middle of a word may be that belongs to it, in ems."""
_SAME_SIZE = 2.0
"""Most that the sizes of text differ that is the same. A watermark over a page is larger."""
_LEAST_CHARS = 12
"""Letters and digits of a line that is told by what it says."""


def corner(box: Box, turn: int) -> tuple[float, float]:
    """Return the left upper corner of a page that is turned, in the coordinates of its spans.

    Args:
        box: what of the page is shown, before it is turned.
        turn: in degrees, clockwise.
    """
    corners = [turned(x, y, turn) for x in (box.left, box.right) for y in (box.top, box.bottom)]
    return min(x for x, _ in corners), min(y for _, y in corners)


def unsaid(read: Transcript, page: Page) -> Transcript:
    """Return what was read without what the page says.

    Words are told by where they stand, and lines by what they say.
    """
    said = _Said(page, read.turn)
    kept: list[Line] = []
    for line in read.lines:
        words = tuple(word for word in line.words if not said.has_word(word, line.size))
        text = _letters("".join(word.text for word in words))
        is_repeated = len(text) >= _LEAST_CHARS and text in said.letters
        if text and not is_repeated:
            kept.append(line._replace(words=words))
    return read._replace(lines=tuple(kept))


class _Said:
    """The text of a page, as spans by direction and from the top.

    Args:
        page: as its engine reads it.
        turn: by how much it was turned, clockwise, to be read from a picture.
    """

    def __init__(self, page: Page, turn: int) -> None:
        self.letters = _letters(page.text)
        self._turn = (page.turn + turn) % 360
        self._origin = corner(page.box, self._turn)
        by_angle: defaultdict[int, list[Span]] = defaultdict(list)
        for span in page.spans:
            if _letters(span.text):
                by_angle[span.angle].append(span)
        self._by_angle = {
            angle: sorted(spans, key=attrgetter("baseline")) for angle, spans in by_angle.items()
        }

    def has_word(self, word: Word, size: float) -> bool:
        """Whether text of the page stands where a word was read.

        Args:
            word: in points, from the left and the top of the page after it is turned.
            size: of its line.
        """
        x = self._origin[0] + (word.left + word.right) / 2
        y = self._origin[1] + (word.top + word.bottom) / 2
        return any(
            _covers(spans, turned(x, y, angle - self._turn), size)
            for angle, spans in self._by_angle.items()
        )


def _covers(spans: Sequence[Span], middle: tuple[float, float], size: float) -> bool:
    """Whether text of about a size is where a point is; spans are in the order of baselines."""
    x, y = middle
    reach = _SAME_SIZE * size
    begin = bisect_left(spans, y - _BELOW * reach, key=attrgetter("baseline"))
    for span in spans[begin:]:
        if span.baseline > y + _ABOVE * reach:
            return False
        if (
            size / _SAME_SIZE <= span.size <= size * _SAME_SIZE
            and span.left - _BESIDE * span.size <= x <= span.right + _BESIDE * span.size
            and span.baseline - _ABOVE * span.size <= y <= span.baseline + _BELOW * span.size
        ):
            return True
    return False


def _letters(text: str) -> str:
    """Return the letters and digits of a text, in lower case."""
    return "".join(filter(str.isalnum, text)).casefold()
