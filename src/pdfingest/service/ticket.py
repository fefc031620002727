"""A ticket: one file that the service accepted, from its arrival to its records or its failure.

Owns the fields and states of a ticket, and how they are written as a hash of Redis. `tickets` owns
the transitions between the states. On the wire (paths, JSON, keys of Redis) a ticket is still
called a job, so that clients and workers of earlier versions go on working.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a ticket is. The values are part of the contract with users."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    """The store holds records, of some pages at least."""
    FAILED = "failed"
    """There are no records; the report line says why."""
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the ticket will not change any more."""
        return self not in {State.QUEUED, State.RUNNING}


class Told(StrEnum):
    """Whether a webhook was told of the end of a ticket."""

    NOT_YET = ""
    """The ticket has not ended, or has no webhook."""
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """It was tried so often that it will not be tried again."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the service knows of one file that it accepted."""

    id: str
    name: str
    """What the client calls the file. It is data, and never part of a path here."""
    source: str
    """Where workers find the file: a key of the store, or a path or an address."""
    size_bytes: int = 0
    sha256: str = ""
    digest: str = ""
    """Digest of the options that change a record."""
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the client chose of `service.intake.CHOSEN`; the worker's settings do the rest."""
    passwords: Sequence[str] = ()
    """Passwords to try. They are deleted when the ticket ends."""
    same: str = ""
    """Name under which its records can be found by tickets of the same content; see
    `Tickets.remember`. Empty where they may not be used again."""
    named: str = ""
    """Name that stands for its `Idempotency-Key`; empty without one."""
    owner: str = ""
    """Name of the API key that sent the file; empty where the service has no keys."""
    webhook: str = ""
    """URL that is told when the ticket ends; empty for none."""
    told: Told = Told.NOT_YET
    tellings: int = 0
    """How often it was tried to tell the webhook."""
    telling_error: str = ""
    """Why that failed the last time."""
    inbox: str = ""
    """Redis list to which the id is added when the ticket ends; empty for none."""
    state: State = State.QUEUED
    attempts: int = 0
    """Number of workers that claimed the ticket, apart from those that were stopped on it, and
    those that could not because of the store."""
    store_faults: int = 0
    """How often the store did not give the file, or take the records, although it was there."""
    fault: str = ""
    """Why the newest attempt came to nothing; empty while no worker has said so."""
    created_at: float = 0.0
    """Seconds since the epoch by the clock of Redis, as the two that follow."""
    started_at: float = 0.0
    """When the newest attempt began; 0 before the first."""
    ended_at: float = 0.0
    """When the ticket ended; 0 before."""
    pages_done: int = 0
    total_pages: int = 0
    """Pages of the document; 0 until a child has opened it."""
    report: Mapping[str, Any] | None = None
    """The report line of the file, once the ticket ended; None where it was cancelled."""

    def encoded(self) -> dict[str, str | float]:
        """Encode the ticket as the fields of its hash."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {
            name: value if isinstance(value, str | int | float) else json.dumps(value)
            for name, value in values.items()
            if name != "id" and value is not None
        }


_READ: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(
        (
            "size_bytes",
            "attempts",
            "store_faults",
            "tellings",
            "pages_done",
            "total_pages",
        ),
        int,
    ),
    **dict.fromkeys(("created_at", "started_at", "ended_at"), float),
    **dict.fromkeys(("options", "passwords", "report"), json.loads),
    "state": State,
    "told": Told,
}
"""How the fields that are not text are read."""


def decoded(ticket_id: str, found: Mapping[str, str]) -> Ticket | None:
    """Decode a ticket from its hash; None if the hash is empty, as of a ticket that has expired."""
    if "state" not in found:
        return None
    known = {each.name for each in fields(Ticket)}  # the hash holds the lease as well
    return Ticket(
        ticket_id, **{name: _READ.get(name, str)(found[name]) for name in known & found.keys()}
    )


def new_id() -> str:
    """Make a name that nobody can guess: 32 hex digits."""
    return uuid.uuid4().hex
