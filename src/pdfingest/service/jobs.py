"""Jobs: what is known of each, in Redis, where every part of the service sees the same.

    queued ── claim ──▶ running ── finish ──▶ done | failed
       ▲                   │
       └──── release ──────┘          queued | running ── cancel ──▶ cancelled

A transition is one script, which Redis runs as a whole, so that of two that want the same job one
gets it. A worker holds a job by a lease that it must extend: if it dies, the lease runs out and the
job is another's. An answer without the lease counts for nothing, so a message that comes twice is
harmless. All times are Redis's own, for machines do not agree on theirs.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pdfingest.service.transitions import SCRIPTS

_PREFIX = "pdfingest:"
WAITING, RUNNING = f"{_PREFIX}queued", f"{_PREFIX}running"
"""Sorted sets of the jobs in these states, by the time of the change or of the end of the lease."""
_ALL = f"{_PREFIX}jobs"
"""Sorted set of all jobs, by the time at which they came."""
_COUNTS = f"{_PREFIX}counts"
_INBOX = f"{_PREFIX}inbox:"


class State(StrEnum):
    """Where a job is. The values are part of the contract with users."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    """It has records, of some pages at least."""
    FAILED = "failed"
    """It has none; the report line says why."""
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self not in {State.QUEUED, State.RUNNING}


@dataclass(frozen=True, slots=True)
class Job:
    """One file on its way through the service."""

    id: str
    name: str
    """What the client calls the file; never a path here."""
    source: str
    """Where workers find it: a key of the store, or a source that was named."""
    size_bytes: int = 0
    sha256: str = ""
    digest: str = ""
    """Of the options that change a record."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    passwords: Sequence[str] = ()
    """Deleted when the job has ended."""
    owner: str = ""
    """Name of the API key that sent it."""
    webhook: str = ""
    inbox: str = ""
    """Name of a list to which its id is added when it has ended."""
    state: State = State.QUEUED
    attempts: int = 0
    """Workers that took it up."""
    created_at: float = 0.0
    started_at: float = 0.0
    ended_at: float = 0.0
    pages_done: int = 0
    total_pages: int = 0
    """0 until the file is open."""
    report: Mapping[str, Any] | None = None
    """Its line of the report, once it has ended."""


def new_id() -> str:
    """A name that nobody can guess."""
    return uuid.uuid4().hex


class Jobs:
    """All jobs. Safe for threads.

    Args:
        client: of Redis, with decoded answers.
        keep_s: seconds after which a job is forgotten.
    """

    def __init__(self, client: Any, keep_s: float) -> None:
        self.client = client
        self._keep_s = int(keep_s)
        self._scripts = {name: client.register_script(text) for name, text in SCRIPTS.items()}

    def add(self, job: Job) -> None:
        """Take a new job in; it is queued from now on."""
        now = self.now()
        fields = {
            "name": job.name,
            "source": job.source,
            "size_bytes": job.size_bytes,
            "sha256": job.sha256,
            "digest": job.digest,
            "options": json.dumps(dict(job.options)),
            "passwords": json.dumps(list(job.passwords)),
            "owner": job.owner,
            "webhook": job.webhook,
            "inbox": f"{_INBOX}{job.inbox}" if job.inbox else "",
            "state": State.QUEUED.value,
            "attempts": 0,
            "created_at": now,
        }
        with self.client.pipeline() as pipe:
            pipe.hset(_key(job.id), mapping=fields)
            pipe.expire(_key(job.id), self._keep_s)
            pipe.zadd(WAITING, {job.id: now})
            pipe.zadd(_ALL, {job.id: now})
            pipe.hincrby(_COUNTS, "jobs:accepted", 1)
            pipe.execute()

    def get(self, job_id: str) -> Job | None:
        """A job; None if there is none of this id, or it is forgotten."""
        found = self.client.hgetall(_key(job_id))
        return _decoded(job_id, found) if "state" in found else None

    def ended(self, inbox: str, wait_s: float) -> list[str]:
        """Ids of jobs that have ended since the last call; waits for the first of them."""
        first = self.client.blpop([f"{_INBOX}{inbox}"], timeout=wait_s)
        if first is None:
            return []
        return [first[1], *(self.client.lpop(f"{_INBOX}{inbox}", 1000) or [])]

    def reports(self, ids: Sequence[str]) -> dict[str, tuple[State, str]]:
        """State and report line, as JSON, of some jobs; one that is forgotten is cancelled."""
        with self.client.pipeline(transaction=False) as pipe:
            for job_id in ids:
                pipe.hmget(_key(job_id), "state", "report")
            found = pipe.execute()
        return {
            job_id: (State(state or State.CANCELLED), report or "")
            for job_id, (state, report) in zip(ids, found, strict=True)
        }

    def recent(self, owner: str, offset: int, limit: int) -> list[Job]:
        """The newest jobs of a key, after `offset` of them; of all keys where it is empty."""
        jobs: list[Job] = []
        for job in self._newest():
            if owner and job.owner != owner:
                continue
            if offset:
                offset -= 1
                continue
            jobs.append(job)
            if len(jobs) == limit:
                break
        return jobs

    def _newest(self) -> Iterator[Job]:
        """All jobs, the newest first."""
        start, step = 0, 100
        while ids := self.client.zrevrange(_ALL, start, start + step - 1):
            with self.client.pipeline(transaction=False) as pipe:
                for job_id in ids:
                    pipe.hgetall(_key(job_id))
                found = pipe.execute()
            for job_id, fields in zip(ids, found, strict=True):
                if "state" in fields:
                    yield _decoded(job_id, fields)
            start += step

    def claim(self, job_id: str, token: str, lease_s: float, most: int) -> str:
        """Take a job up.

        Args:
            job_id: the job.
            token: names the lease.
            lease_s: how long it lasts.
            most: attempts that a job has.

        Returns:
            `claimed`; or `spent`, if it is ours now, but has had all of them; or why it is not
            ours: `gone`, or the state that it is in.
        """
        return str(self._run("claim", job_id, token, lease_s, most))

    def extend(self, job_id: str, token: str, lease_s: float, done: int, total: int) -> bool:
        """Keep a job, and tell how far it is; False if it is not ours any more."""
        return bool(self._run("extend", job_id, token, lease_s, done, total))

    def finish(self, job_id: str, token: str, state: State, report: Mapping[str, Any]) -> bool:
        """End a job; False, and nothing happens, if it is not ours any more."""
        return bool(
            self._run(
                "finish",
                job_id,
                token,
                state.value,
                json.dumps(dict(report)),
                report["sha256"],
                report["pages"],
                report["wall_s"],
                report["failure"],
                report["peak_rss_bytes"],
            )
        )

    def release(self, job_id: str, token: str, *, counted: bool = False) -> bool:
        """Give a job back; the attempt counts only if it is said to."""
        return bool(self._run("release", job_id, token, 0 if counted else -1))

    def cancel(self, job_id: str) -> bool:
        """Cancel a job that has not ended; its worker notices within seconds."""
        return bool(self._run("cancel", job_id, ""))

    def forget(self, job_id: str) -> None:
        """Take out a job that could not be queued."""
        with self.client.pipeline() as pipe:
            pipe.delete(_key(job_id))
            for name in (WAITING, RUNNING, _ALL):
                pipe.zrem(name, job_id)
            pipe.execute()

    def waiting(self) -> int:
        """How many are queued."""
        return int(self.client.zcard(WAITING))

    def running(self) -> int:
        """How many are under way."""
        return int(self.client.zcard(RUNNING))

    def lost(self, waited_s: float) -> list[str]:
        """Jobs without a worker: their lease ran out, or they wait for longer than this."""
        now = self.now()
        over = self.client.zrangebyscore(RUNNING, 0, now)
        waiting = self.client.zrangebyscore(WAITING, 0, now - waited_s)
        for job_id in waiting:  # asked for again, and then not for as long
            self.client.zadd(WAITING, {job_id: now}, xx=True)
        return [*over, *waiting]

    def tidy(self) -> None:
        """Take forgotten jobs out of the lists."""
        self.client.zremrangebyscore(_ALL, 0, self.now() - self._keep_s)
        for name in (WAITING, RUNNING):
            for job_id in self.client.zrange(name, 0, -1):
                if not self.client.exists(_key(job_id)):
                    self.client.zrem(name, job_id)

    def is_due(self, name: str, period_s: float) -> bool:
        """Whether something that is done once in a period is to be done now, by whoever asks.

        Of all parts of the service one is told so in each period.
        """
        return bool(self.client.set(f"{_PREFIX}due:{name}", 1, nx=True, ex=int(period_s)))

    def counts(self) -> dict[str, float]:
        """Totals since the beginning, by name."""
        return {name: float(value) for name, value in self.client.hgetall(_COUNTS).items()}

    def remember(self, name: str, job_id: str) -> str:
        """Have a name stand for a job unless it stands for one already; gives the one it is for."""
        key = f"{_PREFIX}same:{name}"
        if self.client.set(key, job_id, nx=True, ex=self._keep_s):
            return job_id
        return str(self.client.get(key) or job_id)

    def recall(self, name: str) -> Job | None:
        """The job that a name stands for."""
        job_id = self.client.get(f"{_PREFIX}same:{name}")
        return self.get(job_id) if job_id else None

    def unname(self, name: str) -> None:
        """Have a name stand for nothing."""
        self.client.delete(f"{_PREFIX}same:{name}")

    def admit(self, owner: str, most: int) -> float:
        """Count one more job of a key in this minute; gives seconds to wait if it is too many."""
        now = self.now()
        key = f"{_PREFIX}rate:{owner}:{int(now // 60)}"
        with self.client.pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, 120)
            used = int(pipe.execute()[0])
        return 60 - now % 60 if used > most else 0.0

    def now(self) -> float:
        """The time of Redis."""
        seconds, micros = self.client.time()
        return float(seconds + micros / 1e6)

    def _run(self, name: str, job_id: str, *arguments: Any) -> Any:
        """Run a script on a job."""
        keys = (_key(job_id), WAITING, RUNNING, _COUNTS)
        return self._scripts[name](keys=keys, args=(job_id, *arguments))


def _key(job_id: str) -> str:
    """Of the hash that holds a job."""
    return f"{_PREFIX}job:{job_id}"


def _decoded(job_id: str, found: Mapping[str, str]) -> Job:
    """A job from its hash."""
    report = found.get("report")
    return Job(
        id=job_id,
        name=found["name"],
        source=found["source"],
        size_bytes=int(found["size_bytes"]),
        sha256=found["sha256"],
        digest=found["digest"],
        options=json.loads(found["options"]),
        passwords=tuple(json.loads(found.get("passwords", "[]"))),
        owner=found["owner"],
        webhook=found["webhook"],
        state=State(found["state"]),
        attempts=int(found["attempts"]),
        created_at=float(found["created_at"]),
        started_at=float(found.get("started_at", 0)),
        ended_at=float(found.get("ended_at", 0)),
        pages_done=int(found.get("pages_done", 0)),
        total_pages=int(found.get("total_pages", 0)),
        report=json.loads(report) if report else None,
    )
