"""The job: all that one child is told to do, as frozen values that cross to its process."""

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from pdfingest.model import Aside, Format, Source, Unit
from pdfingest.needs import NOTHING, Needs
from pdfingest.outcome import Unchanged


class Sandbox(StrEnum):
    """Whether a child gives up what its job does not need, before it reads the file."""

    AUTO = "auto"
    """As much of it as the system knows."""
    REQUIRE = "require"
    """All of it, or the run stops."""
    OFF = "off"


class EngineSpec(NamedTuple):
    """An engine by name, with what a child needs to import it; the parent never does."""

    name: str
    target: str
    """`module:attribute` of the function that opens a document."""
    version: str
    needs: Needs = NOTHING

    @property
    def module(self) -> str:
        """Name of the module that holds the engine."""
        return self.target.partition(":")[0]


class OcrSpec(NamedTuple):
    """What reads pictures, and in which languages."""

    engine: EngineSpec
    languages: tuple[str, ...]
    """Codes of all languages that it can read here."""
    chosen: tuple[str, ...] = ()
    """Codes of those to read; empty for what each document says."""


class ChunkSpec(NamedTuple):
    """How the text of a document is cut."""

    tokens: int
    """Most tokens of a chunk."""
    overlap: int
    """Most tokens that a chunk repeats of the one before."""
    tokenizer: EngineSpec
    """What counts them, by the name that records have."""
    cut: str
    """All of this, as `page.splitting.load` takes it."""


def all_of(
    engines: tuple[EngineSpec, ...], ocr: OcrSpec | None, chunks: ChunkSpec | None
) -> tuple[EngineSpec, ...]:
    """Return engines in their order, then that for OCR and the tokenizer, if any."""
    ocr_engine = (ocr.engine,) if ocr else ()
    return (*engines, *ocr_engine, *((chunks.tokenizer,) if chunks else ()))


class Limits(NamedTuple):
    """Limits on what one file may take, which the child puts on itself."""

    memory_bytes: int
    """Address space, which the resident set cannot exceed (RLIMIT_AS), beyond `address_bytes`."""
    output_bytes: int
    """Length of the spool."""
    pages: int
    alone_bytes: int = 0
    """As `memory_bytes`, of a child beside which there is no other."""
    address_bytes: int = 0
    """Address space that is not the child's memory: that of an image with an engine's models, and
    what the engine needs. If there is any, the parent watches the memory that is the child's."""


class PageRange(NamedTuple):
    """Range of pages that one job has: the whole document, unless several lanes share it."""

    begin: int = 1
    """Number, 1-based, of the first page."""
    end: int = 0
    """Number of the last page; 0 for the last page of the document."""

    def within(self, total_pages: int) -> range:
        """Return the numbers of the pages, given the document's page count."""
        return range(self.begin, (self.end or total_pages) + 1)


ALL_PAGES = PageRange()


class Attempt(NamedTuple):
    """Step of a job: read its pages; all of them at first, after a death what is left."""

    first_page: int = 1
    """Number, 1-based, of the page to begin with."""
    engine: int = 0
    """0-based index of the engine that begins on the first page."""
    floor: int = 0
    """Engines below this index are not used; they died while they opened the file."""
    spool_bytes: int = 0
    """Length of the spool that is kept from earlier attempts."""
    alone: bool = False
    """Whether the child has the whole memory budget, and no other child beside it."""
    without: tuple[Aside, ...] = ()
    """What is not read, since an earlier child of the source died while it read that; OCR only of
    the first page, as each page of a scan is a picture of its own."""

    def is_without(self, aside: Aside, page: int) -> bool:
        """Return whether something is not to be read, given the page, or 0 before the first."""
        return aside in self.without and (aside is not Aside.OCR or page in {0, self.first_page})


class Closing(NamedTuple):
    """Step of a job: read no page, and make an outcome of what is in the spool."""

    total_pages: int
    """Page count of the document, as far as it is known."""
    spool_bytes: int
    """Length of the spool that is kept from earlier attempts."""


class Check(NamedTuple):
    """Step of a job: open no file, and see whether engines, sandbox and spool are there.

    What such a child says of the machine can be no file's lie.
    """

    spool_bytes: int = 0
    """How much may be written in any case; files may be limited in length."""


Step: TypeAlias = Attempt | Closing | Check
"""What one child does of a job."""


class Job(NamedTuple):
    """What one child is told to do: extract one source, or a range of its pages."""

    source: Source
    engines: tuple[EngineSpec, ...]
    """In the order in which they are tried on a file that does not open."""
    passwords: tuple[str, ...]
    unit: Unit
    limits: Limits
    spool: str
    """File that the child writes its records to; the parent alone moves them on."""
    sandbox: Sandbox
    readable: tuple[str, ...] = ()
    """What its child may read in the sandbox beside the source."""
    format: Format = Format.TEXT
    tables: bool = False
    """Whether records have the tables of their pages."""
    attachments: bool = False
    """Whether attachments are read, in jobs of their own."""
    ocr: OcrSpec | None = None
    """What reads pages that need OCR; None if nothing does."""
    chunks: ChunkSpec | None = None
    """How to cut the document; None unless chunks are wanted."""
    earlier: Unchanged | None = None
    """The outcome if the file turns out to be what an earlier run ingested, by its hash."""
    pages: PageRange = ALL_PAGES
    step: Step = Attempt()

    @property
    def all_engines(self) -> tuple[EngineSpec, ...]:
        """The engines in the order in which they are tried, then OCR and tokenizer, if any."""
        return all_of(self.engines, self.ocr, self.chunks)

    @property
    def attempt(self) -> Attempt:
        """Where reading begins; of a step that reads nothing, what is kept of the spool."""
        step = self.step
        return step if isinstance(step, Attempt) else Attempt(spool_bytes=step.spool_bytes)
