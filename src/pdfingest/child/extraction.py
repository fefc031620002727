"""One job in its child, from the first byte of the file to the outcome.

Every page is tried by the first engine, and by the next where that one raises. The spool holds the
truth about what is done: an attempt that follows a death counts the pages in it.
"""

import math
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pdfingest.child.diagnosis import ChangedError, NotPdfError, TooLargeError, diagnose
from pdfingest.child.layout import Layout
from pdfingest.child.opening import Opening
from pdfingest.child.second_opinion import SecondOpinion
from pdfingest.child.source_file import SourceFile
from pdfingest.child.unpack import unpacked
from pdfingest.engines.engine import Watch, load_engine, tolerate, watch_asides
from pdfingest.errors import EngineUnavailableError
from pdfingest.exchange.record import DocumentFacts, encode, page_record
from pdfingest.exchange.recorder import Recorder
from pdfingest.exchange.said import Record
from pdfingest.exchange.spool import SpoolError, SpoolWriter, pages_of, read_records
from pdfingest.job import Closing, EngineSpec, Job
from pdfingest.model import Aside, FailureKind, Unit
from pdfingest.outcome import (
    NO_SHAPE,
    NO_TRAITS,
    Cost,
    Extracted,
    Failed,
    Halted,
    Outcome,
    Shape,
    Unchanged,
)
from pdfingest.page.document import facts, shape_of
from pdfingest.page.xmp import completed, is_complete
from pdfingest.pages import DocumentInfo

if TYPE_CHECKING:
    from pdfingest.child.ocr import Ocr

_CHECK_BYTES = 64 << 10
"""What is written to a spool to see whether it can be written."""
_SIZED_BYTES = 256 << 10
"""Largest file whose attachments are decoded for their size alone: a few MiB may be made to become
Gigabytes."""


class Extraction(Watch):
    """A job under way, with all that is known so far, so that a failure can report it.

    Args:
        job: what to do.
        recorder: where to note how far it is.
        cost: what it has cost so far.
    """

    def __init__(self, job: Job, recorder: Recorder, cost: Callable[[], Cost]) -> None:
        self.job, self.recorder, self.cost = job, recorder, cost
        self.pages = self.chars = self.needs_ocr_pages = self.ocr_pages = 0
        self.failed_pages: list[int] = []
        self.first_failure: tuple[FailureKind, str] | None = None
        self._ocr: Ocr | None = None
        self._traits = NO_TRAITS
        self._shapes = set[Shape]()
        """Those of the pages in the spool; one that is nobody's for those of an earlier attempt."""
        self._page = 0
        """1-based number of the page that is being read; 0 before the first."""
        self._asides: list[Aside] = []
        """What is being read beside the text, the innermost last."""
        self._look_at()

    def _look_at(self) -> None:
        """Begin anew with the file of the job."""
        self.file = SourceFile(self.job.source.path)
        self.opening = Opening(self.job, self.recorder)
        self._layout = Layout(self.opening)
        self._second_opinion = SecondOpinion(self.opening)
        if self.job.ocr:
            from pdfingest.child.ocr import Ocr  # noqa: PLC0415 - most runs need none of it

            self._ocr = Ocr(self.opening)

    def begin_aside(self, aside: Aside) -> bool:
        """Note what is about to be read, unless an earlier child died while it read that."""
        if self.job.attempt.is_without(aside, self._page):
            return False
        self._asides.append(aside)
        self.recorder.note_aside(aside)
        return True

    def end_aside(self) -> None:
        """Note that what it was read beside is being read again."""
        self._asides.pop()
        self.recorder.note_aside(self._asides[-1] if self._asides else None)

    def check(self) -> Outcome:
        """Check that every engine can be imported and the spool be written; open no file.

        Raises:
            SpoolError: the spool cannot be written.
            EngineUnavailableError: an engine or the tokenizer cannot be loaded.
        """
        for engine in self.job.engines:
            load_engine(engine)
        if self.job.chunks:
            from pdfingest.page.splitting import load  # noqa: PLC0415 - most runs need none of it

            load(self.job.chunks.cut)
        with SpoolWriter(self.job.spool, self.job.attempt.spool_bytes) as spool:
            spool.write(bytes(_CHECK_BYTES))
        return self._failed(FailureKind.CANCELLED, "nothing was to be read")

    def run(self) -> Outcome | Halted:
        """Extract the file into the spool.

        Raises:
            SpoolError: the spool cannot be written.
            EngineUnavailableError: an engine cannot be imported.
        """
        try:
            with watch_asides(self):
                if unchanged := self._extract():
                    return unchanged
        except (SpoolError, EngineUnavailableError):
            raise
        except BaseException as error:  # noqa: BLE001 - an engine may raise anything
            kind, message = self._diagnose(error)
            if self._is_halt(error):
                return Halted(message, self.cost())
            return self._failed(kind, message)
        finally:
            with suppress(Exception):
                self.opening.close()
        if self.pages == 0:
            return self._failed(*(self.first_failure or (FailureKind.MALFORMED, "it has no pages")))
        failure, message = self.first_failure or (None, "")
        return Extracted(
            cost=self.cost(),
            sha256=self.file.sha256,
            engine=self._first_engine().name,
            pages=self.pages,
            chars=self.chars,
            needs_ocr_pages=self.needs_ocr_pages,
            ocr_pages=self.ocr_pages,
            failed_pages=tuple(self.failed_pages),
            failure=failure if self.failed_pages else None,
            message=message if self.failed_pages else "",
            last_page=self.pages + len(self.failed_pages) + self.job.pages.begin - 1,
            traits=self._traits,
            shape=self._shapes.pop() if len(self._shapes) == 1 else NO_SHAPE,
        )

    def _diagnose(self, error: BaseException) -> tuple[FailureKind, str]:
        """Return what an exception says of this job's file."""
        return diagnose(error, was_read=self.file.was_read, passwords=len(self.job.passwords))

    def _is_halt(self, error: BaseException) -> bool:
        """Whether a child with more memory may get further."""
        return isinstance(error, MemoryError) and not self.job.attempt.alone

    def _failed(self, kind: FailureKind, message: str) -> Failed:
        with suppress(OSError):  # it may be gone
            # Half of a new file is malformed, and a whole one is not for this child to open.
            if self.file.has_changed():
                kind, message = self._diagnose(ChangedError())
        if kind is FailureKind.MALFORMED and not self.file.has_header:
            kind, message = FailureKind.NOT_PDF, "no %PDF- in its first KiB"
        return Failed(
            kind,
            message,
            self.cost(),
            sha256=self.file.sha256,
            engine=self._first_engine().name,
            failed_pages=tuple(self.failed_pages),
        )

    def _first_engine(self) -> EngineSpec:
        return self.job.engines[self.opening.first]

    def _extract(self) -> Unchanged | None:
        """Write the pages to the spool, and join them there if a document is wanted.

        Returns:
            The outcome, if the file is the one that an earlier run ingested.
        """
        if self.job.source.inside:
            self.job = self.job._replace(source=self.job.source._replace(path=unpacked(self.job)))
            self._look_at()
        job, attempt = self.job, self.job.attempt
        self.file.read(
            lambda hashed: self.recorder.note(spool_bytes=attempt.spool_bytes, hashed_bytes=hashed)
        )
        if job.earlier is not None and job.earlier.sha256 == self.file.sha256:
            return job.earlier._replace(cost=self.cost())
        if self.file.size_bytes == 0:
            raise NotPdfError("it is empty")  # each engine would say so, after its import
        path = job.spool if job.unit is Unit.PAGE else pages_of(job.spool)
        with SpoolWriter(path, attempt.spool_bytes) as spool:
            for record in read_records(path) if attempt.spool_bytes else ():
                self._count(record, NO_SHAPE)
            if isinstance(job.step, Closing):  # nothing more is to be read
                self._lose_until(job.pages.within(job.step.total_pages).stop)
            else:
                self._read_pages(spool)
        if self.file.has_changed():
            raise ChangedError
        if job.unit is not Unit.PAGE and self.pages:
            from pdfingest.child.assembly import assemble  # noqa: PLC0415 - pages need none of it

            assemble(job, self._first_engine(), self.recorder.note_progress)
        return None

    def _lose_until(self, number: int) -> None:
        """Count as lost all pages before this 1-based number that are not in the spool."""
        done = self.job.pages.begin + self.pages + len(self.failed_pages)
        self.failed_pages += range(done, number)

    def _read_pages(self, spool: SpoolWriter) -> None:
        """Write one record a page; a page that no engine reads costs no other."""
        self.opening.open()
        first, total_pages = self.opening.first, self.opening.total_pages
        if total_pages > self.job.limits.pages:
            raise TooLargeError(f"it has {total_pages:,} pages; see --max-pages")
        info = tolerate(Aside.INFO, self.opening.document(first).info, DocumentInfo())
        if not is_complete(info):
            info = tolerate(Aside.INFO, lambda: completed(info, self.opening.xmp()), info)
        if self._ocr:
            self._ocr.language = info.language
        spec = self.job.engines[first]
        shared = facts(self.job, self.file.sha256, total_pages, info, spec)
        self._traits = tolerate(Aside.TRAITS, self.opening.traits, NO_TRAITS)
        if self._traits.attachments and (
            self.job.attachments or self.file.size_bytes <= _SIZED_BYTES
        ):
            self._traits = tolerate(Aside.SIZES, self.opening.sized_traits, self._traits)
        self._layout.look()
        attempt = self.job.attempt
        self._lose_until(attempt.first_page)
        end = self.job.pages.within(total_pages).stop
        for number in range(attempt.first_page, end):
            if number >= (self.recorder.told_to_end() or math.inf):
                return
            begin = max(attempt.engine, first) if number == attempt.first_page else first
            try:
                self._read_page(shared, number, range(begin, len(self.job.engines)), spool)
            except TooLargeError as error:
                self._note_failure(error)
                self._lose_until(end)
                return

    def _read_page(
        self, shared: DocumentFacts, number: int, engines: range, spool: SpoolWriter
    ) -> None:
        """Write the record of one page, by the first engine that does not raise."""
        for index in engines:
            self._page = number
            self._asides.clear()  # one in which memory ran out is still there
            self.recorder.note(index, number, shared.total_pages, spool.length)
            try:
                page = self._layout.page(index, number)
                page, by = self._second_opinion.whole(page, index, number)
                page = self._ocr.read(page, number) if self._ocr else page
                page = tolerate(Aside.LAYOUT, partial(self._layout.laid_out, page, number), page)
                record = page_record(shared._replace(engine=self.job.engines[by]), number, page)
                line = encode(record)
            except BaseException as error:
                if self._is_halt(error):
                    raise
                self._note_failure(error)
            else:
                limit = self.job.limits.output_bytes
                if spool.length + len(line) > limit:
                    raise TooLargeError(f"its text exceeds {limit:,} bytes; see --max-output")
                spool.write(line)
                self._count(record, shape_of(page))
                return
        self.failed_pages.append(number)

    def _note_failure(self, error: BaseException) -> None:
        self.first_failure = self.first_failure or self._diagnose(error)

    def _count(self, record: Record, shape: Shape) -> None:
        self._shapes.add(shape)
        self._lose_until(record["metadata"]["page"])
        self.pages += 1
        self.chars += record["metadata"]["char_count"]
        self.needs_ocr_pages += record["metadata"]["needs_ocr"]
        self.ocr_pages += record["metadata"]["ocr_chars"] > 0
