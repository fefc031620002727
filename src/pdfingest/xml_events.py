"""XML from hostile places, read as events.

It reads with expat itself: `xml.etree` would be an import of 5 ms, or 1 MiB in each child. Nothing
that is read here needs entities, and they can be made to explode, so they are refused.
"""

from collections.abc import Mapping
from typing import Protocol
from xml.parsers.expat import ExpatError, ParserCreate


class Reader(Protocol):
    """Takes in the elements of a document. Names are `namespace name`."""

    def start(self, name: str, attributes: Mapping[str, str], /) -> None:
        """Begin an element."""
        ...

    def end(self, name: str, /) -> None:
        """End an element."""
        ...

    def text(self, text: str, /) -> None:
        """Take in a piece of text."""
        ...


def read_xml(content: bytes, reader: Reader) -> bool:
    """Read a document, and return whether it is one; if not, the reader has a part of it.

    Args:
        content: XML, with white space or NUL around it.
        reader: told what comes. A ValueError that it raises ends the reading.
    """
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(content.strip(b"\0 \t\r\n"), True)  # noqa: FBT003 - it takes no name
    except (ExpatError, ValueError):
        return False
    return True


def _refuse(*_: object) -> None:
    """Refuse a declaration of an entity."""
    raise ValueError
