"""The fleet: the jobs of a run, done by the workers of the service, wherever they are.

    run: plan, ledger, outputs ── jobs ──▶ Redis ──▶ workers
              ▲                                        │
              └── records, report lines ◀── store ◀────┘

The same doors as `Supervisor`, so that a run does not know the difference. The workers must reach
the sources by the same paths or addresses, and may open what is below PDFINGEST_SOURCE_PREFIXES,
by the rule of `sources`.
"""

# pyright: basic
# The client of Redis is not typed throughout; mypy checks this file strictly.

import json
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from pdfingest.errors import OutputError
from pdfingest.exchange.record import outcome_of
from pdfingest.model import (
    Failed,
    FailureKind,
    Finished,
    Job,
    Reading,
    Source,
    Stop,
)
from pdfingest.options import IngestOptions
from pdfingest.service import queue
from pdfingest.service.address import is_address
from pdfingest.service.contents import result_key
from pdfingest.service.jobs import Job as Ticket
from pdfingest.service.jobs import new_id
from pdfingest.service.settings import Settings
from pdfingest.service.store import open_store

IN_FLIGHT = 256
"""Jobs that are sent ahead: enough for a fleet, and few to cancel."""
_WAIT_S = 0.1
_ALL_S = 5.0
"""How often all jobs are looked at, not only those that are told to have ended."""
OWNER = "run"
"""Whose jobs these are; no key has this name, so no client sees them."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A job, and where the service has it."""

    job: Job
    id: str


class Fleet:
    """Has jobs done by workers elsewhere; made as `Supervisor` is, with the settings first."""

    def __init__(
        self,
        settings: Settings,
        options: IngestOptions,
        spools: str,
        stop: Stop,
        started: Callable[[int, Source], None],
    ) -> None:
        del spools
        self._jobs = queue.connect(settings)
        self._app = queue.make_app(settings)
        self._store = open_store(settings.store)
        self._options = options
        self._stop = stop
        self._started = started
        self._inbox = new_id()
        self._due_s = time.monotonic() + _ALL_S

    def run(self, jobs: Iterator[Job]) -> Generator[Finished | None, None, None]:
        """Send all jobs; yields each as it ends, and None some times a second.

        Raises:
            OutputError: Redis or the store cannot be reached.
        """
        sent: dict[str, _Sent] = {}
        try:
            while not self._stop.requested:
                while len(sent) < IN_FLIGHT and (job := next(jobs, None)):
                    each = self._send(job)
                    sent[each.id] = each
                if not sent:
                    return
                for job_id, report in self._ended(sent):
                    yield self._finished(sent.pop(job_id).job, job_id, report)
                yield None
            for each in list(sent.values()):
                self._jobs.cancel(each.id)
                failed = Failed(FailureKind.CANCELLED, "the run was interrupted")
                yield Finished(sent.pop(each.id).job.source, failed)
        except (RedisError, OperationalError, OSError) as error:
            raise OutputError(f"the service cannot be reached: {error}.") from error
        finally:
            with suppress(RedisError):
                for job_id in sent:
                    self._jobs.cancel(job_id)

    def _send(self, job: Job) -> _Sent:
        """Queue a job."""
        source, path = job.source, job.source.path
        job_id = new_id()
        ticket = Ticket(
            id=job_id,
            name=source.name,
            source=path if is_address(path) else os.path.abspath(path),
            size_bytes=source.size_bytes,
            options={"engine": self._options.engine, "unit": job.unit.value},
            passwords=job.passwords,
            owner=OWNER,
            inbox=self._inbox,
        )
        self._started(0, source)
        self._jobs.add(ticket)
        queue.send(self._app, job_id)
        return _Sent(job, job_id)

    def _ended(self, sent: Mapping[str, _Sent]) -> list[tuple[str, str]]:
        """Of these jobs, the ones that have ended, with their report lines; waits a little."""
        told = [job_id for job_id in self._jobs.ended(self._inbox, _WAIT_S) if job_id in sent]
        if time.monotonic() >= self._due_s:  # one may be forgotten, and then nothing tells so
            self._due_s = time.monotonic() + _ALL_S
            told = list(sent)
        found = self._jobs.reports(told)
        return [(job_id, report) for job_id, (state, report) in found.items() if state.ended]

    def reading(self) -> Iterable[Reading]:
        """Nothing is told of jobs that are elsewhere."""
        return ()

    def close(self) -> None:
        """Nothing is held."""

    def _finished(self, job: Job, job_id: str, report: str) -> Finished:
        """How a job ended; its records are in its spool."""
        if not report:
            cancelled = Failed(FailureKind.CANCELLED, "it was cancelled, or forgotten")
            return Finished(job.source, cancelled)
        outcome = outcome_of(json.loads(report))
        if isinstance(outcome, Failed):
            return Finished(job.source, outcome)
        self._fetch(job_id, job.spool)
        earlier = job.earlier
        if earlier is not None and earlier.sha256 == outcome.sha256:
            return Finished(job.source, replace(earlier, cost=outcome.cost), job.spool)
        return Finished(job.source, outcome, job.spool)

    def _fetch(self, job_id: str, spool: str) -> None:
        """Bring the records here; the service needs them no more."""
        key = result_key(job_id)
        with open(spool, "wb") as file:
            file.writelines(self._store.read(key))
        self._store.delete(key)
