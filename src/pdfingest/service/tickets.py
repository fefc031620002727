"""All tickets, in Redis, where every part of the service sees the same.

    queued ── claim ──▶ running ── finish ──▶ done | failed
       ▲                   │
       └──── release ──────┘          queued | running ── cancel ──▶ cancelled

Owns what Redis holds of tickets and the transitions between their states, which are one script
(`transitions.lua`), since a sequence of commands would let two workers claim the same ticket. Does
not own the queue of Celery, which only wakes a worker: a message may come twice or never.

A worker holds a ticket by a lease that it must extend. When a worker dies, the lease runs out and
another may claim the ticket. Whoever has lost the lease can change nothing any more.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import chain
from typing import Any

from pdfingest.service.ticket import State, Ticket, Told, decoded, new_id

_PREFIX = "pdfingest:"
QUEUED, RUNNING = f"{_PREFIX}queued", f"{_PREFIX}running"
"""Sorted sets of the tickets in these states, by when they were queued and when the lease ends."""
_ENDED = f"{_PREFIX}ended"
"""Sorted set of the tickets that have ended, by when."""
_OWNER, _OPEN = f"{_PREFIX}owner:", f"{_PREFIX}open:"
"""Prefixes: all tickets of a key, by when they were added; and the set of those that are open."""
_WEBHOOKS = f"{_PREFIX}webhooks"
"""Sorted set of the tickets whose webhooks are to be told of their end, by when."""
_COUNTS = f"{_PREFIX}counts"
_NAMES = f"{_PREFIX}same:"
"""Prefix of the keys that hold the id of the ticket that has a name."""
_UNUSED_S = 60
"""Seconds after which a name is forgotten whose ticket was never added."""
PEAKS_MIB = (32, 64, 128, 256, 512, 1024, 2048, 4096)
"""Upper bounds of the classes of peaks that are counted; one more class is above them."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What decides whether a file of a key is taken."""

    sent: int
    """Files of the key in this minute, with this one."""
    minute_left_s: int
    """Seconds that are left of the minute."""
    open: int
    """Tickets of the key that are queued or running."""
    queued: int
    """Queued tickets of all keys."""


class Tickets:
    """All tickets of the service. Safe for threads; every method may raise `RedisError`.

    Args:
        client: of Redis, with decoded answers.
        keep_s: seconds after its end at which a ticket is deleted.
    """

    def __init__(self, client: Any, keep_s: float) -> None:
        self.client = client
        self._keep_s = max(int(keep_s), 1)
        self._transitions = client.register_script(_script("transitions.lua"))
        self._admission = client.register_script(_script("admission.lua"))

    def add(self, ticket: Ticket) -> Ticket:
        """Add a new ticket, which is queued from now on; returns it with the time."""
        fields = chain.from_iterable(ticket.encoded().items())
        return replace(ticket, created_at=float(self._run("add", ticket.id, *fields)))

    def get(self, ticket_id: str) -> Ticket | None:
        """Get a ticket; None if no ticket has this id, or it is deleted."""
        return decoded(ticket_id, self.client.hgetall(_key(ticket_id)))

    def get_all(self, ids: Sequence[str]) -> list[Ticket]:
        """Get the tickets of these ids, in this order, without those that are not there."""
        with self.client.pipeline(transaction=False) as pipe:
            for ticket_id in ids:
                pipe.hgetall(_key(ticket_id))
            return list(filter(None, map(decoded, ids, pipe.execute())))

    def newest(self, owner: str, offset: int, limit: int) -> tuple[list[Ticket], int]:
        """List up to `limit` tickets of a key, the newest first, without the first `offset`.

        Returns:
            The tickets, and how many the key has.
        """
        key = f"{_OWNER}{owner}"
        ids = self.client.zrevrange(key, offset, offset + limit - 1)
        return self.get_all(ids), int(self.client.zcard(key))

    def claim(
        self, ticket_id: str, token: str, lease_s: float, most_attempts: int
    ) -> tuple[str, Ticket | None]:
        """Claim a ticket that is queued, or whose lease has run out.

        Args:
            ticket_id: the ticket.
            token: a name for the lease, which the claimer alone knows.
            lease_s: seconds until the lease runs out.
            most_attempts: claims that a ticket may have.

        Returns:
            `claimed`; `spent` if the ticket is held now but had all its attempts before; `gone` if
            there is no such ticket; else the state that keeps it from being claimed. With it the
            ticket, if it is held now.
        """
        answer, found = self._run("claim", ticket_id, token, lease_s, most_attempts)
        return answer, decoded(ticket_id, dict(zip(found[::2], found[1::2], strict=True)))

    def extend(self, ticket_id: str, token: str, lease_s: float, done: int, total: int) -> bool:
        """Extend a lease and note the pages done; False if the lease is lost."""
        return bool(self._run("extend", ticket_id, token, lease_s, done, total))

    def finish(self, ticket_id: str, token: str, state: State, report: Mapping[str, Any]) -> bool:
        """End a ticket with its report line; False, and nothing changes, if the lease is lost.

        Where all pages were read, tickets of the same content may use the records from now on.
        """
        shares = "yes" if state is State.DONE and report.get("status") == "ok" else ""
        is_copy = bool(report.get("duplicate_of"))  # then another ticket has had the cost
        wall_s, peak = (0, 0) if is_copy else (report["wall_s"], report["peak_rss_bytes"])
        bound = next((mib for mib in PEAKS_MIB if peak <= mib << 20), "more")
        told = report["sha256"], report["pages"], wall_s, report["failure"], peak, bound
        line = json.dumps(dict(report))
        return bool(self._run("finish", ticket_id, token, state.value, shares, line, *told))

    def release(
        self,
        ticket_id: str,
        token: str,
        fault: str = "",
        *,
        counted: bool = False,
        by_store: bool = False,
    ) -> bool:
        """Queue a ticket again; False if the lease is lost.

        Args:
            ticket_id: the ticket.
            token: the name of the lease.
            fault: why the attempt came to nothing; empty if the worker was stopped.
            counted: whether it was an attempt.
            by_store: whether it is counted as one that the store did not serve.
        """
        counts = 0 if counted else -1, int(by_store)
        return bool(self._run("release", ticket_id, token, *counts, fault))

    def cancel(self, ticket_id: str) -> bool:
        """Cancel a ticket; False if it has ended. Its worker notices when it extends the lease."""
        return bool(self._run("cancel", ticket_id))

    def delete(self, ticket_id: str) -> bool:
        """Delete a ticket that has ended; False if it has not."""
        return bool(self._run("delete", ticket_id, "deleted"))

    def forget(self, ticket_id: str) -> None:
        """Remove a ticket that could not be queued."""
        self._run("delete", ticket_id, "")

    def expired(self) -> Iterator[str]:
        """Delete the tickets that have ended long enough ago; yields their ids."""
        last = self.now() - self._keep_s
        while ids := self.client.zrangebyscore(_ENDED, 0, last, start=0, num=1000):
            for ticket_id in ids:
                if self._run("delete", ticket_id, "expired"):
                    yield ticket_id

    def queued(self) -> int:
        """Count the queued tickets."""
        return int(self.client.zcard(QUEUED))

    def oldest_s(self) -> float:
        """Return for how many seconds the ticket has waited that waits longest; 0 for none."""
        oldest = self.client.zrange(QUEUED, 0, 0, withscores=True)
        return max(self.now() - oldest[0][1], 0.0) if oldest else 0.0

    def running(self) -> int:
        """Count the running tickets."""
        return int(self.client.zcard(RUNNING))

    def is_open(self, ticket_id: str) -> bool:
        """Tell whether this is the id of a ticket that has not ended."""
        state = self.client.hget(_key(ticket_id), "state")
        return bool(state) and not State(state).ended

    def lost(self, waited_s: float) -> list[str]:
        """List the tickets whose lease has run out, or that are queued for longer than `waited_s`.

        The message of the latter may be lost. They count as queued anew, so that the next caller
        does not get them as well.
        """
        now = self.now()
        expired = self.client.zrangebyscore(RUNNING, 0, now)
        waiting = self.client.zrangebyscore(QUEUED, 0, now - waited_s)
        for ticket_id in waiting:  # unless it was claimed meanwhile (`xx`)
            self.client.zadd(QUEUED, {ticket_id: now}, xx=True)
        return [*expired, *waiting]

    def due_webhooks(self, most: int) -> list[str]:
        """List up to `most` tickets whose webhooks are to be told now."""
        found = self.client.zrangebyscore(_WEBHOOKS, 0, self.now(), start=0, num=most)
        return [str(ticket_id) for ticket_id in found]

    def tell(self, ticket_id: str, pause_s: float) -> int:
        """Take it upon oneself to tell a webhook; nobody else gets it for `pause_s` seconds.

        Returns:
            How many tries there have been, with this one; 0 if somebody else has taken it.
        """
        return int(self._run("tell", ticket_id, pause_s))

    def told(self, ticket_id: str, told: Told, fault: str, pause_s: float = 0.0) -> None:
        """Note how telling a webhook went; it is due again after `pause_s` if still pending."""
        self._run("told", ticket_id, told.value, fault, pause_s)

    def is_due(self, name: str, period_s: float) -> bool:
        """Tell one caller in each period, of all parts of the service, that something is due."""
        return bool(self.client.set(f"{_PREFIX}due:{name}", 1, nx=True, ex=max(int(period_s), 1)))

    def check(self) -> None:
        """Check that Redis takes writes, which it may not while it still answers."""
        self.client.set(f"{_PREFIX}check", 1, ex=60)

    def counts(self) -> dict[str, float]:
        """Return the totals since the beginning by name, such as `jobs:done` and `pages`."""
        return {name: float(value) for name, value in self.client.hgetall(_COUNTS).items()}

    def new_inbox(self) -> str:
        """Make a name for a list that collects the ids of tickets that have ended."""
        return f"{_PREFIX}inbox:{new_id()}"

    def ended(self, inbox: str, wait_s: float) -> list[str]:
        """Take the ids out of an inbox; waits up to `wait_s` seconds for the first."""
        first = self.client.blpop([inbox], timeout=wait_s)
        return [first[1], *(self.client.lpop(inbox, 1000) or [])] if first else []

    def reports(self, ids: Sequence[str]) -> dict[str, tuple[State, str]]:
        """Return state and report line (JSON, or empty) by id; a deleted ticket is cancelled."""
        with self.client.pipeline(transaction=False) as pipe:
            for ticket_id in ids:
                pipe.hmget(_key(ticket_id), "state", "report")
            found = pipe.execute()
        return {
            ticket_id: (State(state or State.CANCELLED), report or "")
            for ticket_id, (state, report) in zip(ids, found, strict=True)
        }

    def remember(self, name: str, ticket_id: str) -> str:
        """Give a name to a ticket that is to be added, unless another has it.

        Returns:
            The id of the ticket that has the name, which it keeps until it is deleted.
        """
        # Atomic, so that of two requests with one name exactly one gets it.
        if self.client.set(f"{_NAMES}{name}", ticket_id, nx=True, ex=_UNUSED_S):
            return ticket_id
        return str(self.client.get(f"{_NAMES}{name}") or ticket_id)  # it may have expired meanwhile

    def recall(self, name: str) -> Ticket | None:
        """Get the ticket that has a name; None if no ticket has it."""
        ticket_id = self.client.get(f"{_NAMES}{name}")
        return self.get(ticket_id) if ticket_id else None

    def unname(self, name: str) -> None:
        """Take a name away from whichever ticket has it."""
        self.client.delete(f"{_NAMES}{name}")

    def admit(self, owner: str) -> Admission:
        """Count one more file of a key, and tell what decides whether it is taken."""
        keys = f"{_PREFIX}rate:{owner}:", f"{_OPEN}{owner}", QUEUED
        return Admission(*self._admission(keys=keys))

    def now(self) -> float:
        """Return seconds since the epoch by the clock of Redis, as machines do not agree."""
        seconds, micros = self.client.time()
        return float(seconds + micros / 1e6)

    def _run(self, transition: str, ticket_id: str, *parameters: Any) -> Any:
        """Run a transition on a ticket; see `transitions.lua` for what it takes."""
        given = (transition, ticket_id, _PREFIX, self._keep_s, *parameters)
        return self._transitions(keys=[_key(ticket_id)], args=given)


def _script(name: str) -> str:
    return files("pdfingest.service").joinpath(name).read_text("utf-8")


def _key(ticket_id: str) -> str:
    return f"{_PREFIX}job:{ticket_id}"
