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
from dataclasses import replace
from importlib.resources import files
from itertools import islice
from typing import Any

from pdfingest.service.ticket import State, Ticket, decoded, new_id

_PREFIX = "pdfingest:"
QUEUED, RUNNING = f"{_PREFIX}queued", f"{_PREFIX}running"
"""Sorted sets of the tickets in these states, by when they were queued and when the lease ends."""
_ALL = f"{_PREFIX}jobs"
"""Sorted set of all tickets, by when they were added."""
_COUNTS = f"{_PREFIX}counts"
_NAMED = f"{_PREFIX}same:"
"""Prefix of the keys that hold the id of the ticket that has a name."""
_READ_AT_ONCE = 100


class Tickets:
    """All tickets of the service. Safe for threads; every method may raise `RedisError`.

    Args:
        client: of Redis, with decoded answers.
        keep_s: seconds after which a ticket is forgotten.
    """

    def __init__(self, client: Any, keep_s: float) -> None:
        self.client = client
        self._keep_s = int(keep_s)
        text = files("pdfingest.service").joinpath("transitions.lua").read_text("utf-8")
        self._transitions = client.register_script(text)

    def add(self, ticket: Ticket) -> Ticket:
        """Add a new ticket, which is queued from now on; returns it with the time."""
        now = self.now()
        ticket = replace(ticket, created_at=now)
        with self.client.pipeline() as pipe:  # one transaction: no worker sees half a ticket
            pipe.hset(_key(ticket.id), mapping=ticket.encoded())
            pipe.expire(_key(ticket.id), self._keep_s)
            pipe.zadd(QUEUED, {ticket.id: now})
            pipe.zadd(_ALL, {ticket.id: now})
            pipe.hincrby(_COUNTS, "jobs:accepted", 1)
            pipe.execute()
        return ticket

    def get(self, ticket_id: str) -> Ticket | None:
        """Get a ticket; None if no ticket has this id, or it is forgotten."""
        return decoded(ticket_id, self.client.hgetall(_key(ticket_id)))

    def newest(self, owner: str, offset: int, limit: int) -> list[Ticket]:
        """List up to `limit` tickets of a key, the newest first, without the first `offset`."""
        found = (each for each in self._newest() if each.owner == owner)
        return list(islice(found, offset, offset + limit))

    def _newest(self) -> Iterator[Ticket]:
        """Read all tickets, the newest first, as far as they are asked for."""
        start = 0
        while ids := self.client.zrevrange(_ALL, start, start + _READ_AT_ONCE - 1):
            with self.client.pipeline(transaction=False) as pipe:
                for ticket_id in ids:
                    pipe.hgetall(_key(ticket_id))
                found = pipe.execute()
            yield from filter(None, map(decoded, ids, found))
            start += _READ_AT_ONCE

    def claim(self, ticket_id: str, token: str, lease_s: float, most_attempts: int) -> str:
        """Claim a ticket that is queued, or whose lease has run out.

        Args:
            ticket_id: the ticket.
            token: a name for the lease, which the claimer alone knows.
            lease_s: seconds until the lease runs out.
            most_attempts: claims that a ticket may have.

        Returns:
            `claimed`; `spent` if the ticket is claimed but had all its attempts before; `gone` if
            there is no such ticket; else the state that keeps it from being claimed.
        """
        return str(self._run("claim", ticket_id, token, lease_s, most_attempts))

    def extend(self, ticket_id: str, token: str, lease_s: float, done: int, total: int) -> bool:
        """Extend a lease and note the pages done; False if the lease is lost."""
        return bool(self._run("extend", ticket_id, token, lease_s, done, total))

    def finish(self, ticket_id: str, token: str, state: State, report: Mapping[str, Any]) -> bool:
        """End a ticket with its report line; False, and nothing changes, if the lease is lost."""
        names = ("sha256", "pages", "wall_s", "failure", "peak_rss_bytes")
        cost = [report[name] for name in names]
        line = json.dumps(dict(report))
        return bool(self._run("finish", ticket_id, token, state.value, line, *cost))

    def release(self, ticket_id: str, token: str, *, counted: bool = False) -> bool:
        """Queue a ticket again, as an attempt if `counted`; False if the lease is lost."""
        return bool(self._run("release", ticket_id, token, 0 if counted else -1))

    def cancel(self, ticket_id: str) -> bool:
        """Cancel a ticket; False if it has ended. Its worker notices when it extends the lease."""
        return bool(self._run("cancel", ticket_id, ""))

    def forget(self, ticket_id: str) -> None:
        """Remove a ticket that could not be queued."""
        with self.client.pipeline() as pipe:
            pipe.delete(_key(ticket_id))
            for name in (QUEUED, RUNNING, _ALL):
                pipe.zrem(name, ticket_id)
            pipe.execute()

    def queued(self) -> int:
        """Count the queued tickets."""
        return int(self.client.zcard(QUEUED))

    def running(self) -> int:
        """Count the running tickets."""
        return int(self.client.zcard(RUNNING))

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

    def tidy(self) -> None:
        """Remove the ids of forgotten tickets, whose hashes have expired, from the sorted sets."""
        self.client.zremrangebyscore(_ALL, 0, self.now() - self._keep_s)
        for name in (QUEUED, RUNNING):
            for ticket_id in self.client.zrange(name, 0, -1):
                if not self.client.exists(_key(ticket_id)):
                    self.client.zrem(name, ticket_id)

    def is_due(self, name: str, period_s: float) -> bool:
        """Tell one caller in each period, of all parts of the service, that something is due."""
        return bool(self.client.set(f"{_PREFIX}due:{name}", 1, nx=True, ex=int(period_s)))

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
        """Return state and report line (JSON, or empty) by id; a forgotten ticket is cancelled."""
        with self.client.pipeline(transaction=False) as pipe:
            for ticket_id in ids:
                pipe.hmget(_key(ticket_id), "state", "report")
            found = pipe.execute()
        return {
            ticket_id: (State(state or State.CANCELLED), report or "")
            for ticket_id, (state, report) in zip(ids, found, strict=True)
        }

    def remember(self, name: str, ticket_id: str) -> str:
        """Give a name to a ticket unless another has it; returns the id of the one that has it."""
        key = f"{_NAMED}{name}"
        # Atomic, so that of two requests with one name exactly one gets it.
        if self.client.set(key, ticket_id, nx=True, ex=self._keep_s):
            return ticket_id
        return str(self.client.get(key) or ticket_id)  # it may have expired in between

    def recall(self, name: str) -> Ticket | None:
        """Get the ticket that has a name; None if no ticket has it."""
        ticket_id = self.client.get(f"{_NAMED}{name}")
        return self.get(ticket_id) if ticket_id else None

    def unname(self, name: str) -> None:
        """Take a name away from whichever ticket has it."""
        self.client.delete(f"{_NAMED}{name}")

    def admit(self, owner: str, most: int) -> float:
        """Count one more ticket of a key; returns the seconds to wait if it is above `most`."""
        now = self.now()  # a minute is one of Redis, the same for all parts
        key = f"{_PREFIX}rate:{owner}:{int(now // 60)}"
        with self.client.pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, 120)
            used = int(pipe.execute()[0])
        return 60 - now % 60 if used > most else 0.0

    def now(self) -> float:
        """Return seconds since the epoch by the clock of Redis, as machines do not agree."""
        seconds, micros = self.client.time()
        return float(seconds + micros / 1e6)

    def _run(self, transition: str, ticket_id: str, token: str, *parameters: Any) -> Any:
        """Run a transition on a ticket; see `transitions.lua` for what it takes."""
        keys = (_key(ticket_id), QUEUED, RUNNING, _COUNTS)
        return self._transitions(keys=keys, args=(transition, ticket_id, token, *parameters))


def _key(ticket_id: str) -> str:
    return f"{_PREFIX}job:{ticket_id}"
