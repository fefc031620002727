"""Regular expressions for the bytes of a record.

    {"id":"3f2a9c0e51b7d844:p0003","text":" … ","source":"a.pdf", … }
    ╰──────────── HEAD ──────────────────╯╰ TEXT ╯╰──── tail_of ──────╯

Owns what any record looks like as bytes; whether one belongs to a source is checked in `contents`.
Why not a JSON parser: a parser holds the whole text, and the memory of the parent must not depend
on how long a text is. The patterns are made from sample records, so that `record` alone lists keys.
"""

import re
from functools import cache
from typing import Any

from pdfingest.exchange.record import DocumentFacts, document_tail, page_record
from pdfingest.exchange.said import Joined
from pdfingest.job import EngineSpec
from pdfingest.model import Format, Unit
from pdfingest.pages import INFO_NAMES, Page

_ID = rb"(?P<id>[0-9a-f]{16})(?::p(?P<page>\d{4,15})(?::c(?P<chunk>\d{4,15}))?)?"
HEAD = re.compile(rb'\{"id":"%s","text":"' % _ID)
HEAD_BYTES = 80
"""A number of bytes that every head fits into."""
# Quantifiers are possessive, so that a mismatch takes linear time.
_CHARACTERS = rb'(?:[^"\\\x00-\x1f]++|\\(?:["\\nt]|u0085|u2028|u2029))*+'
"""What `record.encode_text` makes of a clean text."""
_NAME_CHARACTERS = _CHARACTERS.replace(rb'["\\nt]', rb'["\\bfnrt]').replace(
    b"u0085", b"u00[01][0-9a-f]|u0085"
)
"""What `record.encode_text` makes of a file name, which may hold control characters."""
TEXT = re.compile(_CHARACTERS)
"""Matches as much of a text as is there; a text may be longer than the bytes at hand."""

# Paths of values in a record, joined by `_`.
_NAMED = {
    *("source", "metadata_source", "metadata_sha256", "metadata_page", "metadata_chunk"),
    *("metadata_char_count", "metadata_needs_ocr", "metadata_ocr_chars"),
}
"""Values that are looked at; each is a group of its name in the pattern."""
_FILE_NAMES = {"source", "metadata_source", "metadata_file_name"}


def _pattern(shape: Any, name: str = "") -> bytes:
    """Make a regular expression for JSON that has the keys and types of a sample value.

    Args:
        shape: the sample; a list of one item stands for one of any length, of none for
            an empty one.
        name: path of the value, its keys joined by `_`.
    """
    match shape:
        case bool():
            found = b"true|false"
        case int():
            found = rb"0|[1-9]\d{0,14}"  # a reader that uses doubles still reads these exactly
        case float():
            found = rb"-?\d{1,15}\.\d"  # in tenths
        case str():
            found = b'"%s"' % (_NAME_CHARACTERS if name in _FILE_NAMES else _CHARACTERS)
        case list():
            items: list[Any] = shape  # pyright: ignore[reportUnknownVariableType] - Any, by JSON
            item = b",".join(map(_pattern, items))
            found = rb"\[%s\]" % item
            if len(items) < 2:  # noqa: PLR2004 - a list of more has always as many
                found = rb"\[(?:%s(?:,%s)*+)?\]" % (item, item)
        case _:
            members = (
                b'"%s":%s' % (key.encode(), _pattern(value, f"{name}_{key}".lstrip("_")))
                for key, value in shape.items()
            )
            found = rb"\{%s\}" % b",".join(members)
    return b"(?%s%s)" % (b"P<%s>" % name.encode() if name in _NAMED else b":", found)


@cache
def tail_of(unit: Unit) -> "re.Pattern[bytes]":
    """Return the pattern of a record from the first key behind its text to the end of the line."""
    facts = DocumentFacts(
        "", "", "", 0, dict.fromkeys(INFO_NAMES, ""), Format.TEXT, EngineSpec("", "", "")
    )
    record = page_record(facts, 1, Page("", links=("",)))
    if unit is not Unit.DOCUMENT:
        del record["id"], record["text"]
    else:
        joined = Joined()
        joined.page_offsets, joined.links = [0], [""]
        record = document_tail(facts, joined)
    return re.compile(_pattern(record).replace(rb"\{", b"", 1) + b"\n")
