"""What a document may do beside what `engine.Document` asks of all: protocols, and who has them.

An engine need not know of any of these. Its documents have the method, or they do not.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Protocol, TypeGuard

from pdfingest.engines.engine import Document
from pdfingest.ocr.engine import Picture
from pdfingest.outcome import Traits
from pdfingest.pages import Page, Table, Title


class LayoutDocument(Document, Protocol):
    """A document whose engine knows where text stands; then its text has an order and paragraphs.

    An engine need not know that: without this method, records have the text as it gives it.
    """

    def layout(self, number: int, *, marked: bool, ruled: bool) -> Page:
        """Read one page as `page` does, with its `spans`. Not called for `--format raw`.

        Args:
            number: as for `page`.
            marked: whether what only Markdown shows is wanted: bullets that are drawn as shapes, in
                the text of their spans, and `link_texts`.
            ruled: whether `rules` are wanted, which tell tables.
        """
        ...


class RangedDocument(Document, Protocol):
    """A document whose engine reads many pages at a time, such as one with models does."""

    def pages(self, first: int, last: int) -> Iterator[Page]:
        """Yield the pages of a range, in their order; called instead of `page`.

        What it raises instead of a page costs that page, and a new range begins behind it. It may
        be closed before its end, as other processes may take over the rest of the range.

        Args:
            first: number of the first page, 1-based.
            last: number of the last page.
        """
        ...


class TabledDocument(Document, Protocol):
    """A document whose engine finds tables by itself. They count where `layout` is not known."""

    def tables(self, number: int) -> Sequence[Table]:
        """Return the tables of a page. Called with `--tables`; what this raises costs them alone.

        Args:
            number: as for `page`.
        """
        ...


class OutlinedDocument(Document, Protocol):
    """A document whose engine knows its outline."""

    def outline(self) -> Sequence[Title]:
        """Return the titles of the outline, in their order. What this raises costs them alone."""
        ...


class AttachedDocument(Document, Protocol):
    """A document whose engine can read its attachments."""

    def attachment(self, index: int) -> bytes:
        """Return the content of an attachment.

        Args:
            index: 0-based, as in `Traits.attachments`.

        Raises:
            MalformedError: it is not there, or cannot be decoded.
        """
        ...


class TraitsDocument(Document, Protocol):
    """A document whose engine knows what it is, beside its pages."""

    def traits(self) -> Traits:
        """Return what the document is. What this raises costs it alone.

        Attachments need no sizes.
        """
        ...


class LayeredDocument(Document, Protocol):
    """A document whose engine reads text of layers that are switched off, unless it is told not to.

    It is told the names of such layers, because no engine tells whether they are off.
    """

    def hide_layers(self, names: Collection[bytes]) -> None:
        """Read no text of some layers. Called before the first page is read.

        Args:
            names: strings as the file has them, without escapes (ISO 32000-2, 7.3.4).
        """
        ...


class PicturedDocument(Document, Protocol):
    """A document whose engine can draw its pages, which `--ocr` reads."""

    def picture(self, number: int, dpi: float, angle: float) -> Picture:
        """Draw a page as it is shown, in shades of grey on white, with its annotations.

        Args:
            number: as for `page`.
            dpi: pixels an inch; fewer if the picture would be too large. The picture says how many.
            angle: by how many degrees the page is turned, clockwise, before it is drawn. Its middle
                is the middle of the picture, which is large enough to hold all of it.

        Raises:
            MalformedError: the page cannot be drawn. Anything else costs the picture, too.
            MemoryError: as for `page`.
        """
        ...


def has_ranges(document: Document) -> TypeGuard[RangedDocument]:
    """Return whether an engine reads many pages at a time."""
    return hasattr(document, "pages")


def has_layers(document: Document) -> TypeGuard[LayeredDocument]:
    """Return whether a document must be told which of its layers are off."""
    return hasattr(document, "hide_layers")


def has_outline(document: Document) -> TypeGuard[OutlinedDocument]:
    """Return whether an engine can tell the outline of a document."""
    return hasattr(document, "outline")


def has_attachments(document: Document) -> TypeGuard[AttachedDocument]:
    """Return whether an engine can read the attachments of a document."""
    return hasattr(document, "attachment")


def has_tables(document: Document) -> TypeGuard[TabledDocument]:
    """Return whether an engine finds the tables of a document."""
    return hasattr(document, "tables")


def has_traits(document: Document) -> TypeGuard[TraitsDocument]:
    """Return whether an engine can tell what a document is."""
    return hasattr(document, "traits")


def knows_layout(document: Document) -> TypeGuard[LayoutDocument]:
    """Return whether a document can tell where its text stands."""
    return hasattr(document, "layout")


def has_picture(document: Document) -> TypeGuard[PicturedDocument]:
    """Return whether an engine can draw the pages of a document."""
    return hasattr(document, "picture")
