"""Lines of a text, and where they are in its UTF-16, which is how PDFium counts."""

import re
from collections.abc import Iterator

_LINE = re.compile("[^\r\n\ufffe]+\ufffe?|\ufffe")
"""A line, with the hyphen at its end if it divides a word there."""
_LAST_OF_ONE_UNIT = "\uffff"


def lines_of(text: str, *, is_wide: bool) -> Iterator[tuple[str, int, int]]:
    """Yield the lines of a text that are not blank, with where they begin and end in UTF-16.

    Args:
        text: of a page.
        is_wide: whether some of its characters are two units of UTF-16.
    """
    wider, at = 0, 0
    for match in _LINE.finditer(text):
        line, (start, end) = match[0], match.span()
        if is_wide:
            wider += _wide(text[at:start])
            start += wider
            wider += _wide(line)
            at, end = end, end + wider
        if not line.isspace():
            yield line, start, end


def _wide(text: str) -> int:
    """Return how many characters of a text are two units of UTF-16."""
    return sum(character > _LAST_OF_ONE_UNIT for character in text)
