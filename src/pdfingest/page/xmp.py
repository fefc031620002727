"""Metadata in XMP (ISO 16684-1), for what the information dictionary of a document leaves out.

Runs in the child; pure.
"""

import re
from collections.abc import Mapping

from pdfingest.pages import INFO_NAMES, DocumentInfo
from pdfingest.xml_events import read_xml

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_NAMES = {
    "http://purl.org/dc/elements/1.1/ title": "title",
    "http://purl.org/dc/elements/1.1/ creator": "author",
    "http://purl.org/dc/elements/1.1/ description": "subject",
    "http://purl.org/dc/elements/1.1/ subject": "tags",
    "http://purl.org/dc/elements/1.1/ language": "language",
    "http://ns.adobe.com/xap/1.0/ CreateDate": "created",
    "http://ns.adobe.com/xap/1.0/ ModifyDate": "modified",
    "http://ns.adobe.com/pdf/1.3/ Keywords": "keywords",
    "http://ns.adobe.com/pdf/1.3/ Producer": "producer",
}
"""Name in `DocumentInfo` of each property that is read, by namespace and name; `tags` are keywords
where there are no others."""
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
    return info._replace(**lacking)


def is_complete(info: DocumentInfo) -> bool:
    """Return whether XMP has nothing to add."""
    return all(getattr(info, each) for each in INFO_NAMES if each in _READ)


_READ = frozenset(_NAMES.values())


def _read(packet: bytes) -> dict[str, str]:
    """Return the properties of a packet by their name in `DocumentInfo`."""
    reader = _Reader()
    if not read_xml(packet, reader):
        return {}
    found = {name: [*filter(None, map(str.strip, each))] for name, each in reader.found.items()}
    texts = {name: each[0] for name, each in found.items() if each}
    for name in ("author", "tags"):
        texts[name] = ", ".join(found.get(name, []))
    tags = texts.pop("tags")
    return {
        **texts,
        "keywords": texts.get("keywords") or tags,
        "created": _pdf_date(texts.get("created", "")),
        "modified": _pdf_date(texts.get("modified", "")),
    }


class _Reader:
    """Takes in the elements of a packet."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        """Texts of each property, in their order: one, or its items."""
        self._property = ""
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


def _pdf_date(text: str) -> str:
    """Write a date of XMP as the information dictionary has it (ISO 32000-2, 7.9.4)."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return ""
    *parts, zone = match.groups("")
    return f"D:{''.join(parts)}{zone.replace(':', chr(39))}"
