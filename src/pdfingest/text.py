"""Text from hostile places made safe to write: valid Unicode, no control characters.

Two kinds of text arrive here: what engines read out of documents, and names of files.
"""

import os
import re

_SUSPECT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_SIZE = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?)(?:i?B)?\s*", re.IGNORECASE)
_REPLACEMENT = "\ufffd"
_REPLACEMENTS = {"\x00": "", "\uffff": "", "\x0b": "\n", "\x0c": "\n", "\x7f": ""}


def clean(text: str) -> str:
    r"""Document text as records hold it.

    Line ends become `\n`. U+FFFE, with which PDFium marks a hyphen at a line end and which is no
    character (FPDFText_GetText), becomes the hyphen and the line end again. NUL is dropped.
    Surrogate pairs are joined. Whatever else has no meaning in text, such as the control
    characters (C0 and C1) that fonts without a Unicode map yield, becomes U+FFFD, so that a reader
    sees that something was there.
    """
    if not _SUSPECT.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "-\n")
    text = _SURROGATE_PAIR.sub(_join_pair, text)
    return _SUSPECT.sub(lambda match: _REPLACEMENTS.get(match[0], _REPLACEMENT), text)


def _join_pair(match: re.Match[str]) -> str:
    """The character that two UTF-16 surrogates stand for."""
    return match[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def shortened(text: str, most: int) -> str:
    """Cut a text to a number of characters; an ellipsis is the sign."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def is_usable(text: str) -> bool:
    """Whether a page's text says anything: it has a letter or a digit."""
    return any(map(str.isalnum, text))


def source_name(path: str) -> str:
    r"""A relative path as a source name: valid UTF-8, `/`-separated, one name for one path.

    Bytes that are not UTF-8 become `\xNN`. A backslash becomes two, so that no valid name reads
    like an escaped one (two sources never share a name).
    """
    if os.sep != "/":
        path = path.replace(os.sep, "/")
    return (
        path.replace("\\", "\\\\")
        .encode("utf-8", "surrogateescape")
        .decode("utf-8", "backslashreplace")
    )


def printable(text: str, width: int = 0) -> str:
    r"""Text for one line of a terminal: control and bidirectional characters as escapes.

    Args:
        text: anything, a hostile file name included.
        width: at most so many characters, cut in the middle; 0 for no limit.
    """
    shown = "".join(c if c.isprintable() else _escape(c) for c in text)
    if width and len(shown) > width:
        head = (width - 1) // 2
        shown = f"{shown[:head]}…{shown[len(shown) - (width - 1 - head) :]}"
    return shown


def _escape(character: str) -> str:
    r"""One character as Python would write it in a string: `\n`, `\x1b`, `\u202e`."""
    return character.encode("unicode_escape").decode("ascii")


def parse_size(text: str) -> int:
    """Bytes of a size as people write it: `512M`, `4GiB`, `1.5g`; units are powers of 1024.

    Raises:
        ValueError: it is no size.
        OverflowError: its fraction stands behind more digits than a float has.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no size; write it like 512M or 4G")
    number = match["number"]
    unit = 1024 ** " KMGT".index(match["unit"].upper() or " ")
    return int(float(number) * unit) if "." in number else int(number) * unit


def counted(number: int, noun: str) -> str:
    """A number with its noun, as `1 page` or `1,200 pages`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def mib(size_bytes: float) -> str:
    """A size in MiB."""
    return f"{size_bytes / 2**20:,.1f} MiB"
