"""The width of text on a terminal, in cells: a CJK character takes two, a combining one none."""

from collections.abc import Iterable

from rich.cells import cell_len


def cut(text: str, width: int) -> str:
    """Shorten a text to at most `width` cells, in the middle, where a path tells least.

    Args:
        text: one printable line.
        width: 1 or more.
    """
    if cell_len(text) <= width:
        return text
    start = _fitting(text, width // 2)
    end = len(text) - _fitting(reversed(text), (width - 1) // 2)
    while end < len(text) and not _cells(text[end]):
        end += 1  # a combining mark whose letter is cut off
    return f"{text[:start]}…{text[end:]}"


def _fitting(characters: Iterable[str], width: int) -> int:
    """Return the number of characters, from the first on, that fit into `width` cells."""
    number = 0
    for character in characters:
        width -= _cells(character)
        if width < 0:
            break
        number += 1
    return number


def _cells(character: str) -> int:
    """Return the width of a character, and for U+FE0F the width that it may add to the last."""
    return 1 if character == "\ufe0f" else cell_len(character)
