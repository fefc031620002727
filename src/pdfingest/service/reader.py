"""The reader: what one message comes to, from the claim of its ticket to its end.

    message ─▶ claim ─▶ extract ─▶ store the records ─▶ finish
                 │         ▲
              the lease, extended every second; if it is lost, the child is killed

Owns the leases of its tickets, and how a ticket ends or goes back to the queue. Does not own how a
file is read: the extractors do, one for each thread that calls. Does not own the process, its
threads and its chores: `worker` does.

What goes wrong is the fault of the file, of this worker, or of the store. For the first the ticket
ends. The second counts as an attempt. The third does not, and while the store is away no ticket is
claimed at all.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from queue import LifoQueue
from typing import Any, TypeVar

from redis.exceptions import RedisError

from pdfingest.errors import ExitCode, OutputError, PdfingestError, StoreError
from pdfingest.exchange.renamed import renamed
from pdfingest.exchange.report_line import report_line
from pdfingest.model import FailureKind, Source
from pdfingest.outcome import Extracted, Failed, Finished
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.extractor import Extractor
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store
from pdfingest.service.ticket import State, Ticket, new_id
from pdfingest.service.tickets import Tickets
from pdfingest.stop import Stop

T = TypeVar("T")

_PATIENCE_S = 60.0
"""Seconds for which Redis may be away at the end of a ticket; then the file is read again."""
_LAST_PATIENCE_S = 2.0
"""The same while this worker ends: whoever asked it to kills it after some seconds."""
_FIRST_PAUSE_S, _MOST_PAUSE_S = 1.0, 30.0
"""Seconds between two looks at a store that is away, doubled each time."""
_log = logging.getLogger("pdfingest.worker")


@dataclass(slots=True)
class _Held:
    """A ticket that this worker holds, as long as it extends the lease."""

    ticket: Ticket
    token: str
    extractor: Extractor
    extended_s: float
    """When the lease was asked for the last time, by the clock of this process."""
    stop: Stop = field(default_factory=Stop)


class Reader:
    """Reads the files of tickets. `read` is called by several threads, once for each message.

    Args:
        settings: the settings of the service.
        tickets: all tickets.
        store: the store.
        extractors: one for each thread.
        send: sends a message for a ticket, by its id.
    """

    def __init__(
        self,
        settings: Settings,
        tickets: Tickets,
        store: Store,
        extractors: Sequence[Extractor],
        send: Callable[[str], None],
    ) -> None:
        self._settings, self._tickets, self._store = settings, tickets, store
        self._send = send
        self._held: dict[str, _Held] = {}
        """By the token of the lease."""
        self._idle: LifoQueue[Extractor] = LifoQueue()
        """Extractors that have no ticket; the last used is next, so that few lanes have images."""
        for each in extractors:
            self._idle.put(each)
        self._ending = threading.Event()
        self._store_is_away = False
        self.files = 0
        """How many tickets have ended here."""
        self._calls: set[str] = set()
        self.heard = 0.0
        """When the newest message came, by the clock of this process; 0 before the first."""

    @property
    def is_idle(self) -> bool:
        """Whether no message is worked on."""
        return not self._calls

    @property
    def busy(self) -> int:
        """How many tickets are held."""
        return len(self._held)

    def read(self, ticket_id: str) -> None:
        """Do what one message asks for.

        Afterwards the ticket has ended, or is queued again, or turned out not to be ours to read.
        """
        token = uuid.uuid4().hex
        self._calls.add(token)
        self.heard = time.monotonic()
        try:
            self._read(ticket_id, token)
        finally:
            self._calls.remove(token)

    def _read(self, ticket_id: str, token: str) -> None:
        """Read for a message; the lease has the name `token`."""
        self._await_store()
        if self._ending.is_set():  # the message is another worker's
            self._send(ticket_id)
            return
        settings = self._settings
        asked_s = time.monotonic()
        answer, ticket = self._patiently(
            lambda: self._tickets.claim(ticket_id, token, settings.lease, settings.max_attempts)
        )
        if ticket is None:
            return
        held = self._held[token] = _Held(ticket, token, self._idle.get(), asked_s)
        try:
            if answer == "spent":
                self._give_up(held)
            elif not self._is_copied(held):
                self._extract(held)
        except OutputError as error:
            self._blame_store(held, str(error))
        except Exception as error:  # noqa: BLE001 - the machine's fault: another may do better
            _log.error("%s: %s", ticket_id, error, exc_info=not isinstance(error, PdfingestError))
            self._ending.wait(min(ticket.attempts, 5))  # it may pass: a busy machine
            self._give_back(held, f"{type(error).__name__}: {error}", counted=True)
        finally:
            del self._held[token]
            self._idle.put(held.extractor)

    def extend_all(self) -> None:
        """Extend all leases, and stop the children whose tickets are lost or cancelled."""
        for held in list(self._held.values()):
            if not self._extend(held):
                held.stop.request(ExitCode.INTERRUPTED)

    def let_go(self) -> None:
        """Stop all children, since this worker is to end; their tickets go back to the queue."""
        self._ending.set()
        for held in list(self._held.values()):
            held.stop.request(ExitCode.TERMINATED)

    def _await_store(self) -> None:
        """Wait until a store that was away is back, or this worker is to end."""
        pause_s = _FIRST_PAUSE_S
        while self._store_is_away and not self._ending.wait(pause_s):
            pause_s = min(2 * pause_s, _MOST_PAUSE_S)
            with suppress(StoreError):
                self._store.check()
                self._store_is_away = False

    def _is_copied(self, held: _Held) -> bool:
        """End a ticket with the records of another of the same content, if there is one."""
        ticket = held.ticket
        earlier = self._tickets.recall(ticket.same) if ticket.same else None
        if earlier is None or earlier.state is not State.DONE or not earlier.report:
            return False
        if earlier.report["options_digest"] != held.extractor.digest(ticket):
            return False  # an engine has another version by now
        try:
            pieces = self._store.read(result_key(earlier.id))
        except FileNotFoundError:
            return False
        names = earlier.report["source"], ticket.name
        self._put(ticket, renamed(pieces, *names, earlier.report["sha256"]))
        report = {**earlier.report, "source": ticket.name, "duplicate_of": names[0]}
        self._finish(held, State.DONE, report)
        return True

    def _put(self, ticket: Ticket, pieces: Iterator[bytes]) -> None:
        """Store records that come in pieces."""
        path = f"{self._store.scratch}/{new_id()}"
        try:
            with open(path, "wb") as file:
                file.writelines(pieces)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error}.") from error
        self._store.put(result_key(ticket.id), path)

    def _extract(self, held: _Held) -> None:
        """Have the file read, store its records, and end the ticket."""
        with held.extractor.extract(held.ticket, held.stop) as (finished, digest):
            # Records of a ticket that was lost meanwhile are another worker's to write.
            if self._is_held(held) and isinstance(finished.outcome, Extracted):
                self._store.put(result_key(held.ticket.id), finished.spool)
        self._end(held, finished, digest)

    def _extend(self, held: _Held) -> bool:
        """Extend the lease of a ticket; False if it is lost."""
        lease_s, progress = self._settings.lease, held.extractor.progress()
        asked_s = time.monotonic()
        if not self._tickets.extend(held.ticket.id, held.token, lease_s, *progress):
            return False
        held.extended_s = asked_s
        return True

    def _is_held(self, held: _Held) -> bool:
        """Tell whether nobody else can have a ticket; asks Redis only if that may have changed."""
        is_fresh = time.monotonic() - held.extended_s < self._settings.lease / 2
        return is_fresh or self._extend(held)

    def _give_up(self, held: _Held) -> None:
        """End a ticket that so many workers could not finish that the file must be the cause."""
        most, fault = self._settings.max_attempts, held.ticket.fault
        message = f"{most} workers died on it or could not do it; see their logs"
        self._fail(held, FailureKind.CRASHED, f"{message}. {fault}" if fault else message)

    def _blame_store(self, held: _Held, fault: str) -> None:
        """Queue a ticket again that the store has failed, or end it if the store fails it alone."""
        ticket = held.ticket
        try:
            self._store.check()
        except StoreError as error:
            _log.error("no ticket is taken while the store is away: %s", error)
            self._store_is_away = True
        if not self._store_is_away and ticket.store_faults + 1 >= self._settings.max_attempts:
            self._fail(held, FailureKind.STORE, fault)
            return
        _log.warning("%s: %s", ticket.id, fault)
        if not self._store_is_away:
            self._ending.wait(2**ticket.store_faults)
        self._give_back(held, fault, by_store=not self._store_is_away)

    def _fail(self, held: _Held, kind: FailureKind, message: str) -> None:
        ticket = held.ticket
        failed = Failed(kind, message, sha256=ticket.sha256)
        self._end(held, Finished(Source(ticket.name, "", ticket.size_bytes), failed), ticket.digest)

    def _end(self, held: _Held, finished: Finished, digest: str) -> None:
        """End a ticket, or give it back if this worker stopped the child."""
        outcome = finished.outcome
        if isinstance(outcome, Failed) and outcome.failure is FailureKind.CANCELLED:
            self._give_back(held)
            return
        state = State.DONE if isinstance(outcome, Extracted) else State.FAILED
        self._finish(held, state, report_line(finished, digest))

    def _finish(self, held: _Held, state: State, report: dict[str, Any]) -> None:
        """End a ticket with its report line, unless its lease is lost."""
        ticket = held.ticket
        if not self._patiently(lambda: self._tickets.finish(ticket.id, held.token, state, report)):
            found = self._tickets.get(ticket.id)
            if found is None or found.state is State.CANCELLED:  # else another worker wrote them
                self._store.delete(result_key(ticket.id))
            return
        self.files += 1
        if report["failure"] != FailureKind.STORE:  # what was read is needed no more
            self._store.delete(upload_key(ticket.id))

    def _give_back(self, held: _Held, fault: str = "", **how: bool) -> None:
        """Queue a ticket again, unless its lease is lost; see `Tickets.release`."""
        ticket_id, token = held.ticket.id, held.token
        if self._patiently(lambda: self._tickets.release(ticket_id, token, fault, **how)):
            self._send(ticket_id)

    def _patiently(self, do: Callable[[], T]) -> T:
        """Call a function that needs Redis, again and again for a while if Redis does not answer.

        While this worker ends that is short: the lease runs out, and another reads the file.
        """
        began_s = time.monotonic()
        while True:
            try:
                return do()
            except RedisError:
                patience_s = _LAST_PATIENCE_S if self._ending.is_set() else _PATIENCE_S
                if time.monotonic() - began_s > patience_s:
                    raise
                time.sleep(0.5)
