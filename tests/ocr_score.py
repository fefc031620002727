"""How well `needs_ocr` is told: precision and recall over pages that are known."""

from collections.abc import Iterable
from typing import NamedTuple


class Score(NamedTuple):
    """Pages by what they need and what was said."""

    right: int
    missed: tuple[str, ...]
    alarms: tuple[str, ...]

    @property
    def precision(self) -> float:
        """Share of the pages said to need OCR that do."""
        return self.right / (self.right + len(self.alarms))

    @property
    def recall(self) -> float:
        """Share of the pages that need OCR that are said to."""
        return self.right / (self.right + len(self.missed))


def score(pages: Iterable[tuple[str, bool, bool]]) -> Score:
    """Score pages, each with its name, whether it needs OCR, and whether that was said."""
    listed = list(pages)
    return Score(
        sum(needs and said for _, needs, said in listed),
        tuple(name for name, needs, said in listed if needs and not said),
        tuple(name for name, needs, said in listed if said and not needs),
    )
