"""Words that line ends divide: joined, or kept with their hyphen where it is theirs.

Runs in the child; pure.
"""

import re
from collections.abc import Container, Iterable

_LAST = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*$")
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""A word, with its hyphens."""
_DIVIDED = re.compile(r"\S+\ufffe\s*\S+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]"
)
"""Scripts that have no spaces between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese."""
_LEAST_LETTERS = 4


def vocabulary(lines: Iterable[str]) -> frozenset[str]:
    """Return the words of lines in lower case, with their hyphens, but for those that lines divide.

    Args:
        lines: of which one that ends within a word ends with U+FFFE.
    """
    return frozenset(WORD.findall(_DIVIDED.sub(" ", "\n".join(lines).lower())))


def is_divided(before: str, after: str) -> bool:
    """Whether a line may end within a word: at U+FFFE, or at a hyphen before a small letter."""
    return before.endswith("\ufffe") or (
        before.endswith(("-", "\u2010", "\xad")) and before[-2:-1].isalpha() and after[:1].islower()
    )


def space_between(before: str, after: str) -> str:
    """Return what stands between the last word of a line and the first of the next."""
    is_close = not before or (_UNSPACED.match(before[-1]) and _UNSPACED.match(after[:1]))
    return "" if is_close else " "


def joined(before: str, after: str, known: Container[str]) -> str:
    """Join two lines of which the first ends within a word, at a hyphen.

    Args:
        before: a line, without the hyphen.
        after: the next line.
        known: words of the document, in lower case.
    """
    keeps = is_own_hyphen(before, after, known)
    return f"{before}{'-' * keeps}{after}"


def is_own_hyphen(before: str, after: str, known: Container[str]) -> bool:
    """Whether a hyphen at a line end belongs to the word."""
    last, first = _LAST.search(before), WORD.match(after)
    if not last or not first:
        return True
    head, tail = last[0], first[0]
    if tail[0].isupper():
        return True
    whole, divided = f"{head}{tail}".lower(), f"{head}-{tail}".lower()
    if whole in known:
        return False
    if divided in known or "-" in head or "-" in tail:
        return True
    a, b = head.lower(), tail.lower()
    return min(len(a), len(b)) >= _LEAST_LETTERS and a in known and b in known
