"""Which workers are alive, and what they hold: each says so every few seconds.

Owns what a worker says of itself, for metrics, for whoever asks why nothing is done, and for a run
that wants to know whether its files are where the workers may read.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from pdfingest.service.tickets import Tickets

_WORKERS = "pdfingest:workers"
"""Hash of what the workers say of themselves, by their ids."""
_SILENT_S = 20.0
"""Seconds after which a worker that says nothing is taken for dead; it speaks every 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """What a worker says of itself."""

    id: str
    host: str
    pid: int
    version: str
    lanes: int
    busy: int
    """Tickets that it holds."""
    files: int
    """Tickets that have ended there since it began."""
    rss_bytes: int
    """What outlives a file: the resident sets of the worker and of its images."""
    verdict: str
    """Whether that is flat over the files (`measure.flatness.Verdict`)."""
    source_prefixes: Sequence[str]
    """Where it may read files that are named instead of uploaded."""
    at: float
    """Seconds since the epoch, by the clock of Redis."""


def announce(tickets: Tickets, presence: Presence) -> None:
    """Say that a worker is alive; raises `RedisError`."""
    tickets.client.hset(_WORKERS, presence.id, json.dumps(asdict(presence)))


def leave(tickets: Tickets, worker_id: str) -> None:
    """Say that a worker has ended; raises `RedisError`."""
    tickets.client.hdel(_WORKERS, worker_id)


def present(tickets: Tickets) -> list[Presence]:
    """List the workers that are alive, and forget those that are not; raises `RedisError`."""
    now, found = tickets.now(), tickets.client.hgetall(_WORKERS)
    alive = [each for each in map(_decoded, found.values()) if each is not None]
    silent = [each.id for each in alive if now - each.at > _SILENT_S]
    if silent:
        tickets.client.hdel(_WORKERS, *silent)
    return sorted((each for each in alive if each.id not in silent), key=lambda each: each.id)


def _decoded(text: str) -> Presence | None:
    """Read what a worker says; None if it has another version, and says something else."""
    given: dict[str, Any] = json.loads(text)
    names = {each.name for each in fields(Presence)}
    return Presence(**given) if given.keys() == names else None
