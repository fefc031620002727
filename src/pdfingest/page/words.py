"""Words that line ends divide: joined, or kept with their hyphen where it is theirs.

Runs in the child; pure. It goes by the document alone, and knows no language. Where words were
divided when a document was set, many of them stand elsewhere whole, and many lines end with a
hyphen. Where they were not, the hyphens at line ends are the words' own. In documents that do
divide words, a hyphen is a word's own if the word stands elsewhere with it, or if what it divides
are words that stand elsewhere.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""A word, with its hyphens."""
_LAST = re.compile(rf"{WORD.pattern}$")
_DIVIDED = re.compile(r"\S+\ufffe\s*\S+")
_HYPHENS = ("-", "\u2010", "\xad")
_UNSPACED = (
    *(range(0x0E00, 0x0F00), range(0x1000, 0x10A0), range(0x1780, 0x1800)),
    *(range(0x3000, 0x3100), range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0xFF00, 0xFFF0)),
)
"""Characters of scripts that have no spaces between words: Thai and Lao, Burmese, Khmer; Chinese,
Japanese. A pattern of them would take 4 ms to be made, in each image."""
_LEAST_LETTERS = 4
"""Length of parts that are words of their own; shorter ones stand everywhere."""
_WHOLE = 0.2
"""Share of the divided words that stand elsewhere whole, in documents that divide words. In 27 that
do not it was 0, but for 1 of 6 words in one; in 42 that do, a median of a half."""
_OFTEN, _FEW, _OFTEN_OF_FEW = 0.08, 2, 0.024
"""Share of the lines that end with a hyphen, from which on words are divided in any case: it was at
most .072 where they are not, and .37 in German, where few words stand twice. Two hyphens may have
no word that stands elsewhere by chance."""


class Words:
    """What the words of a document tell of those that its lines divide.

    It looks at them once it is asked, as many a page divides no word.

    Args:
        lines: of the document, or of some of its pages. One that ends within a word ends with
            U+FFFE.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    @cached_property
    def known(self) -> frozenset[str]:
        """The words, in lower case, with their hyphens."""
        return frozenset(WORD.findall(_DIVIDED.sub(" ", "\n".join(self._lines).lower())))

    @cached_property
    def are_divided(self) -> bool:
        """Whether words were divided when the document was set."""
        divided = [(a, b) for a, b in pairwise(self._lines) if is_divided(a, b)]
        whole = sum(self._is_whole(*_parts(a[:-1], b)) for a, b in divided)
        often = _OFTEN if len(divided) > _FEW else _OFTEN_OF_FEW
        return whole > _WHOLE * len(divided) or len(divided) > often * len(self._lines)

    def _is_whole(self, head: str, tail: str) -> bool:
        return bool(head and tail) and f"{head}{tail}".lower() in self.known

    def keeps_hyphen(self, before: str, after: str) -> bool:
        """Return whether the hyphen between two lines belongs to the word.

        Args:
            before: the first line, without the hyphen.
            after: the second one.
        """
        head, tail = _parts(before, after)
        if not head or not tail or (tail[0].isupper() and not head.isupper()):
            return True
        if self._is_whole(head, tail):
            return False
        a, b = head.lower(), tail.lower()
        if not self.are_divided or f"{a}-{b}" in self.known or "-" in a or "-" in b:
            return True
        return min(len(a), len(b)) >= _LEAST_LETTERS and {a, b} <= self.known

    def joined(self, before: str, after: str) -> str:
        """Join two lines of which the first ends with a hyphen that divides a word."""
        hyphen = "-" if self.keeps_hyphen(before[:-1], after) else ""
        return f"{before[:-1]}{hyphen}{after}"


def _parts(before: str, after: str) -> tuple[str, str]:
    """Return the last word of a line and the first of the next; empty where there is none."""
    last, first = _LAST.search(before), WORD.match(after)
    return last[0] if last else "", first[0] if first else ""


def is_divided(before: str, after: str) -> bool:
    """Whether a line may end within a word: at U+FFFE, or at a hyphen before a small letter."""
    if before.endswith("\ufffe"):
        return True
    return before.endswith(_HYPHENS) and before[-2:-1].isalpha() and after[:1].islower()


def space_between(before: str, after: str) -> str:
    """Return what stands between the last word of a line and the first of the next."""
    is_close = not before or (_is_unspaced(before[-1:]) and _is_unspaced(after[:1]))
    return "" if is_close else " "


def _is_unspaced(letter: str) -> bool:
    """Whether a character is of a script without spaces between words; no character is of none."""
    return letter != "" and any(ord(letter) in each for each in _UNSPACED)
