"""The frozen values that flow through a run: source, job, outcome.

None holds an exception or an open file. What is read of a page is in `pages`.
"""

from enum import StrEnum
from typing import NamedTuple

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
    STORE = "store"
    CANCELLED = "cancelled"


class Unit(StrEnum):
    """How much of a source one record holds."""

    PAGE = "page"
    DOCUMENT = "document"
    CHUNK = "chunk"
    """A piece of a document that an embedding model takes as a whole."""


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
    """It shows text in an image, as a scan does, that its text does not say."""
    OUTLINES = "outlines"
    """It shows text whose letters are drawn as lines and curves."""
    UNMAPPED = "unmapped"
    """It shows text of which the file does not say which characters it is."""
    INVISIBLE = "invisible"
    """It shows text in an image, and the hidden text of an earlier OCR is empty or garbage."""


class TextSource(StrEnum):
    """Where the text of a record is from. The values are part of the contract with users."""

    NONE = "none"
    """There is no text."""
    NATIVE = "native"
    """The file says which characters it is."""
    OCR = "ocr"
    """It was read from a picture."""
    MIXED = "mixed"
    """Some of it is native, some was read from pictures."""

    def joined(self, other: "TextSource") -> "TextSource":
        """Return where text is from of which a part is from here and a part from there."""
        if TextSource.NONE in {self, other}:
            return other if self is TextSource.NONE else self
        return self if self is other else TextSource.MIXED


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
    OCR = "ocr"
    """The text of pictures. If a process dies of it, that page alone is read without."""
    OTHER = "other"
    """The page as another engine reads it, where the first cannot read all of its text."""


class FailOn(StrEnum):
    """Which outcomes make the exit code 1."""

    ANY = "any"
    """A lost page or a lost source."""
    FAILED = "failed"
    """A source that yielded no record."""
    NEVER = "never"
    """No outcome; only the environment, an interrupt or a bug end with another code than 0."""


class Order(StrEnum):
    """Which sources come first."""

    SIZE = "size"
    """The largest source, so that no lane is still busy with it when all others are done."""
    NAME = "name"
    MTIME = "mtime"
    """The source that was modified last."""


class Source(NamedTuple):
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


class Reading(NamedTuple):
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
