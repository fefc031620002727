"""The outcome: what came of a source, and of the children that it took, as frozen values."""

from enum import StrEnum
from typing import ClassVar, NamedTuple, TypeAlias

from pdfingest.model import Aside, FailureKind, Source


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


class Peak(NamedTuple):
    """Memory of one child, in bytes of resident set."""

    peak_bytes: int = 0
    """Highest resident set from birth to the end of the job."""
    baseline_bytes: int = 0
    """Resident set at the start of the job: what the image costs before the file is touched."""
    method: str = ""
    """Where the peak was read, for example `VmHWM`; empty where nothing could be read."""
    private_peak_bytes: int = 0
    """Highest memory that was seen of what the child does not share with its image; 0 where that
    was not looked at, which is done for an image with models."""


NO_PEAK = Peak()


class Cost(NamedTuple):
    """What one job cost, as its child measured it, or its parent where the child is dead."""

    pid: int = 0
    started_at: float = 0.0
    """Seconds since the epoch; 0 if no child was started."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    """User and system time of the child since its birth."""
    peak: Peak = NO_PEAK
    attempts: int = 1
    """Children that the source took."""
    signal: str = ""
    """Name of the signal that killed the first of them that died, for example `SIGSEGV`."""
    stack: str = ""
    """Where the first of them that died was, as its last Python frames, innermost first."""


class Attachment(NamedTuple):
    """A file within a document (ISO 32000-2, 7.11.4)."""

    name: str
    size_bytes: int = 0
    """0 if it is not known: to decode it may take more than all of the pages."""
    is_pdf: bool = False
    """Whether its name or its type says so."""


class Shape(NamedTuple):
    """What the pages of a document look like, if all are alike; else zeros."""

    width: float = 0.0
    """In points, before the page is turned for display."""
    height: float = 0.0
    turn: int = 0
    """By how many degrees it is turned, clockwise."""


NO_SHAPE = Shape()


class Traits(NamedTuple):
    """What a document is, beside its pages, as far as the engine knows."""

    pdf_version: str = ""
    """Such as `1.7`."""
    is_tagged: bool = False
    is_signed: bool = False
    """Whether it has a signature; none is verified."""
    has_xfa: bool = False
    attachments: tuple[Attachment, ...] = ()


NO_TRAITS = Traits()


class _Unchanged(NamedTuple):
    """Fields of `Unchanged`."""

    sha256: str
    engine: str
    pages: int
    chars: int
    needs_ocr_pages: int
    ocr_pages: int = 0
    """Number of pages of which OCR read some text."""
    failed_pages: tuple[int, ...] = ()
    """Numbers, 1-based, of the pages that were lost then."""
    total_pages: int = 0
    peak_bytes: int = 0
    """Peak of the child that wrote the records."""
    cost: Cost = Cost()
    """Cost of hashing the file, where size and modification time did not suffice."""


class Unchanged(_Unchanged):
    """Outcome of a source that an earlier run read with the same content and options.

    Its records are in the output already.
    """

    __slots__ = ()
    status: ClassVar[Status] = Status.UNCHANGED
    failure: ClassVar[FailureKind | None] = None
    message: ClassVar[str] = ""


class Extracted(NamedTuple):
    """Outcome of a source that has records in its spool; some pages may be lost."""

    cost: Cost
    sha256: str
    engine: str
    pages: int
    """Number of pages that have a record."""
    chars: int
    """Number of characters of their text."""
    needs_ocr_pages: int
    """Number of pages that show something that their text does not say."""
    ocr_pages: int = 0
    """Number of pages of which OCR read some text."""
    failed_pages: tuple[int, ...] = ()
    """Numbers, 1-based, of the pages that were lost."""
    failure: FailureKind | None = None
    """Why the first of the lost pages was lost; None if none was."""
    message: str = ""
    """The failure in words; also of a death after which no page was lost."""
    last_page: int = 0
    """Number, 1-based, of the last page of the document, or of the range that the job covers."""
    traits: Traits = NO_TRAITS
    shape: Shape = NO_SHAPE

    @property
    def status(self) -> Status:
        """`ok`, or `partial` if pages were lost."""
        return Status.PARTIAL if self.failed_pages else Status.OK

    @property
    def total_pages(self) -> int:
        """Number of pages of the document."""
        return self.last_page


class _Failed(NamedTuple):
    """Fields of `Failed`."""

    failure: FailureKind
    message: str
    cost: Cost = Cost()
    sha256: str = ""
    engine: str = ""
    failed_pages: tuple[int, ...] = ()
    """Numbers, 1-based, of all pages that the file is known to have."""


class Failed(_Failed):
    """Outcome of a source that has no record."""

    __slots__ = ()
    status: ClassVar[Status] = Status.FAILED
    pages: ClassVar[int] = 0
    chars: ClassVar[int] = 0
    needs_ocr_pages: ClassVar[int] = 0
    ocr_pages: ClassVar[int] = 0

    @property
    def total_pages(self) -> int:
        """Number of pages of the document, as far as it is known."""
        return len(self.failed_pages)


class _Gone(NamedTuple):
    """Fields of `Gone`."""

    sha256: str
    """Hash of the content that it had."""
    engine: str
    """Name of the engine that read it."""


class Gone(_Gone):
    """Outcome of a source that an earlier run ingested, and whose file no longer exists."""

    __slots__ = ()
    status: ClassVar[Status] = Status.GONE
    failure: ClassVar[FailureKind | None] = None
    message: ClassVar[str] = ""
    cost: ClassVar[Cost] = Cost()
    pages: ClassVar[int] = 0
    total_pages: ClassVar[int] = 0
    chars: ClassVar[int] = 0
    needs_ocr_pages: ClassVar[int] = 0
    ocr_pages: ClassVar[int] = 0
    failed_pages: ClassVar[tuple[int, ...]] = ()


class Death(NamedTuple):
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


class Halted(NamedTuple):
    """Answer of a child that stopped where it found no memory; it counts as a death there."""

    message: str
    cost: Cost


class EnvironmentFailure(NamedTuple):
    """Answer of a child that blames the machine. If that is true, the run must stop."""

    what: str
    """`engine`, `sandbox` or `spool`."""
    message: str


Outcome: TypeAlias = Extracted | Failed | Unchanged
"""How a job ends.

All outcomes, and `Gone`, have the attributes of a report line, from `status` to `cost`. Those that
cannot vary in a class are class variables, which are not part of an answer (`exchange.answer`). A
named tuple can have none, so a class that has some derives from the tuple of its fields.
"""


class Finished(NamedTuple):
    """A source and its outcome."""

    source: Source
    outcome: Outcome | Gone
    spool: str = ""
    """Path of the file with its records; empty if no child was started."""
    duplicate_of: str = ""
    """Name of the source, earlier in the same output, that has the same content; or empty."""
