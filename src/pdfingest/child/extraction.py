"""One job under way in its child: from the first byte of the file to the outcome.

Every page is tried by the first engine, and by the next where that one raises. What the spool holds
is the truth of what is done: a later attempt, after a death, counts the pages of earlier ones by
reading it.
"""

import hashlib
import math
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pdfingest.child.opening import Opening
from pdfingest.engines.engine import (
    EncryptedError,
    MalformedError,
    load_engine,
    tolerate,
    watch_asides,
)
from pdfingest.errors import EngineUnavailableError
from pdfingest.exchange.record import DocumentFacts, Record, encode, facts_of, page_record
from pdfingest.exchange.recorder import Recorder
from pdfingest.exchange.spool import SpoolError, SpoolWriter, join_pages, pages_of, read_records
from pdfingest.model import (
    Aside,
    Check,
    Closing,
    Cost,
    DocumentInfo,
    EngineSpec,
    Extracted,
    Failed,
    FailureKind,
    Halted,
    Job,
    Outcome,
    Unchanged,
    Unit,
)
from pdfingest.page.document import facts

_HEADER_BYTES = 1024
"""A PDF says so within its first KiB (ISO 32000-1, annex H, implementation note 13)."""
_CHUNK_BYTES = 1 << 20
_MESSAGE_CHARS = 500
_CHANGED = "it was changed while it was read"
_CHECK_BYTES = 64 << 10
"""What is written to a spool to see whether that can be done."""


class _TooLargeError(Exception):
    """The file goes beyond one of its limits; the message says which."""


class _NotPdfError(Exception):
    """The file is surely no PDF; the message says why."""


class _ChangedError(Exception):
    """The file is not what it was when the child began."""


def diagnose(error: BaseException, *, was_read: bool) -> tuple[FailureKind, str]:
    """What an exception says of the file: by its type, never by its text.

    Args:
        error: what was raised.
        was_read: the file could be read, so a permission that is missing now is for something else.
    """
    match error:
        case EncryptedError():
            kind = FailureKind.ENCRYPTED
        case MalformedError():
            kind = FailureKind.MALFORMED
        case _TooLargeError():
            kind = FailureKind.TOO_LARGE
        case _ChangedError():
            kind = FailureKind.CHANGED
        case _NotPdfError():
            kind = FailureKind.NOT_PDF
        case PermissionError() if was_read:
            kind = FailureKind.ENGINE_ERROR
        case OSError():
            kind = FailureKind.UNREADABLE
        case MemoryError():
            kind = FailureKind.MEMORY_LIMIT
        case _:
            kind = FailureKind.ENGINE_ERROR
    told = isinstance(
        error, EncryptedError | MalformedError | _TooLargeError | _ChangedError | _NotPdfError
    )
    message = str(error) if told else f"{type(error).__name__}: {error}".removesuffix(": ")
    return kind, message[:_MESSAGE_CHARS]


@dataclass(slots=True)
class Extraction:
    """What is known of the job so far, so that a failure can tell it."""

    job: Job
    recorder: Recorder
    cost: Callable[[], Cost]
    digest: Any = field(default_factory=hashlib.sha256)
    before: tuple[int, ...] = ()
    sha256: str = ""
    has_header: bool = False
    size_bytes: int = 0
    opening: Opening = field(init=False)
    pages: int = 0
    chars: int = 0
    needs_ocr_pages: int = 0
    failed_pages: list[int] = field(default_factory=list[int])
    first_failure: tuple[FailureKind, str] | None = None

    def __post_init__(self) -> None:
        self.opening = Opening(self.job, self.recorder)

    def _check(self) -> Outcome:
        """Open no file; see that every engine can be imported, and that the spool can be written.

        Raises:
            SpoolError: it cannot be written.
            EngineUnavailableError: an engine cannot be imported.
        """
        for engine in self.job.engines:
            load_engine(engine)
        with SpoolWriter(self.job.spool, self.job.attempt.spool_bytes) as spool:
            spool.write(bytes(_CHECK_BYTES))
        return self._failed(FailureKind.CANCELLED, "nothing was to be read")

    def begin_aside(self, aside: Aside) -> bool:
        """See `engine.Watch`."""
        if aside in self.job.attempt.without:
            return False
        self.recorder.note_aside(aside)
        return True

    def end_aside(self) -> None:
        """See `engine.Watch`."""
        self.recorder.note_aside(None)

    def run(self) -> Outcome | Halted:
        """Do it.

        Raises:
            SpoolError: the spool cannot be written.
            EngineUnavailableError: the first engine cannot be imported.
        """
        with watch_asides(self):
            return self._check() if isinstance(self.job.step, Check) else self._run()

    def _run(self) -> Outcome | Halted:
        """Do it; see `run`."""
        try:
            if unchanged := self._extract():
                return unchanged
        except (SpoolError, EngineUnavailableError):
            raise
        except MemoryError as error:
            if not self.job.attempt.alone:
                return Halted(self._diagnose(error)[1], self.cost())
            return self._failed(*self._diagnose(error))
        except BaseException as error:  # noqa: BLE001 - an engine may raise anything
            return self._failed(*self._diagnose(error))
        finally:
            with suppress(Exception):
                self.opening.close()
        if self.pages == 0:
            return self._failed(*(self.first_failure or (FailureKind.MALFORMED, "it has no pages")))
        return Extracted(
            cost=self.cost(),
            sha256=self.sha256,
            engine=self._first_engine().name,
            pages=self.pages,
            chars=self.chars,
            needs_ocr_pages=self.needs_ocr_pages,
            failed_pages=tuple(self.failed_pages),
            failure=self.first_failure[0] if self.first_failure and self.failed_pages else None,
            message=self.first_failure[1] if self.first_failure and self.failed_pages else "",
            last_page=self.pages + len(self.failed_pages) + self.job.pages.begin - 1,
        )

    def _diagnose(self, error: BaseException) -> tuple[FailureKind, str]:
        """What an exception says of this job's file."""
        kind, message = diagnose(error, was_read=bool(self.before))
        if isinstance(error, EncryptedError) and error.by_password:
            tried = len(self.job.passwords)
            message += f"; {tried} tried" if tried else "; none given"
        return kind, message

    def _failed(self, kind: FailureKind, message: str) -> Failed:
        """No record came of it."""
        with suppress(OSError):  # it may be gone
            # Half of a new file is malformed, and a whole one is not for this child to open.
            if self.before and _identity(os.stat(self.job.source.path)) != self.before:
                kind, message = FailureKind.CHANGED, _CHANGED
        if kind is FailureKind.MALFORMED and not self.has_header:
            kind, message = FailureKind.NOT_PDF, "no %PDF- in its first KiB"
        return Failed(
            kind,
            message,
            self.cost(),
            sha256=self.sha256,
            engine=self._first_engine().name,
            failed_pages=tuple(self.failed_pages),
        )

    def _first_engine(self) -> EngineSpec:
        """The engine that the file was opened with, or would have been."""
        return self.job.engines[self.opening.first]

    def _extract(self) -> Unchanged | None:
        """Pages into the spool; a document is joined from them at the end."""
        self.before = self._fingerprint()
        earlier = self.job.earlier
        if earlier is not None and earlier.sha256 == self.sha256:
            return replace(earlier, cost=self.cost())
        if self.size_bytes == 0:
            raise _NotPdfError("it is empty")  # each engine would say so, after its import
        attempt, unit = self.job.attempt, self.job.unit
        path = self.job.spool if unit is Unit.PAGE else pages_of(self.job.spool)
        with SpoolWriter(path, attempt.spool_bytes) as spool:
            for record in read_records(path) if attempt.spool_bytes else ():
                self._count(record)
            if isinstance(self.job.step, Closing):
                self._lose_until(self.job.pages.within(self.job.step.total_pages).stop)
            else:
                self._read_pages(spool)
        if _identity(os.stat(self.job.source.path)) != self.before:
            raise _ChangedError(_CHANGED)
        if unit is Unit.DOCUMENT and self.pages:
            with SpoolWriter(self.job.spool) as joined:
                join_pages(path, self._facts(path), joined)
        return None

    def _facts(self, pages: str) -> DocumentFacts:
        """What the records share, taken from the first of them."""
        return facts_of(next(read_records(pages)), self._first_engine())

    def _lose_until(self, number: int) -> None:
        """Pages before this one that are not in the spool are lost."""
        done = self.job.pages.begin + self.pages + len(self.failed_pages)
        self.failed_pages += range(done, number)

    def _fingerprint(self) -> tuple[int, ...]:
        """Hash the file, while reading it warms the page cache for the engine."""
        # O_NONBLOCK: a named pipe that took the file's place must not hang the child.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(self.job.source.path, flags), "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError("it is not a regular file")
            self.size_bytes = found.st_size
            # One buffer, no larger than the file: a fresh megabyte for each read is two mappings.
            size_bytes = max(min(found.st_size, _CHUNK_BYTES), _HEADER_BYTES)
            buffer = memoryview(bytearray(size_bytes))
            length = file.readinto(buffer)
            self.has_header = b"%PDF-" in bytes(buffer[: min(length, _HEADER_BYTES)])
            hashed_bytes = 0
            while length:
                self.digest.update(buffer[:length])
                hashed_bytes += length
                if hashed_bytes < found.st_size:  # a large file: show that it goes on
                    kept_bytes = self.job.attempt.spool_bytes
                    self.recorder.note(spool_bytes=kept_bytes, hashed_bytes=hashed_bytes)
                length = file.readinto(buffer)
            self.sha256 = self.digest.hexdigest()
        return _identity(found)

    def _read_pages(self, spool: SpoolWriter) -> None:
        """One record a page; a page that no engine reads is noted and costs no other."""
        self.opening.open()
        first, total_pages = self.opening.first, self.opening.total_pages
        if total_pages > self.job.limits.pages:
            raise _TooLargeError(f"it has {total_pages:,} pages; see --max-pages")
        info = tolerate(Aside.INFO, self.opening.document(first).info, DocumentInfo())
        source, spec = self.job.source.name, self.job.engines[first]
        shared = facts(source, self.sha256, total_pages, info, spec)
        attempt = self.job.attempt
        self._lose_until(attempt.first_page)
        end = self.job.pages.within(total_pages).stop
        for number in range(attempt.first_page, end):
            if number >= (self.recorder.told_to_end() or math.inf):
                return
            begin = max(attempt.engine, first) if number == attempt.first_page else first
            try:
                self._read_page(shared, number, range(begin, len(self.job.engines)), spool)
            except _TooLargeError as error:
                self.first_failure = self.first_failure or self._diagnose(error)
                self._lose_until(end)
                return

    def _read_page(
        self, shared: DocumentFacts, number: int, engines: range, spool: SpoolWriter
    ) -> None:
        """The record of one page, by the first engine that does not raise."""
        for index in engines:
            self.recorder.note(index, number, shared.total_pages, spool.length)
            try:
                page = self.opening.page(index, number)
                record = page_record(replace(shared, engine=self.job.engines[index]), number, page)
                line = encode(record)
            except MemoryError:
                if not self.job.attempt.alone:
                    raise
                self.first_failure = self.first_failure or self._diagnose(MemoryError())
            except BaseException as error:  # noqa: BLE001 - as above
                self.first_failure = self.first_failure or self._diagnose(error)
            else:
                limit = self.job.limits.output_bytes
                if spool.length + len(line) > limit:
                    raise _TooLargeError(f"its text exceeds {limit:,} bytes; see --max-output")
                spool.write(line)
                self._count(record)
                return
        self.failed_pages.append(number)

    def _count(self, record: Record) -> None:
        """Take in a page that is in the spool."""
        self._lose_until(record["metadata"]["page"])
        self.pages += 1
        self.chars += record["metadata"]["char_count"]
        self.needs_ocr_pages += record["metadata"]["needs_ocr"]


def _identity(found: os.stat_result) -> tuple[int, ...]:
    """What changes when a file is written or replaced."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
