"""Words of scripts that are read from the right, in the order in which they are read.

PDFium reverses what a file draws from the left, but for some words it does not, it reverses the
letters of ligatures with them, and a full stop at the left end of a line comes first. Where each
letter stands tells.
"""

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby, pairwise

RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
"""A letter of Hebrew, Arabic, Syriac and the like."""
_WORD = re.compile(r"\S+")
_MARKS = re.compile(r"[.,:;!?،؛؟…]+")


def righted(line: str, origins: Sequence[float]) -> str:
    """Return a line with its words in the order in which they are read.

    Args:
        line: as PDFium says it.
        origins: x of the origin of each character. The letters of a ligature share one.
    """
    words = [(match.start(), match.end()) for match in _WORD.finditer(line)]
    descends = sum(
        (origins[a] > origins[a + 1]) - (origins[a] < origins[a + 1])
        for begin, end in words
        if RIGHT_TO_LEFT.search(line[begin:end])
        for a in range(begin, end - 1)
    )
    parts, at = list[str](), 0
    for begin, end in words:
        word = line[begin:end]
        if RIGHT_TO_LEFT.search(word):
            word = _word(word, origins[begin:end], is_reversed=descends > 0)
        parts += [line[at:begin], word]
        at = end
    return _with_marks_last(parts, words, origins) + line[at:]


def _word(word: str, origins: Sequence[float], *, is_reversed: bool) -> str:
    """Return a word as it is read.

    Args:
        word: as PDFium says it.
        origins: of its characters.
        is_reversed: whether PDFium has reversed most words of the line.
    """
    glyphs = [
        "".join(character for character, _ in group)
        for _, group in groupby(zip(word, origins, strict=True), lambda each: each[1])
    ]
    places = [place for place, _ in groupby(origins)]
    rises = sum((a < b) - (a > b) for a, b in pairwise(places))
    if rises > 0 and all(map(RIGHT_TO_LEFT.match, glyphs)):
        return "".join(reversed(glyphs))
    if rises < 0 or is_reversed:
        return "".join(map(_ligature, glyphs))
    return word


def _ligature(letters: str) -> str:
    """Return the letters of one glyph, which were reversed, in their order; marks follow theirs."""
    if any(map(unicodedata.combining, letters)) or not RIGHT_TO_LEFT.match(letters):
        return letters
    return letters[::-1]


def _with_marks_last(
    parts: list[str], words: list[tuple[int, int]], origins: Sequence[float]
) -> str:
    """Join the parts of a line, a mark that stands left of all words behind them."""
    is_mark = len(words) > 1 and _MARKS.fullmatch(parts[1]) and RIGHT_TO_LEFT.search(parts[-1])
    if is_mark and origins[words[0][0]] < min(origins[begin] for begin, _ in words[1:]):
        return "".join([parts[0], *parts[3:], parts[1]])
    return "".join(parts)
