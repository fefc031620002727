"""What engines read of a page and of a document, as frozen values. They never leave the child."""

from typing import NamedTuple

from pdfingest.model import OcrReason, TextSource


class Font(NamedTuple):
    """What layout needs to know of a font."""

    name: str = ""
    is_bold: bool = False
    is_italic: bool = False
    is_fixed: bool = False
    """Whether all its characters have one width."""


class Box(NamedTuple):
    """A rectangle, in points."""

    left: float
    top: float
    right: float
    bottom: float


NO_BOX = Box(0.0, 0.0, 0.0, 0.0)


class Span(NamedTuple):
    """A run of characters on one line, with no wide gap in it.

    Lengths are in points, y grows downwards, and all spans of a page share one origin, wherever
    that is. They say where text was drawn, whether or not the page is turned for display. Where
    `angle` is not 0, they are those after the page is turned by it, so that the span is horizontal.
    It is a tuple, as a page has hundreds.
    """

    text: str
    """As the engine says it; U+FFFE at its end is a hyphen that divides a word at a line end."""
    left: float
    """Least x."""
    right: float
    """Greatest x, with the room that the last character takes."""
    baseline: float
    """y of the line on which the letters stand."""
    size: float
    """The height of an em."""
    font: Font = Font()
    angle: int = 0
    """Direction of reading in degrees, counterclockwise from left to right, 0 to 359. Vertical
    writing has 270."""


class Title(NamedTuple):
    """A title of the outline, which PDF readers show beside the pages."""

    text: str
    level: int
    """1 for those that have none above them."""
    number: int = 0
    """1-based number of the page that it leads to; 0 if to none."""


class Table(NamedTuple):
    """A table of a page."""

    box: Box
    """Where it stands, from the left and the top of what is shown of the page."""
    rows: tuple[tuple[str, ...], ...]
    """The texts of its cells; all rows have as many."""


class InternalLink(NamedTuple):
    """A link of a page to a page of the same document."""

    number: int
    """Number of that page, 1-based."""
    label: str
    """Label of that page; empty if it has none."""


class Annotation(NamedTuple):
    """What somebody added to a page: a comment, a mark, a stamp, an attachment."""

    kind: str
    """Subtype as ISO 32000-2, table 171, names it, such as `Highlight`."""
    author: str
    text: str


class FormField(NamedTuple):
    """A field of a form, where a page shows it."""

    name: str
    """Names of the field and of those that it is part of, with dots between (12.7.4.2)."""
    kind: str
    """`text`, `checkbox`, `radio`, `choice`, `button` or `signature`."""
    value: str
    """What is filled in or chosen; of a box that is not marked, `Off`."""


class Page(NamedTuple):
    """What an engine read from one page. Lives in the child only, since it holds text."""

    text: str
    ink: bool = True
    """Whether the page shows anything: text, lines or images. Used only where there is no text."""
    label: str = ""
    """The page number as a PDF reader shows it, such as `iii`; empty if the document has none."""
    links: tuple[str, ...] = ()
    """Link targets outside the document."""
    lacks_text: bool = False
    """Whether it seems to show text that the engine cannot read. The next engine is then asked."""
    is_doubtful: bool = False
    """Whether its letters may be wrong, as its fonts do not say which characters their glyphs are.
    The next engine is then asked for one page of the document."""
    link_texts: tuple[str, ...] = ()
    """What the page says where each of `links` is clicked; empty if nobody asks."""
    titles: tuple[Title, ...] = ()
    """Titles of the outline that lead to this page. Engines leave it empty."""
    section: str = ""
    """Titles of the outline under which the page stands, outermost first, with ` > ` between; where
    there is no outline, the first heading of the page. Engines leave it empty."""
    internal_links: tuple[InternalLink, ...] = ()
    """Links to pages of the document."""
    annotations: tuple[Annotation, ...] = ()
    form_fields: tuple[FormField, ...] = ()
    lost: int = 0
    """Number of characters without a meaning that the engine has left out of `text`."""
    spans: tuple[Span, ...] = ()
    """Where the text stands, from engines that know it: all of `text`, in the same order."""
    box: Box = NO_BOX
    """What of the page is shown, before it is turned; y grows downwards. Engines need not fill it
    unless they give spans."""
    turn: int = 0
    """By how many degrees it is turned for display, clockwise; of engines that give `box`."""
    rules: tuple[Box, ...] = ()
    """Lines that are drawn, horizontal or vertical, if they are wanted; y grows downwards."""
    tables: tuple[Table, ...] = ()
    """Tables, if they are wanted; engines need not fill it."""
    furniture: str = ""
    """What stands on page after page, such as running heads; not in `text` if it is here."""
    text_source: TextSource = TextSource.NATIVE
    """Where `text` is from. Engines leave it as it is."""
    ocr_chars: int = 0
    """Characters that were read by OCR. Engines leave it as it is."""
    ocr_confidence: float = 0.0
    """How sure OCR is of them, from 0 to 1. Engines leave it as it is."""
    draws_image: bool = True
    """Whether what it shows is or has an image. Used only where there is no text, but ink."""
    unsaid: OcrReason | None = None
    """What it shows that its text does not say, as far as pictures and outlines tell. If an engine
    does not look at them (None), a page without text that has ink shows something."""


class DocumentInfo(NamedTuple):
    """Metadata that an engine read from a document; a field is empty where the file has none.

    This is the one list of these names. A new field needs engines that fill it, and a line in
    `output.schema`.
    """

    title: str = ""
    author: str = ""
    subject: str = ""
    keywords: str = ""
    created: str = ""
    """Creation date as the file has it: `D:20260102030405+01'00'` (ISO 32000-2, 7.9.4)."""
    modified: str = ""
    """Date of the last change, likewise."""
    producer: str = ""
    language: str = ""
    """Language that the document declares (BCP 47, by ISO 32000-2, 14.9.2)."""


INFO_NAMES = DocumentInfo._fields
"""Names of the metadata of a document, in the order that records have them."""
