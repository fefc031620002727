"""The extractor: reads the files of tickets one after the other, each in a fresh child.

Owns the lane that the children run on, and the folder in which the file and the records of one
ticket are meanwhile. Does not know of leases, and neither stores records nor ends tickets: `worker`
does, as whoever reads a file cannot tell whether its ticket is still held.
"""

import os
from collections.abc import Generator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory

from pdfingest.errors import StoreError
from pdfingest.model import FailureKind, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import Failed, Finished
from pdfingest.run.supervisor import Supervisor
from pdfingest.run.tools import Tools, find_tools, with_image
from pdfingest.run.work import job_template
from pdfingest.service.contents import READING
from pdfingest.service.settings import Settings
from pdfingest.service.sources import SourceError, fetch
from pdfingest.service.store import Store
from pdfingest.service.ticket import Ticket
from pdfingest.stop import Stop


class Extractor:
    """Reads one file at a time, on a lane that outlives it, so that the next waits for none.

    Args:
        settings: the settings of the service.
        store: the store.
        folder: directory for what the lane needs beside a file; nobody else may have it.
    """

    def __init__(self, settings: Settings, store: Store, folder: str) -> None:
        self._settings, self._store = settings, store
        self._supervisor = Supervisor(
            settings.options(), folder, Stop(), lambda _lane, _source: None
        )

    def digest(self, ticket: Ticket) -> str:
        """Return the digest of the options of a ticket, with the engines as they are here."""
        options = self._settings.options_for(ticket.options)
        return _tools(options).digest(options)

    @contextmanager
    def extract(self, ticket: Ticket, stop: Stop) -> Generator[tuple[Finished, str], None, None]:
        """Have a child read the file of a ticket; its records are in the spool within the block.

        Args:
            ticket: a ticket whose file is in the store, or that names a source.
            stop: ends the child early when it is requested, also from another thread.

        Yields:
            How the file ended, and the options digest.

        Raises:
            PdfingestError: the machine failed, not the file.
        """
        options = self._settings.options_for(ticket.options, ticket.passwords)
        tools = _tools(options)
        digest = tools.digest(options)
        # What cannot be deleted now is deleted with the other old files of the store.
        try:
            scratch = TemporaryDirectory(
                prefix=READING, dir=self._store.scratch, ignore_cleanup_errors=True
            )
        except OSError as error:
            raise StoreError(f"cannot make a folder in the store: {error}.") from error
        with scratch as folder:
            copy = os.path.join(folder, "source.pdf")
            try:
                path = fetch(ticket.source, copy, self._store, self._settings)
                found = os.stat(path)
            except SourceError as error:
                source = Source(ticket.name, ticket.source, ticket.size_bytes)
                failed = Failed(FailureKind.UNREADABLE, f"{ticket.source}: {error}")
                yield Finished(source, failed), digest
                return
            job = job_template(options, tools)._replace(
                source=Source(ticket.name, path, found.st_size, found.st_mtime_ns),
                spool=os.path.join(folder, "records.jsonl"),
            )
            stopped = Failed(FailureKind.CANCELLED, "its worker was stopped")
            self._supervisor.stop = stop
            with closing(self._supervisor.run(iter([job]))) as steps:
                # What was stopped while it was fetched is not begun, and yields nothing.
                finished = next(filter(None, steps), Finished(job.source, stopped))
            yield finished, digest

    def progress(self) -> tuple[int, int]:
        """Return the pages done and the pages of the document; zeros while that is unknown."""
        for reading in self._supervisor.reading():
            return reading.pages_done, reading.total_pages
        return 0, 0

    def close(self) -> None:
        """End the lane."""
        self._supervisor.close()


_found: dict[tuple[str | int, ...], Tools] = {}
"""Tools by what names them, since to find them takes 10 ms."""


def _tools(options: IngestOptions) -> Tools:
    chunks = options.unit.value, options.chunk_tokens, options.chunk_overlap, options.tokenizer
    names = options.engine, options.ocr, options.ocr_lang, *chunks
    if names not in _found:
        _found[names] = with_image(find_tools(options), Stop())
    return _found[names]
