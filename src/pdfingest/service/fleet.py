"""The fleet: the jobs of a run, done by the workers of the service, wherever they are.

    run: plan, ledger, outputs ── tickets ──▶ Redis ──▶ workers
              ▲                                           │
              └─── records, report lines ◀─── store ◀─────┘

Has the methods of `Supervisor`, so that a run does not know the difference. The workers must reach
the sources by the same paths, and may open what is below PDFINGEST_SOURCE_PREFIXES.
"""

# pyright: basic
# The client of Redis is not typed throughout; mypy checks this file strictly.

import json
import logging
import os
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import suppress
from itertools import chain

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from pdfingest.errors import OptionError, OutputError, UsageError
from pdfingest.exchange.report_line import outcome_of
from pdfingest.job import ChunkSpec, Job
from pdfingest.model import FailureKind, Reading, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import Failed, Finished
from pdfingest.page.splitting import is_file
from pdfingest.remote.address import is_address, parse_folder
from pdfingest.remote.place import is_remote
from pdfingest.run.discover import is_below
from pdfingest.service import queue
from pdfingest.service.contents import result_key
from pdfingest.service.presence import present
from pdfingest.service.settings import Settings
from pdfingest.service.store import open_store
from pdfingest.service.ticket import Ticket, new_id
from pdfingest.stop import Stop

_IN_FLIGHT = 256
"""Tickets that are sent ahead: enough for a fleet, and few to cancel."""
_WAIT_S = 0.1
_ALL_S = 5.0
"""Seconds between two looks at all tickets, beside those that are told to have ended."""
_PATIENT_LOOKS = 3
"""At which of these looks it is said that there is no worker."""
_log = logging.getLogger("pdfingest.fleet")
OWNER = "(run)"
"""Owner of the tickets; no API key can have this name, so no client sees them."""


class Fleet:
    """Has jobs done by workers elsewhere. Runs in the parent, in the thread of the run.

    Args:
        settings: the settings of the service.
        options: the options of the run; limits are those of the workers.
        spools: not used, as the workers have their own directories.
        stop: watched all the time.
        started: told of each source that is sent, as if it were on the first lane.
    """

    def __init__(
        self,
        settings: Settings,
        options: IngestOptions,
        spools: str,
        stop: Stop,
        started: Callable[[int, Source], None],
    ) -> None:
        del spools
        if options.attachments:
            raise OptionError(["attachments"], "is not for a fleet. Leave it out.")
        if is_file(options.tokenizer):
            raise OptionError(["tokenizer"], "must be a name for a fleet, not a file.")
        self._tickets = queue.connect(settings)
        self._app = queue.make_app(settings)
        self._store = open_store(settings.store)
        self._options = options
        self._stop = stop
        self._started = started
        self._inbox = self._tickets.new_inbox()
        self._looks = 0
        """How often all tickets were looked at."""
        self._due_s = time.monotonic() + _ALL_S

    def run(self, jobs: Iterator[Job]) -> Generator[Finished | None, None, None]:
        """Send all jobs; yields each as it ends, and None some times a second.

        Raises:
            OutputError: Redis or the store cannot be reached.
            UsageError: the workers may not read the first source where it is.
        """
        sent: dict[str, Job] = {}
        try:
            if first := next(jobs, None):
                self._check(first.source)
                jobs = chain([first], jobs)
            while not self._stop.requested:
                while len(sent) < _IN_FLIGHT and (job := next(jobs, None)):
                    sent[self._send(job)] = job
                if not sent:
                    return
                for ticket_id, report in self._ended(sent):
                    yield self._finished(sent.pop(ticket_id), ticket_id, report)
                yield None
            for ticket_id in list(sent):
                self._tickets.cancel(ticket_id)
                failed = Failed(FailureKind.CANCELLED, "the run was interrupted")
                yield Finished(sent.pop(ticket_id).source, failed)
        except (RedisError, OperationalError, OSError) as error:
            raise OutputError(f"the service cannot be reached: {error}.") from error
        finally:
            with suppress(RedisError):
                for ticket_id in sent:
                    self._tickets.cancel(ticket_id)

    def _check(self, source: Source) -> None:
        """Check that the workers that are alive may read where a source is; all would fail else."""
        workers = present(self._tickets)
        if not workers:  # they may be about to start, as where they are started by need
            return
        path = _place(source)
        prefixes = sorted({each for worker in workers for each in worker.source_prefixes})
        if not any(_may_read(path, each) for each in prefixes):
            raise UsageError(
                f"the workers may not read {path}: their PDFINGEST_SOURCE_PREFIXES is "
                f"{','.join(prefixes) or 'empty'}. Start them with "
                f"PDFINGEST_SOURCE_PREFIXES={os.path.dirname(path)}, a folder that they must reach "
                "by the same path."
            )

    def _send(self, job: Job) -> str:
        """Queue a job; returns the id of its ticket."""
        source = job.source
        ticket = Ticket(
            new_id(),
            source.name,
            _place(source),
            source.size_bytes,
            options={
                "engine": self._options.engine,
                "unit": job.unit.value,
                **(_cut(job.chunks) if job.chunks else {}),
                "format": job.format.value,
                "tables": "true" if job.tables else "",
                "ocr": self._options.ocr,
                "ocr_lang": self._options.ocr_lang,
            },
            passwords=job.passwords,
            owner=OWNER,
            inbox=self._inbox,
        )
        self._started(0, source)
        self._tickets.add(ticket)
        queue.send(self._app, ticket.id)
        return ticket.id

    def _ended(self, sent: Collection[str]) -> list[tuple[str, str]]:
        """Return the tickets that have ended, with their report lines; waits a little for them."""
        told = [each for each in self._tickets.ended(self._inbox, _WAIT_S) if each in sent]
        if time.monotonic() >= self._due_s:  # nothing tells of a ticket that is forgotten
            self._due_s = time.monotonic() + _ALL_S
            told = list(sent)
            self._looks += 1
            if self._looks == _PATIENT_LOOKS and not present(self._tickets):
                _log.warning("no worker is alive: start `pdfingest worker`, or `pdfingest up`")
        found = self._tickets.reports(told)
        return [(ticket_id, report) for ticket_id, (state, report) in found.items() if state.ended]

    def reading(self) -> Iterable[Reading]:
        """Return nothing: how far the workers are is not asked."""
        return ()

    def close(self) -> None:
        """Do nothing: the fleet outlives the run."""

    def _finished(self, job: Job, ticket_id: str, report: str) -> Finished:
        """Return how a job ended, and move its records from the store to its spool."""
        if not report:
            cancelled = Failed(FailureKind.CANCELLED, "it was cancelled, or forgotten")
            return Finished(job.source, cancelled)
        outcome = outcome_of(json.loads(report))
        if isinstance(outcome, Failed):
            return Finished(job.source, outcome)
        key = result_key(ticket_id)
        with open(job.spool, "wb") as file:
            file.writelines(self._store.read(key))
        self._store.delete(key)
        earlier = job.earlier  # the workers know nothing of earlier runs, and read the file again
        if earlier is not None and earlier.sha256 == outcome.sha256:
            return Finished(job.source, earlier._replace(cost=outcome.cost), job.spool)
        return Finished(job.source, outcome, job.spool)


def _cut(chunks: ChunkSpec) -> dict[str, str]:
    """Return how documents are cut, as a ticket says it."""
    overlap = f"{chunks.overlap}" if chunks.overlap else ""
    cut = {"chunk_tokens": f"{chunks.tokens}", "chunk_overlap": overlap}
    return {**cut, "tokenizer": chunks.tokenizer.name}


def _place(source: Source) -> str:
    """Return where workers find a source."""
    return source.path if is_remote(source.path) else os.path.abspath(source.path)


def _may_read(place: str, prefix: str) -> bool:
    """Tell whether a place is below a prefix of the workers."""
    if is_address(place) and is_address(prefix):
        return bool(parse_folder(prefix).key_of(parse_folder(place)))
    return not is_address(prefix) and is_below(os.path.realpath(place), prefix)
