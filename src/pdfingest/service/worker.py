"""The worker: takes tickets from the queue, and has each file read by a fresh child.

    message ─▶ claim ─▶ extract ─▶ store the records ─▶ finish ─▶ acknowledge
                 │         ▲
              the lease, extended every second; if it is lost, the child is killed

Owns the process of Celery, the leases of its tickets, and how a ticket ends or goes back to the
queue. What a worker that died held, the others queue again (`_sweep`). Does not own how a file is
read: the extractors do, one for each thread of the pool.

Celery's own prefork pool would add a process to each file, 90 to 154 ms of CPU, and isolate nothing
that the children do not isolate.
"""

# pyright: basic
# Celery is not typed; mypy checks this file strictly.

import gc
import logging
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from queue import LifoQueue
from typing import Any, TypeVar

from celery import signals
from redis.exceptions import RedisError

from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode, PdfingestError
from pdfingest.exchange.report_line import report_line
from pdfingest.isolation.start import begin_image
from pdfingest.measure.sizing import allow_descriptors
from pdfingest.model import FailureKind, Source
from pdfingest.outcome import Extracted, Failed, Finished
from pdfingest.service import queue
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.extractor import Extractor
from pdfingest.service.settings import Settings
from pdfingest.service.sources import open_prefixes
from pdfingest.service.store import open_store
from pdfingest.service.ticket import State, Ticket
from pdfingest.service.webhook import tell
from pdfingest.stop import Stop

T = TypeVar("T")

_BEAT_S = 1.0
"""Seconds between two extensions of a lease; as soon is a cancelled ticket noticed."""
_SWEEP_S = 5.0
_TIDY_S = 60.0
_MOST_EXPIRY_S = 3600.0
"""The longest time between two looks for files that are too old."""
_UNHEARD_S = 30.0
"""Seconds for which a ticket may be queued while no message is; then its message was lost."""
_PATIENCE_S = 60.0
"""Seconds for which Redis may be away at the end of a ticket; then the file is read again."""
_log = logging.getLogger("pdfingest.worker")


@dataclass(frozen=True, slots=True)
class _Held:
    """A ticket that this worker holds, as long as it extends the lease."""

    ticket: Ticket
    token: str
    extractor: Extractor
    stop: Stop = field(default_factory=Stop)


class Worker:
    """Works until it is stopped.

    Raises:
        UsageError: the store or a source prefix cannot be opened as configured.
        OutputError: the store cannot be made or looked at.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tickets = queue.connect(settings)
        self._store = open_store(settings.store)
        open_prefixes(settings)
        self._app = queue.make_app(settings)
        self._held: dict[str, _Held] = {}
        """By the token of the lease."""
        self._idle: LifoQueue[Extractor] = LifoQueue()
        """Extractors that have no ticket; the last used is next, so that few lanes have images."""
        self._ending = threading.Event()

    def run(self) -> int:
        """Take tickets until SIGTERM or SIGINT comes; returns the exit code.

        Raises:
            ResourceError: the lanes need more descriptors than there may be.
        """
        allow_descriptors(self._settings.lanes, "--lanes")
        begin_image([engine.module for engine in find_engines(self._settings.engine)])
        self._app.task(name=queue.TASK)(self._work)
        signals.worker_shutting_down.connect(self._let_go, weak=False)
        chores = ((self._beat, _BEAT_S), (self._sweep, _SWEEP_S), (self._tidy, _TIDY_S))
        for chore, pause_s in chores:
            threading.Thread(target=self._repeat, args=(chore, pause_s), daemon=True).start()
        worker: Any = self._app.Worker(
            pool="threads",
            concurrency=self._settings.lanes,
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )
        gc.freeze()  # what is loaded now stays: it need not be looked through for garbage
        with ExitStack() as extractors:
            for _ in range(self._settings.lanes):
                extractor = Extractor(self._settings, self._store)
                self._idle.put(extractors.enter_context(closing(extractor)))
            worker.start()
        self._ending.set()
        return int(worker.exitcode or 0)

    def _work(self, ticket_id: str) -> None:
        """Do what one message asks for; runs in a thread of Celery.

        Afterwards the ticket has ended, or is queued again, or turned out not to be ours to read.
        """
        token = uuid.uuid4().hex
        if self._ending.is_set():  # the ticket stays queued; another worker's `_sweep` sees to it
            return
        settings = self._settings
        claimed = _patiently(
            lambda: self._tickets.claim(ticket_id, token, settings.lease, settings.max_attempts)
        )
        ticket = self._tickets.get(ticket_id) if claimed in {"claimed", "spent"} else None
        if ticket is None:
            return
        held = self._held[token] = _Held(ticket, token, self._idle.get())
        try:
            if claimed == "spent":
                self._give_up(held)
            else:
                self._extract(held)
        except Exception as error:  # noqa: BLE001 - the machine's fault: another may do better
            _log.error("%s: %s", ticket_id, error, exc_info=not isinstance(error, PdfingestError))
            time.sleep(min(ticket.attempts, 5))  # the fault may pass: a full disk, a busy machine
            self._give_back(held, counted=True)
        finally:
            del self._held[token]
            self._idle.put(held.extractor)

    def _extract(self, held: _Held) -> None:
        """Have the file read, store its records, and end the ticket."""
        with held.extractor.extract(held.ticket, held.stop) as (finished, digest):
            # Records of a ticket that was lost meanwhile are another worker's to write.
            if self._extend(held) and isinstance(finished.outcome, Extracted):
                self._store.put(result_key(held.ticket.id), finished.spool)
        self._end(held, finished, digest)

    def _extend(self, held: _Held) -> bool:
        """Extend the lease of a ticket; False if it is lost."""
        lease_s, progress = self._settings.lease, held.extractor.progress()
        return self._tickets.extend(held.ticket.id, held.token, lease_s, *progress)

    def _give_up(self, held: _Held) -> None:
        """End a ticket that so many workers could not finish that the file must be the cause."""
        ticket, most = held.ticket, self._settings.max_attempts
        message = f"{most} workers died on it or could not do it; see their logs"
        failed = Failed(FailureKind.CRASHED, message, sha256=ticket.sha256)
        source = Source(ticket.name, "", ticket.size_bytes)
        self._end(held, Finished(source, failed), ticket.digest)

    def _end(self, held: _Held, finished: Finished, digest: str) -> None:
        """End a ticket and tell its webhook, or give it back if this worker stopped the child."""
        ticket, outcome = held.ticket, finished.outcome
        if isinstance(outcome, Failed) and outcome.failure is FailureKind.CANCELLED:
            self._give_back(held)
            return
        state = State.DONE if isinstance(outcome, Extracted) else State.FAILED
        report = report_line(finished, digest)
        if not _patiently(lambda: self._tickets.finish(ticket.id, held.token, state, report)):
            found = self._tickets.get(ticket.id)
            if found is None or found.state is State.CANCELLED:  # else another worker wrote them
                self._store.delete(result_key(ticket.id))
            return
        self._store.delete(upload_key(ticket.id))
        if ticket.webhook:
            document = {"id": ticket.id, "state": state.value, "report": report}
            tell(ticket.webhook, document, self._settings)

    def _give_back(self, held: _Held, *, counted: bool = False) -> None:
        """Queue a ticket again, unless its lease is lost; see `Tickets.release` for `counted`."""
        ticket_id = held.ticket.id
        if _patiently(lambda: self._tickets.release(ticket_id, held.token, counted=counted)):
            queue.send(self._app, ticket_id)

    def _let_go(self, **_: Any) -> None:
        """Stop all children, since this worker is to end; their tickets go back to the queue."""
        self._ending.set()
        for held in list(self._held.values()):
            held.stop.request(ExitCode.TERMINATED)

    def _beat(self) -> None:
        """Extend all leases, and stop the children whose tickets are lost or cancelled."""
        for held in list(self._held.values()):
            if not self._extend(held):
                held.stop.request(ExitCode.INTERRUPTED)

    def _sweep(self) -> None:
        """Send messages for the tickets of all workers that have neither a worker nor a message."""
        is_idle = not self._tickets.client.llen(str(self._app.conf.task_default_queue))
        for ticket_id in self._tickets.lost(_UNHEARD_S if is_idle else float("inf")):
            queue.send(self._app, ticket_id)

    def _tidy(self) -> None:
        """Forget tickets that are too old, and delete their files."""
        self._tickets.tidy()
        keep_s = self._settings.keep
        # To look through a store of millions of objects costs thousands of requests.
        period_s = min(max(keep_s / 24, _TIDY_S), _MOST_EXPIRY_S)
        if self._tickets.is_due("expiry", period_s):
            self._store.expire(keep_s)

    def _repeat(self, do: Callable[[], None], pause_s: float) -> None:
        """Call a function again and again until the worker ends, whatever it raises."""
        while not self._ending.wait(pause_s):
            try:
                do()
            except Exception as error:  # noqa: BLE001 - Redis may be away: tried again, and logged
                _log.warning("%s: %s", do.__name__, error)


def _patiently(do: Callable[[], T]) -> T:
    """Call a function that needs Redis, again and again for a while if Redis does not answer."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return do()
        except RedisError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.5)
