"""The other side of the pickle: what runs in the fresh process that a file gets.

`boot` makes the process safe to leave alone; `run` turns one job into one answer. Whatever an
engine does short of killing the process ends as a value; no exception crosses to the parent.
"""

import hashlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TypeAlias

from pdfingest.errors import EngineUnavailableError
from pdfingest.extract.document import facts
from pdfingest.extract.engine import (
    Document,
    EncryptedError,
    MalformedError,
    load_engine,
    tolerate,
)
from pdfingest.memory import PeakMeter
from pdfingest.model import (
    Cost,
    DocumentInfo,
    EngineSpec,
    EnvironmentFailure,
    Extracted,
    Failed,
    FailureKind,
    Job,
    Outcome,
    Page,
    Unit,
)
from pdfingest.record import DocumentFacts, encode, page_record
from pdfingest.spool import SpoolError, SpoolWriter, join_pages, pages_of

Answer: TypeAlias = Outcome | EnvironmentFailure

_HEADER_BYTES = 1024
"""A PDF says so within its first KiB (ISO 32000-1, annex H, implementation note 13)."""
_CHUNK_BYTES = 1 << 20
_MESSAGE_CHARS = 500
_ORPHANED = 1

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that mean the run, not a child."""


def boot() -> None:
    """Make a fresh child safe to leave alone; the executor calls it before the job arrives."""
    # Ctrl-C, and the SIGTERM of a service manager, reach the whole group; only the parent may
    # decide what they mean, and it ends its children by SIGKILL.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _die_with_parent()
    _silence()


def _silence() -> None:
    """Point standard input and output at nothing: libraries print, and stdout carries data."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _die_with_parent() -> None:
    """Have this process end when the parent does, even while C code holds the GIL.

    PR_SET_PDEATHSIG would watch the forkserver, which lives as long as any child does, since each
    child inherits the descriptor that keeps it alive. So the kernel is asked to send SIGKILL when
    the pipe that `multiprocessing` keeps from parent to child hangs up: F_SETSIG, fcntl(2).
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - absent on Windows

        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, os.O_ASYNC)
        if not parent.is_alive():
            os._exit(_ORPHANED)
    else:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(parent_sentinel: int) -> None:
    """Wait for the parent's end, then end; for systems without F_SETSIG."""
    multiprocessing.connection.wait([parent_sentinel])
    os._exit(_ORPHANED)


def run(job: Job) -> Answer:
    """Extract one source into its spool. Runs in the child, once in its life."""
    meter = PeakMeter()
    started_at = time.time()
    clock = time.perf_counter()

    def cost() -> Cost:
        return Cost(
            pid=os.getpid(),
            started_at=started_at,
            wall_s=time.perf_counter() - clock,
            cpu_s=time.process_time(),
            peak=meter.read(),
        )

    try:
        with SpoolWriter(job.spool) as spool:
            return _Extraction(job, spool, cost).run()
    except SpoolError as error:
        return EnvironmentFailure("spool", f"{job.spool}: {error}")
    except EngineUnavailableError as error:
        return EnvironmentFailure("engine", str(error))


def _diagnose(error: BaseException) -> tuple[FailureKind, str]:
    """What an exception says of the file: by its type, never by its text."""
    match error:
        case EncryptedError():
            kind = FailureKind.ENCRYPTED
        case MalformedError():
            kind = FailureKind.MALFORMED
        case OSError():
            kind = FailureKind.UNREADABLE
        case MemoryError():
            kind = FailureKind.MEMORY_LIMIT
        case _:
            kind = FailureKind.ENGINE_ERROR
    told = isinstance(error, EncryptedError | MalformedError)
    message = str(error) if told else f"{type(error).__name__}: {error}"
    return kind, message[:_MESSAGE_CHARS]


@dataclass(slots=True)
class _Extraction:
    """One job under way: what is known so far, so that a failure can tell it."""

    job: Job
    spool: SpoolWriter
    cost: Callable[[], Cost]
    sha256: str = ""
    has_header: bool = False
    engine: str = ""
    pages: int = 0
    chars: int = 0
    needs_ocr_pages: int = 0
    failed_pages: list[int] = field(default_factory=list[int])
    first_failure: tuple[FailureKind, str] | None = None

    def run(self) -> Outcome:
        """The job from the first byte to the outcome."""
        try:
            self._fingerprint()
            engine, document = self._open()
            with closing(document):
                self._write(engine, document)
        except (SpoolError, EngineUnavailableError):
            raise
        except BaseException as error:  # noqa: BLE001 - an engine may raise anything
            return self._failed(*_diagnose(error))
        if self.pages == 0:
            kind, message = self.first_failure or (FailureKind.MALFORMED, "it has no pages")
            return self._failed(kind, message)
        return Extracted(
            cost=self.cost(),
            sha256=self.sha256,
            engine=self.engine,
            pages=self.pages,
            chars=self.chars,
            needs_ocr_pages=self.needs_ocr_pages,
            failed_pages=tuple(self.failed_pages),
            failure=self.first_failure[0] if self.first_failure else None,
            message=self.first_failure[1] if self.first_failure else "",
        )

    def _failed(self, kind: FailureKind, message: str) -> Failed:
        """No record came of it."""
        if kind is FailureKind.MALFORMED and not self.has_header:
            kind, message = FailureKind.NOT_PDF, "no %PDF- in its first KiB"
        if kind is FailureKind.ENCRYPTED:
            tried = len(self.job.passwords)
            message += f"; {tried} tried" if tried else "; none given"
        return Failed(
            kind,
            message,
            self.cost(),
            sha256=self.sha256,
            engine=self.engine or self.job.engines[0].name,
            pages_failed=len(self.failed_pages),
        )

    def _fingerprint(self) -> None:
        """Hash the file while reading it warms the page cache for the engine."""
        # O_NONBLOCK: a named pipe that took the file's place must not hang the child.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(self.job.source.path, flags), "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError("it is not a regular file")
            digest = hashlib.sha256()
            chunk = file.read(_CHUNK_BYTES)
            self.has_header = b"%PDF-" in chunk[:_HEADER_BYTES]
            while chunk:
                digest.update(chunk)
                chunk = file.read(_CHUNK_BYTES)
            self.sha256 = digest.hexdigest()

    def _open(self) -> tuple[EngineSpec, Document]:
        """The document by the first engine that opens it; else the first engine's reason."""
        reason: Exception | None = None
        for spec in self.job.engines:
            open_document = load_engine(spec)
            try:
                document = open_document(self.job.source.path, self.job.passwords)
            except Exception as error:  # noqa: BLE001 - the next engine may know better
                reason = reason or error
                if isinstance(error, EncryptedError) and not self.job.passwords:
                    break  # another engine would need the password as well
            else:
                self.engine = spec.name
                return spec, document
        assert reason is not None, "a job has at least one engine"
        raise reason

    def _write(self, engine: EngineSpec, document: Document) -> None:
        """All records of the document into the spool."""
        shared = facts(
            self.job.source.name,
            self.sha256,
            document.page_count,
            tolerate(document.info, DocumentInfo()),
            engine,
        )
        if self.job.unit is Unit.PAGE:
            self._write_pages(document, shared, self.spool)
            return
        pages = pages_of(self.job.spool)
        try:
            with SpoolWriter(pages) as spool:
                self._write_pages(document, shared, spool)
            if self.pages:
                join_pages(pages, shared, self.spool)
        finally:
            os.unlink(pages)

    def _write_pages(self, document: Document, shared: DocumentFacts, spool: SpoolWriter) -> None:
        """One record a page; a page that fails is noted and costs no other."""
        for number in range(1, document.page_count + 1):
            try:
                page = document.page(number)
                line = self._line(shared, number, page)
            except BaseException as error:  # noqa: BLE001 - as above
                self.failed_pages.append(number)
                self.first_failure = self.first_failure or _diagnose(error)
            else:
                spool.write(line)
                self.pages += 1

    def _line(self, shared: DocumentFacts, number: int, page: Page) -> bytes:
        """The record of a page as bytes, counted."""
        record = page_record(shared, number, page)
        line = encode(record)
        self.chars += record["metadata"]["char_count"]
        self.needs_ocr_pages += record["metadata"]["needs_ocr"]
        return line
