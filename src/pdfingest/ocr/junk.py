"""What an engine reads where there is no text: in photos, dirt and hatching. Pure.

Engines say how sure they are of a word, and Tesseract is sure enough to tell both apart by lines.
On scans at 200 dpi the least sure line of text had .84, of 6 points at 100 dpi .44, in the wrong
language .43. Lines out of leaves, halftone dots and specks had at most .51 if they had four
characters, and .77 if they had two.
"""

from collections.abc import Iterable, Iterator

from pdfingest.ocr.engine import Line

_SURE, _SHORT_SURE = 0.45, 0.8
"""Least confidence of a line, and of one so short that chance makes it."""
_AMONG_JUNK = 0.7
"""Least confidence of a line where most is junk; there, a short one is never text."""
_SHORT = 7
"""Letters and digits of a short line."""
_IDEOGRAPHS = "\u3040"
"""The first character of those of which one says as much as three letters."""


def without_junk(lines: Iterable[Line], *, is_text: bool) -> Iterator[Line]:
    """Yield the lines that are text.

    Args:
        lines: of a page.
        is_text: whether most of the page is.
    """
    for line in lines:
        letters = sum(_letters(word.text) for word in line.words)
        sure = confidence(line)
        if letters > _SHORT:
            is_line = sure >= (_SURE if is_text else _AMONG_JUNK)
        else:
            is_line = letters > 0 and is_text and sure >= _SHORT_SURE
        if is_line:
            yield line


def confidence(line: Line) -> float:
    """Return how sure the engine is of a character of a line, on average."""
    chars = sum(len(word.text) for word in line.words)
    return sum(len(word.text) * word.confidence for word in line.words) / max(1, chars)


def _letters(text: str) -> int:
    return sum(3 if each >= _IDEOGRAPHS else 1 for each in text if each.isalnum())
