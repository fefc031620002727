"""The frozen values that flow through a run: source, job, outcome.

Every value that crosses the process boundary is here, so none holds an exception or an open file.
Only `Page` holds text, and it never leaves the child.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, TypeAlias

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


class Status(StrEnum):
    """How a source ended. The values are part of the contract with users."""

    OK = "ok"
    PARTIAL = "partial"
    """Some pages were lost; the others have records."""
    FAILED = "failed"
    """No record was written."""
    UNCHANGED = "unchanged"
    """The records that an earlier run wrote are still valid."""
    GONE = "gone"
    """An earlier run ingested the source, and its file no longer exists. Not a failure."""


class Unit(StrEnum):
    """How much of a source one record holds."""

    PAGE = "page"
    DOCUMENT = "document"


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
    """What is filled into a form, where the engine does not draw it into the page."""
    INK = "ink"
    """Whether a page without text shows anything."""


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


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """Metadata that an engine read from a document; a field is empty where the file has none.

    This is the one list of these names. A new field needs engines that fill it, and a line in
    `output.schema`.
    """

    title: str = ""
    author: str = ""
    created: str = ""
    """Creation date as the file has it: `D:20260102030405+01'00'` (ISO 32000-2, 7.9.4)."""
    producer: str = ""
    language: str = ""
    """Language that the document declares (BCP 47, by ISO 32000-2, 14.9.2)."""


INFO_NAMES = tuple(DocumentInfo.__dataclass_fields__)
"""Names of the metadata of a document, in the order that records have them."""


@dataclass(frozen=True, slots=True)
class Peak(Sent):
    """Memory of one child, in bytes of resident set."""

    peak_bytes: int = 0
    """Highest resident set from birth to the end of the job."""
    baseline_bytes: int = 0
    """Resident set at the start of the job: what the image costs before the file is touched."""
    method: str = ""
    """Where the peak was read, for example `VmHWM`; empty where nothing could be read."""


@dataclass(frozen=True, slots=True)
class Cost(Sent):
    """What one job cost, as its child measured it, or its parent where the child is dead."""

    pid: int = 0
    started_at: float = 0.0
    """Seconds since the epoch; 0 if no child was started."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    """User and system time of the child since its birth."""
    peak: Peak = Peak()
    attempts: int = 1
    """Children that the source took."""
    signal: str = ""
    """Name of the signal that killed the first of them that died, for example `SIGSEGV`."""
    stack: str = ""
    """Where the first of them that died was, as its last Python frames, innermost first."""


@dataclass(frozen=True, slots=True)
class Unchanged(Sent):
    """Outcome of a source that an earlier run read with the same content and options.

    Its records are in the output already.
    """

    status: ClassVar[Status] = Status.UNCHANGED
    failure: ClassVar[FailureKind | None] = None
    message: ClassVar[str] = ""

    sha256: str
    engine: str
    pages: int
    chars: int
    needs_ocr_pages: int
    failed_pages: tuple[int, ...] = ()
    """Numbers, 1-based, of the pages that were lost then."""
    total_pages: int = 0
    peak_bytes: int = 0
    """Peak of the child that wrote the records."""
    cost: Cost = Cost()
    """Cost of hashing the file, where size and modification time did not suffice."""


@dataclass(frozen=True, slots=True)
class Extracted(Sent):
    """Outcome of a source that has records in its spool; some pages may be lost."""

    cost: Cost
    sha256: str
    engine: str
    pages: int
    """Number of pages that have a record."""
    chars: int
    """Number of characters of their text."""
    needs_ocr_pages: int
    """Number of pages that show something but have no text."""
    failed_pages: tuple[int, ...] = ()
    """Numbers, 1-based, of the pages that were lost."""
    failure: FailureKind | None = None
    """Why the first of the lost pages was lost; None if none was."""
    message: str = ""
    """The failure in words; also of a death after which no page was lost."""
    last_page: int = 0
    """Number, 1-based, of the last page of the document, or of the range that the job covers."""

    @property
    def status(self) -> Status:
        """`ok`, or `partial` if pages were lost."""
        return Status.PARTIAL if self.failed_pages else Status.OK

    @property
    def total_pages(self) -> int:
        """Number of pages of the document."""
        return self.last_page


@dataclass(frozen=True, slots=True)
class Failed(Sent):
    """Outcome of a source that has no record."""

    status: ClassVar[Status] = Status.FAILED
    pages: ClassVar[int] = 0
    chars: ClassVar[int] = 0
    needs_ocr_pages: ClassVar[int] = 0

    failure: FailureKind
    message: str
    cost: Cost = Cost()
    sha256: str = ""
    engine: str = ""
    failed_pages: tuple[int, ...] = ()
    """Numbers, 1-based, of all pages that the file is known to have."""

    @property
    def total_pages(self) -> int:
        """Number of pages of the document, as far as it is known."""
        return len(self.failed_pages)


@dataclass(frozen=True, slots=True)
class Gone:
    """Outcome of a source that an earlier run ingested, and whose file no longer exists."""

    status: ClassVar[Status] = Status.GONE
    failure: ClassVar[FailureKind | None] = None
    message: ClassVar[str] = ""
    cost: ClassVar[Cost] = Cost()
    pages: ClassVar[int] = 0
    total_pages: ClassVar[int] = 0
    chars: ClassVar[int] = 0
    needs_ocr_pages: ClassVar[int] = 0
    failed_pages: ClassVar[tuple[int, ...]] = ()

    sha256: str
    """Hash of the content that it had."""
    engine: str
    """Name of the engine that read it."""


@dataclass(frozen=True, slots=True)
class Death:
    """How and where a child ended without an outcome."""

    kind: FailureKind
    message: str
    cost: Cost
    engine: int = 0
    """0-based index of the engine it was using."""
    page: int = 0
    """1-based; 0 while the file was being opened."""
    total_pages: int = 0
    """0 if not known."""
    spool_bytes: int = 0
    """What is whole of the spool."""
    aside: Aside | None = None
    """What it was reading beside the text of the page; None if it was the text."""
    is_at_fault: bool = True
    """False if the child died before its job began or after it was done: the job may run again."""
    was_started: bool = True
    """False if the system gave no process; the message says why."""


@dataclass(frozen=True, slots=True)
class Halted(Sent):
    """Answer of a child that stopped where it found no memory; it counts as a death there."""

    message: str
    cost: Cost


@dataclass(frozen=True, slots=True)
class EnvironmentFailure(Sent):
    """Answer of a child that blames the machine. If that is true, the run must stop."""

    what: str
    """`engine`, `sandbox` or `spool`."""
    message: str


Outcome: TypeAlias = Extracted | Failed | Unchanged
"""How a job ends.

All outcomes, and `Gone`, have the attributes of a report line, from `status` to `cost`. Those that
cannot vary in a class are class variables, which are not part of an answer (`exchange.answer`).
"""


@dataclass(frozen=True, slots=True)
class Finished:
    """A source and its outcome."""

    source: Source
    outcome: Outcome | Gone
    spool: str = ""
    """Path of the file with its records; empty if no child was started."""
    duplicate_of: str = ""
    """Name of the source, earlier in the same output, that has the same content; or empty."""


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
