"""Readers and lines for tests of OCR, without an engine."""

from collections.abc import Callable, Sequence

from pdfingest.ocr.engine import Line, Picture, Sight, Word
from pdfingest.ocr.transcript import Draw, Transcript

PAGE = (595.0, 842.0)
SURE, UNSURE = 0.95, 0.3


def line(
    text: str,
    left: float = 50,
    baseline: float = 100,
    size: float = 10,
    *,
    confidence: float = SURE,
    gap: float = 0.3,
) -> Line:
    """A line of words, each letter half an em wide; `gap` is between two, in ems."""
    words: list[Word] = []
    for part in text.split(" "):
        right = left + len(part) * size / 2
        words.append(
            Word(part, left, baseline - 0.7 * size, right, baseline + 0.2 * size, confidence)
        )
        left = right + gap * size
    return Line(tuple(words), baseline, size)


def transcript(*lines: Line, turn: int = 0) -> Transcript:
    """What was read of a page of A4."""
    return Transcript(lines, *PAGE, turn, SURE)


class Reader:
    """Sees what a function tells it that it sees.

    Args:
        see: returns what is seen, given pixels an inch and the angle at which the page was drawn.
    """

    def __init__(self, see: Callable[[float, float], Sight]) -> None:
        self.asked: list[tuple[float, float]] = []
        self._see = see

    @property
    def draw(self) -> Draw:
        """What draws the page: blank, but it is known how."""
        return self._draw

    def _draw(self, dpi: float, angle: float) -> Picture:
        self.asked.append((dpi, angle))
        width, height = (round(side * dpi / 72) for side in PAGE)
        return Picture(b"", *((height, width) if angle % 180 == 90 else (width, height)), dpi)

    def read(self, picture: Picture) -> Sight:
        """Return what is seen."""
        return self._see(*self.asked[-1])

    def close(self) -> None:
        """Release nothing."""


def sight(lines: Sequence[str], *, confidence: float = SURE, skew: float = 0.0) -> Sight:
    """Lines in a picture of 200 pixels an inch."""
    return Sight(
        tuple(
            line(text, 100, 100 + 40 * number, 30, confidence=confidence)
            for number, text in enumerate(lines)
        ),
        skew,
    )
