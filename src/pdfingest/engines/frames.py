"""Rectangles of a page, and a page turned so that what is drawn at an angle is horizontal."""

import math
from typing import NamedTuple


class Rect(NamedTuple):
    """A rectangle in points, y growing upwards (ISO 32000-2, 7.9.5)."""

    left: float
    bottom: float
    right: float
    top: float


class Frame:
    """The page turned by an angle, so that what is drawn at this angle is horizontal."""

    def __init__(self, angle: int) -> None:
        self._cos, self._sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))

    def place(self, box: Rect) -> tuple[float, float, float]:
        """Return where a box begins and ends along its line, and the height of its middle."""
        ends = [
            x * self._cos + y * self._sin
            for x in (box.left, box.right)
            for y in (box.bottom, box.top)
        ]
        middle = self.baseline((box.left + box.right) / 2, (box.bottom + box.top) / 2)
        return min(ends), max(ends), middle

    def baseline(self, x: float, y: float) -> float:
        """Return how far down a point is."""
        return x * self._sin - y * self._cos
