"""Values of a form in XFA (XFA 3.3, part 1, chapter 4), which PDF readers without XFA do not show.

Runs in the child; pure. Owns what the data say; which packets a file has is told by an engine.
"""

from collections.abc import Mapping

from pdfingest.pages import FormField
from pdfingest.xml_events import read_xml

_DATA = "http://www.xfa.org/schema/xfa-data/1.0/ data"
_MOST_FIELDS = 10_000
_MOST_DEPTH = 64


def values_of(packet: bytes) -> list[FormField]:
    """Return the values that a packet of data holds, in its order; none of any other packet.

    Args:
        packet: `datasets`, or a whole form, as XML.
    """
    reader = _Reader()
    read_xml(packet, reader)
    return reader.found


class _Reader:
    """Takes in the elements within the data: those that hold text alone are values."""

    def __init__(self) -> None:
        self.found: list[FormField] = []
        self._path: list[str] | None = None
        """Names of the elements from below the data to where the parser is; None outside of it."""
        self._text = ""
        self._is_leaf = False

    def start(self, name: str, _attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        if self._path is None:
            self._path = [] if name == _DATA else None
            return
        if len(self.found) >= _MOST_FIELDS or len(self._path) >= _MOST_DEPTH:
            raise ValueError
        self._path.append(name.rpartition(" ")[2])
        self._text, self._is_leaf = "", True

    def end(self, name: str) -> None:
        """End an element."""
        if self._path is None:
            return
        if not self._path:
            self._path = None if name == _DATA else []
            return
        if self._is_leaf:
            self.found.append(FormField(".".join(self._path), "text", self._text.strip()))
        self._path.pop()
        self._is_leaf = False

    def text(self, text: str) -> None:
        """Take in a piece of text."""
        if self._is_leaf:
            self._text += text
