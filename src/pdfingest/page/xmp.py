"""Metadata in XMP (ISO 16684-1), for what the information dictionary of a document leaves out.

Runs in the child. It reads with expat itself: `xml.etree` would be an import of 5 ms, or 1 MiB in
each child. A packet may not declare entities, as none needs any, and they can be made to explode.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from xml.parsers.expat import ExpatError, ParserCreate

from pdfingest.model import DocumentInfo

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NAMES = {
    "http://purl.org/dc/elements/1.1/ title": "title",
    "http://purl.org/dc/elements/1.1/ creator": "author",
    "http://ns.adobe.com/xap/1.0/ CreateDate": "created",
    "http://ns.adobe.com/pdf/1.3/ Producer": "producer",
}
"""Name in `DocumentInfo` of each property that is read, by namespace and name."""
_ITEM, _DESCRIPTION = f"{_RDF} li", f"{_RDF} Description"
_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?"
)


def completed(info: DocumentInfo, packet: bytes) -> DocumentInfo:
    """Return metadata with what only an XMP packet says.

    Args:
        info: as the information dictionary has it.
        packet: XML; anything else says nothing.
    """
    found = _read(packet)
    lacking = {name: text for name, text in found.items() if text and not getattr(info, name)}
    return replace(info, **lacking)


def is_complete(info: DocumentInfo) -> bool:
    """Return whether XMP has nothing to add."""
    return all(getattr(info, each.name) for each in fields(info) if each.name in _READ)


_READ = frozenset(_NAMES.values())


def _read(packet: bytes) -> dict[str, str]:
    """Return the properties of a packet by their name in `DocumentInfo`."""
    reader = _Reader()
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = reader.refuse
    try:
        parser.Parse(packet.strip(b"\0 \t\r\n"), True)  # noqa: FBT003 - it takes no name
    except (ExpatError, ValueError):
        return {}
    found = {name: [*filter(None, map(str.strip, each))] for name, each in reader.found.items()}
    authors = found.get("author", [])
    texts = {name: each[0] for name, each in found.items() if each}
    return {**texts, "author": ", ".join(authors), "created": _pdf_date(texts.get("created", ""))}


@dataclass(slots=True)
class _Reader:
    """Takes in the elements of a packet."""

    found: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Texts of each property, in their order: one, or its items."""
    _property: str = ""
    """The property within which the parser is."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin an element. A property may also be an attribute of what it describes."""
        if name == _DESCRIPTION:
            for key, value in attributes.items():
                if key in _NAMES:
                    self.found.setdefault(_NAMES[key], []).append(value)
        elif name in _NAMES:
            self._property = _NAMES[name]
            self.found.setdefault(self._property, []).append("")
        elif name == _ITEM and self._property:
            self.found[self._property].append("")

    def end(self, name: str) -> None:
        """End an element."""
        if _NAMES.get(name) == self._property:
            self._property = ""

    def text(self, text: str) -> None:
        """Take in a piece of text."""
        if self._property:
            self.found[self._property][-1] += text

    def refuse(self, *_: object) -> None:
        """Refuse a declaration of an entity."""
        raise ValueError


def _pdf_date(text: str) -> str:
    """Write a date of XMP as the information dictionary has it (ISO 32000-2, 7.9.4)."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return ""
    *parts, zone = match.groups("")
    return f"D:{''.join(parts)}{zone.replace(':', chr(39))}"
