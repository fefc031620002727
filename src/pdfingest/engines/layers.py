"""Layers that a document has switched off, which are on none of its pages (ISO 32000-2, 8.11).

Runs in the child. Owns which layers these are, by their names; what belongs to them is for engines.
"""

import re

from pdfingest.engines.raw_objects import object_text

_PROPERTIES = re.compile(rb"/OCProperties\s*(?:(\d{1,10})\s+\d{1,5}\s+R|<<)")
_DEFAULT = re.compile(rb"/D\s*(?:(\d{1,10})\s+\d{1,5}\s+R|<<)")
_OFF = re.compile(rb"/OFF\s*\[([^\]]*)\]")
_REFERENCE = re.compile(rb"(\d{1,10})\s+\d{1,5}\s+R")
_NAME = re.compile(rb"/Name\s*(?:\(((?:[^()\\]|\\.)*)\)|<([0-9a-fA-F\s]*)>)", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_MOST_LAYERS = 64
"""Layers whose names are looked up, as each look takes a pass over the file."""


def hidden_layers(path: str, catalog: bytes) -> frozenset[bytes]:
    """Return the names of the layers that are off where a document is opened.

    Args:
        path: of the file.
        catalog: the text of its catalog.

    Raises:
        OSError: the file cannot be read.
        UnclearError: its bytes do not show it.
    """
    properties = _followed(path, catalog, _PROPERTIES)
    off = _OFF.search(_followed(path, properties, _DEFAULT))
    numbers = [int(each[1]) for each in _REFERENCE.finditer(off[1] if off else b"")]
    names = (_NAME.search(object_text(path, number)) for number in numbers[:_MOST_LAYERS])
    return frozenset(_raw(each) for each in names if each)


def _followed(path: str, text: bytes, entry: "re.Pattern[bytes]") -> bytes:
    """Return the text from the value of an entry on, which may be an object of its own."""
    found = entry.search(text)
    if not found:
        return b""
    return object_text(path, int(found[1])) if found[1] else text[found.end() :]


def _raw(name: "re.Match[bytes]") -> bytes:
    """Return the bytes of a string (7.3.4), which is in hexadecimal or has escapes."""
    if name[2] is not None:
        return bytes.fromhex(name[2].decode())
    return _ESCAPE.sub(rb"\1", name[1])
