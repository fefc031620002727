"""How much the words of two texts differ, and how far they are in the same order. Pure."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(f"[{_CJK}]|[^\\W{_CJK}]+")
"""A word; in Chinese and Japanese, which have no blanks, a character."""


class Difference(NamedTuple):
    """How two texts, or many pairs of them, differ."""

    words: tuple[int, int] = (0, 0)
    """Words of the one and of the other."""
    only: tuple[int, int] = (0, 0)
    """Words of each that the other does not have, or does not have as often."""
    told: int = 0
    """Words that stand once in each, by which their order is told."""
    in_order: int = 0
    """Most of these words that are in the same order in both."""

    def plus(self, other: "Difference") -> "Difference":
        """Return the difference of all that both tell of."""
        return Difference(
            (self.words[0] + other.words[0], self.words[1] + other.words[1]),
            (self.only[0] + other.only[0], self.only[1] + other.only[1]),
            self.told + other.told,
            self.in_order + other.in_order,
        )

    @property
    def shares(self) -> tuple[float, float]:
        """Part of the words of each that the other does not have, from 0 to 1."""
        one, other = (
            only / max(count, 1) for only, count in zip(self.only, self.words, strict=True)
        )
        return one, other

    @property
    def share(self) -> float:
        """Part of all words that only one of both has, from 0 to 1."""
        return sum(self.only) / max(sum(self.words), 1)

    @property
    def order(self) -> float:
        """Part of the words that tell the order which are in the same order, from 0 to 1."""
        return self.in_order / self.told if self.told else 1.0


def words_of(text: str) -> list[str]:
    """Return the words of a text, whatever their case."""
    return WORD.findall(text.casefold())


def difference(one: Sequence[str], other: Sequence[str]) -> Difference:
    """Return how the words of two texts differ."""
    counts, other_counts = Counter(one), Counter(other)
    places = {word: place for place, word in enumerate(other) if other_counts[word] == 1}
    order = [places[word] for word in one if counts[word] == 1 and word in places]
    return Difference(
        (len(one), len(other)),
        ((counts - other_counts).total(), (other_counts - counts).total()),
        len(order),
        _longest_ascending(order),
    )


def _longest_ascending(numbers: Sequence[int]) -> int:
    """Return the length of the longest ascending subsequence of different numbers."""
    ends: list[int] = []  # the least end of an ascending subsequence of each length
    for number in numbers:
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
    return len(ends)
