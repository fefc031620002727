"""A line of a page: spans that stand on one baseline, and the cells that wide gaps make of it.

Runs in the child; pure.
"""

from typing import NamedTuple

from pdfingest.model import Font, Span


class Cell(NamedTuple):
    """A part of a line that wide gaps separate from the others."""

    text: str
    left: float
    right: float


class Line(NamedTuple):
    """A line, with the fields of a span."""

    text: str
    """With a tabulator between two cells."""
    left: float
    right: float
    baseline: float
    size: float
    font: Font
    angle: int
    cells: tuple[Cell, ...]
    """From the left; one for a line without wide gaps."""


def line_of(span: Span) -> Line:
    """Return a span as a line of its own."""
    text, left, right, baseline, size, font, angle = span
    return Line(text, left, right, baseline, size, font, angle, (Cell(text, left, right),))
