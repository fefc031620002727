"""Text from hostile places made safe to write: valid Unicode without control characters.

Two kinds of text arrive here: what engines read from documents, and names of files.
"""

import os
import re
import unicodedata
from collections import Counter
from functools import cache
from itertools import pairwise

_SUSPECT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_LIGATURES = {
    chr(0xFB00 + n): letters
    for n, letters in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"))
}
_LIGATURE = re.compile("[\ufb00-\ufb06]")
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_SIZE = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?)(?:i?B)?\s*", re.IGNORECASE)
_REPLACEMENT = "\ufffd"
_GARBLED = 0.05
"""Share of characters without a meaning; one of six is a space in English."""
_LONG = 4
"""Length from which a word in Latin letters has a vowel."""
_GLYPH_NAMES = re.compile(r"(?<!\S)(?:/[A-Za-z]*\d+)+")
_NAME_LENGTH = 8
"""Length that names of glyphs seldom exceed."""
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_GARBLED_PRIVATE = 0.3
"""Share of characters of private use; a symbol at each of a list's items is less."""
_BLOCKS = (
    "\u0370-\u03ff",
    "\u0400-\u052f",
    "\u0531-\u058f",
    "\u0591-\u05f4",
    "\u0620-\u06ff\u0750-\u077f",
    "\u0710-\u074f",
    "\u0780-\u07bf",
    *(f"{chr(first)}-{chr(first + 0x7F)}" for first in range(0x900, 0x1000, 0x80)),
    "\u1000-\u109f",
    "\u10a0-\u10ff",
    "\u1200-\u139f",
    "\u13a0-\u13ff",
    "\u1780-\u17ff",
)
"""Blocks of letters that stand beside those of no other one in a text."""
_LEAST_SCRIPTS, _MIXED_SHARE = 8, 0.1
"""Least letters of such blocks in a garbled text, and share of those that another one follows."""
_AROUND_WORDS = ".,;:!?()[]{}\"'*-/%$"
_VOWEL = re.compile("[aeiouyAEIOUY]")
_SWITCHES = re.compile(r"[^\W\d_](?=\d)|\d(?=[^\W\d_])|[a-z](?=[A-Z])")
"""Places in a word between a letter and a digit, or a small and a capital letter."""
_REPLACEMENTS = {"\x00": "", "\uffff": "", "\x0b": "\n", "\x0c": "\n", "\x7f": ""}


def clean(text: str) -> str:
    r"""Return document text as records hold it.

    Line ends become `\n`. U+FFFE is not a character; PDFium uses it to mark a hyphen at a line end
    (FPDFText_GetText), and it becomes the hyphen and the line end again. NUL is dropped. Surrogate
    pairs are joined. Whatever else has no meaning in text, such as the control characters (C0 and
    C1) that fonts without a Unicode map yield, becomes U+FFFD, so that a reader sees that something
    was there.
    """
    if not _SUSPECT.search(text):
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "-\n")
    text = _SURROGATE_PAIR.sub(_join_pair, text)
    return _SUSPECT.sub(lambda match: _REPLACEMENTS.get(match[0], _REPLACEMENT), text)


def composed(text: str) -> str:
    """Return text with letters for ligatures, and with composed characters (Unicode NFC)."""
    if text.isascii():
        return text
    text = _LIGATURE.sub(lambda match: _LIGATURES[match[0]], text)  # ten times as fast as translate
    return unicodedata.normalize("NFC", text)


def _join_pair(match: re.Match[str]) -> str:
    """Return the character that two UTF-16 surrogates stand for."""
    return match[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def shortened(text: str, most: int) -> str:
    """Cut a text to at most `most` characters, the last of which is then an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def is_usable(text: str) -> bool:
    """Return whether the text of a page says anything, which takes a letter or a digit."""
    return any(map(str.isalnum, text))


def is_garbled(text: str, lost: int = 0) -> bool:
    """Return whether so much of a text has no meaning that the rest has hardly any.

    Where a font does not say which characters its glyphs are, the numbers of the glyphs pose as
    characters. Some of them are control characters, above all that of the space.

    Args:
        text: as `clean` returns it.
        lost: number of such characters that the engine has left out.
    """
    lost += text.count(_REPLACEMENT)
    return lost > 0 and lost >= _GARBLED * sum(map(len, text.split()))


def is_unread(text: str) -> bool:
    """Return whether a text stands for the glyphs of a page rather than for what they say.

    An engine may write the names of glyphs (`/g12/g7`) or characters of private use, or take the
    codes of a font for characters of an encoding that it does not have. Then letters of scripts
    that no language mixes stand side by side.
    """
    slashes, private = text.count("/"), 0 if text.isascii() else len(_PRIVATE.findall(text))
    if slashes or private:
        count = sum(map(len, text.split()))
        if 2 * _NAME_LENGTH * slashes > count:
            return 2 * sum(map(len, _GLYPH_NAMES.findall(text))) > count
        if private > _GARBLED_PRIVATE * count:
            return True
    if text.isascii():
        return False
    has_runs, any_run = _runs()
    if not has_runs.search(text):  # as on most pages
        return False
    runs = [(match.lastindex, match.span()) for match in any_run.finditer(text)]
    mixed = sum(
        block != next_block and (end == begin or (end + 1 == begin and text[end].isspace()))
        for (block, (_, end)), (next_block, (begin, _)) in pairwise(runs)
    )
    letters_of_blocks = sum(end - begin for _, (begin, end) in runs)
    return letters_of_blocks >= _LEAST_SCRIPTS and mixed >= _MIXED_SHARE * letters_of_blocks


@cache
def _runs() -> "tuple[re.Pattern[str], re.Pattern[str]]":
    """Return patterns of a letter of the blocks, and of a run in one, whose number is its group.

    They are not made at the import, which each start of the program would pay, with 2 ms.
    """
    letter = f"[{''.join(_BLOCKS)}]"
    runs = "|".join(f"([{block}]+)" for block in _BLOCKS)
    return re.compile(letter), re.compile(f"(?={letter})(?:{runs})")


def is_babble(text: str) -> bool:
    """Return whether hardly any word of a text can be one, as a failed OCR leaves it.

    Of a word, two of three characters are letters or digits, it does not change between them more
    than once, and a longer one in Latin letters has a vowel. Leaders are no words.
    """
    words = [word for word in text.split() if len(word) < _LONG or len(set(word)) > 1]
    likely = sum(len(word) for word in words if _may_be_word(word))
    return 2 * likely < sum(map(len, words))


def _may_be_word(word: str) -> bool:
    core = word.strip(_AROUND_WORDS)
    known = sum(c.isalnum() or "\u0300" <= c < "\u2000" for c in core)  # marks are no letters
    if 3 * known < 2 * len(core) or not known or len(_SWITCHES.findall(core)) > 1:
        return False
    return (
        len(core) < _LONG or not core.isascii() or not core.isalpha() or bool(_VOWEL.search(core))
    )


def letters(text: str) -> int:
    """Return the number of letters and digits of a text."""
    return sum(map(str.isalnum, text))


def character_counts(text: str) -> Counter[str]:
    """Return how often each character of a text occurs in it, white space left out."""
    return Counter("".join(text.split()))


def source_name(path: str) -> str:
    r"""Return a relative path as a source name: valid UTF-8, `/`-separated, one name for one path.

    Bytes that are not UTF-8 become `\xNN`. A backslash becomes two, so that no valid name reads
    like an escaped one, and two sources never share a name.
    """
    if os.sep != "/":
        path = path.replace(os.sep, "/")
    return (
        path.replace("\\", "\\\\")
        .encode("utf-8", "surrogateescape")
        .decode("utf-8", "backslashreplace")
    )


def printable(text: str, width: int = 0) -> str:
    r"""Return text for one line of a terminal, with control and bidirectional characters escaped.

    Args:
        text: any text, such as a hostile file name.
        width: most characters to return, without some in the middle; 0 for no limit.
    """
    shown = text
    if not text.isprintable():
        shown = "".join(c if c.isprintable() else _escape(c) for c in text)
    if width and len(shown) > width:
        head = (width - 1) // 2
        shown = f"{shown[:head]}…{shown[len(shown) - (width - 1 - head) :]}"
    return shown


def _escape(character: str) -> str:
    r"""Return a character as Python writes it in a string: `\n`, `\x1b`, `\u202e`."""
    return character.encode("unicode_escape").decode("ascii")


def parse_size(text: str) -> int:
    """Return the bytes of a size as people write it: `512M`, `4GiB`, `1.5g`, in powers of 1024.

    Raises:
        ValueError: the text is not a size.
        OverflowError: the number has a fraction and is larger than any float.
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a size; write it like 512M or 4G")
    number = match["number"]
    unit = 1024 ** " KMGT".index(match["unit"].upper() or " ")
    return int(float(number) * unit) if "." in number else int(number) * unit


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, as `1 page` or `1,200 pages`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def mib(size_bytes: float) -> str:
    """Return a size in MiB, as `1,024.0 MiB`."""
    return f"{size_bytes / 2**20:,.1f} MiB"
