"""The frozen values that flow through a run: source, job, outcome.

Every value that crosses the process boundary is here, so none holds an exception or an open file.
Only `Page` holds text, and it never leaves the child.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

SCHEMA = 2
"""Version of the record, the report line and the summary."""


class FailureKind(StrEnum):
    """Why pages or a whole source were lost. The values are part of the contract with users."""

    ENCRYPTED = "encrypted"
    MALFORMED = "malformed"
    NOT_PDF = "not_pdf"
    UNREADABLE = "unreadable"
    CHANGED = "changed"
    TIMEOUT = "timeout"
    MEMORY_LIMIT = "memory_limit"
    CRASHED = "crashed"
    ENGINE_ERROR = "engine_error"
    TOO_LARGE = "too_large"
    CANCELLED = "cancelled"


class Unit(StrEnum):
    """How much of a source one record holds."""

    PAGE = "page"
    DOCUMENT = "document"


class Format(StrEnum):
    """What the text of a record is."""

    TEXT = "text"
    """As it is read: in reading order, in paragraphs, without running heads and page numbers."""
    MARKDOWN = "markdown"
    """The same, with headings, lists, tables, code, links and emphasis."""
    RAW = "raw"
    """What the engine says."""


class OcrReason(StrEnum):
    """Why a page needs OCR. The values are part of the contract with users."""

    NONE = ""
    IMAGE = "image"
    """It shows an image and no text."""
    OUTLINES = "outlines"
    """It shows lines and curves, which may be letters, and no text."""
    UNMAPPED = "unmapped"
    """It shows text of which the file does not say which characters it is."""


class Duplicates(StrEnum):
    """What to do with a source that has the same content as another source in the output."""

    KEEP = "keep"
    """Write its records as well."""
    SKIP = "skip"
    """Write no records; the report line names the other source."""


class Aside(StrEnum):
    """What an engine reads beside the text of a page. It must never cost the page."""

    INFO = "info"
    LABEL = "label"
    LINKS = "links"
    FIELDS = "fields"
    """What is filled into a form."""
    ANNOTATIONS = "annotations"
    """Comments, marks and stamps."""
    TRAITS = "traits"
    """What the file is: its version, its attachments, whether it is signed."""
    INK = "ink"
    """Whether a page without text shows anything."""
    LAYOUT = "layout"
    """The order and the paragraphs of a page whose text is read."""
    OUTLINE = "outline"
    """Titles of the outline, by which headings are told."""
    TABLES = "tables"
    """Tables, as an engine finds them."""
    SIZES = "sizes"
    """Sizes of attachments, which must be decoded for it."""
    SHAPES = "shapes"
    """What is drawn, by which tables and bullets are told."""
    LAYERS = "layers"
    """What belongs to layers that are switched off."""
    SURVEY = "survey"
    """Some pages that show what all have in common, such as running heads."""
    OTHER = "other"
    """The page as another engine reads it, where the first cannot read all of its text."""


class Sent:
    """Base of dataclasses that are pickled as a call of their constructor.

    The pickling of one with slots looks its fields up, on both sides, each time.
    """

    __slots__: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        # A class's own slots, which are its fields: none of these inherits any.
        return type(self), tuple([getattr(self, name) for name in self.__slots__])


@dataclass(frozen=True, slots=True)
class Source(Sent):
    """A PDF that discovery found."""

    name: str
    """Path relative to the input it was found under, `/`-separated, valid UTF-8, unique in a run.
    Bytes that are not UTF-8 appear as `\\xNN`, a backslash as two."""
    path: str
    """Where to open it; may hold surrogate escapes (PEP 383)."""
    size_bytes: int = 0
    mtime_ns: int = 0
    """When it was last modified; 0 where that cannot tell a later change from this state."""
    error: str = ""
    """Why it cannot be read, where discovery already knows."""
    inside: tuple[int, ...] = ()
    """Where a PDF is that is attached to the one at `path`: its 0-based index among the attachments
    of that, or further indices where it is attached to an attachment; empty for the file itself."""


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


@dataclass(frozen=True, slots=True)
class Page:
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
    draws_image: bool = True
    """Whether what it shows is or has an image. Used only where there is no text, but ink."""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
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


INFO_NAMES = tuple(DocumentInfo.__dataclass_fields__)
"""Names of the metadata of a document, in the order that records have them."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Progress of a source that is being read."""

    source: Source
    pages_done: int = 0
    """Pages that have been read, by all children that read a part of it."""
    total_pages: int = 0
    """Number of pages of the document; 0 until the file is open."""
    hashed_bytes: int = 0
    """Bytes of the file that have been hashed, which comes before the first page."""

    @property
    def fraction(self) -> float:
        """Part of the source that has been read, from 0 to 1."""
        return min(self.pages_done / self.total_pages, 1.0) if self.total_pages else 0.0
