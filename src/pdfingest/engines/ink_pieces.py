"""Connected pieces of ink in a picture of two levels, found run by run."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

_NO_INK, _INK = 0, 1
_MOST_RUNS = 100_000
"""Runs of ink that are looked at. A dense page has 40,000; noise has more than any text."""


class Piece(NamedTuple):
    """A piece of ink: its box in pixels, ends excluded, and the number of its pixels."""

    left: int
    top: int
    right: int
    bottom: int
    area: int


class _Part:
    """A piece under way, or a part of one: the other parts lead to the first by `into`."""

    __slots__ = ("area", "bottom", "into", "left", "right", "top")

    def __init__(self, left: int, top: int, right: int) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, top + 1
        self.area = right - left
        self.into: _Part | None = None

    def first(self) -> "_Part":
        """Return the part that stands for the whole piece."""
        part = self
        while part.into is not None:
            part = part.into
        return part

    def join(self, other: "_Part") -> None:
        """Take another part in. Both stand for whole pieces, which may be one."""
        if other is not self:
            other.into = self
            self.left, self.top = min(self.left, other.left), min(self.top, other.top)
            self.right = max(self.right, other.right)
            self.area += other.area


_Run: TypeAlias = tuple[int, int, _Part]
"""Where a run of ink in a row begins and ends, and a part of its piece."""


def pieces_of(rows: Sequence[bytes]) -> list[Piece]:
    """Return the pieces of ink in a picture; none if there are too many for a page of text.

    Args:
        rows: from the top, one byte a pixel: 1 for ink, 0 for none.
    """
    parts: list[_Part] = []
    before: list[_Run] = []
    allowed = _MOST_RUNS
    for y, row in enumerate(rows):
        before = _joined(row, y, before, parts)
        allowed -= len(before)
        if allowed < 0:
            return []
    return [
        Piece(part.left, part.top, part.right, part.bottom, part.area)
        for part in parts
        if part.into is None
    ]


def _joined(row: bytes, y: int, before: Sequence[_Run], parts: list[_Part]) -> list[_Run]:
    """Join the runs of a row to those of the row before, which they touch, also at corners."""
    now: list[_Run] = []
    at, count = 0, len(before)
    right, end, find = 0, len(row), row.find  # twice as fast as a pattern
    while (left := find(_INK, right)) >= 0:
        right = find(_NO_INK, left)
        if right < 0:
            right = end
        while at < count and before[at][1] < left:
            at += 1
        if at == count or before[at][0] > right:
            part = _Part(left, y, right)
            parts.append(part)
        else:
            part = before[at][2]
            if part.into is not None:
                part = part.first()
            other = at + 1
            while other < count and before[other][0] <= right:
                part.join(before[other][2].first())
                other += 1
            if left < part.left:  # noqa: PLR1730 - a call of min costs more than all the rest
                part.left = left
            if right > part.right:  # noqa: PLR1730 - as above
                part.right = right
            part.bottom = y + 1
            part.area += right - left
        now.append((left, right, part))
    return now
