"""What the client does, step by step, without doing it: generators that both clients run.

    flow ── Send(call) ──▶ client ── answer, or error ──▶ flow ── Pause(1.0) ──▶ client ─ ...

Owns when a request is repeated, how a job is waited for, and in what order the list is read. Does
no I/O, so that there is one account of it for `Client` and `AsyncClient`
(https://sans-io.readthedocs.io). A flow yields steps, is sent their outcomes, and returns.
"""

import math
import random
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import httpx

from pdfingest.client import calls
from pdfingest.client.calls import Call
from pdfingest.client.errors import ClientError, StillRunning
from pdfingest.client.jobs import Converted, Job, parse_job

_FIRST_PAUSE_S, _MOST_PAUSE_S = 0.1, 5.0
_MOST_POLL_S = 2.0
"""Seconds between two looks at a job that has been running for a while."""
_SPREAD = 0.5
"""Share of a pause that is drawn, so that clients that were refused together part."""
SILENT_S = 20.0
"""Longer than the service lets a stream of events be silent, which is 15 s."""
_BUSY = frozenset({429, 503})
"""Answers that say that the service did nothing."""
_AGAIN = _BUSY | {502, 504}
"""Answers after which a request may be repeated if it does no harm twice; proxies give the rest."""
_OK = 200


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request. The outcome is the answer, or the error that came instead."""

    call: Call


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait. The outcome is None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Follow:
    """Read events of a job while `goes_on` holds. The outcome is the last job told, or None."""

    call: Call
    deadline: "Deadline"

    def goes_on(self, job: Job | None) -> bool:
        """Tell whether to read on; asked whenever a piece of the stream has come."""
        # Where a whole silence does not fit in any more, polling keeps to the deadline better.
        return not (job and job.ended) and self.deadline.left_s() > SILENT_S


class Deadline:
    """A point in time.

    Args:
        seconds: how far it is; None for never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._at_s = math.inf if seconds is None else time.monotonic() + seconds

    def left_s(self) -> float:
        """Return the seconds until then; 0 when it has passed."""
        return max(0.0, self._at_s - time.monotonic())


Step: TypeAlias = Send | Pause | Follow
Outcome: TypeAlias = httpx.Response | httpx.RequestError | Job | None
T = TypeVar("T")
Flow: TypeAlias = Generator[Step, Outcome, T]


def answered(call: Call, patience_s: float) -> Flow[httpx.Response]:
    """Send a request until there is a good answer.

    Args:
        call: the request.
        patience_s: seconds, beside what the request takes on purpose, after which no other try is
            begun.

    Raises:
        Refused: the service refused it, or did so for too long.
        JobFailed: it asked for the records of a file that could not be read.
        NotReachable: there was no answer for too long.
    """
    deadline = Deadline(patience_s + call.wait_s)
    for pause_s in _pauses(_MOST_PAUSE_S):
        outcome = yield Send(call)
        wait_s = pause_s
        if isinstance(outcome, httpx.Response):
            if outcome.is_success:
                return outcome
            error = calls.refusal(outcome)
            # The pause comes on top, as other clients were told the same time.
            wait_s += calls.retry_after(outcome)
            again = outcome.status_code in (_AGAIN if call.safe else _BUSY)
        else:
            assert isinstance(outcome, httpx.RequestError)
            error = calls.not_reachable(outcome, call)
            error.__cause__ = outcome
            again = _may_repeat(outcome, call)
        if not again or not call.repeatable or wait_s > deadline.left_s():
            raise error
        yield Pause(wait_s)
    raise AssertionError  # the pauses have no end


def _may_repeat(error: httpx.RequestError, call: Call) -> bool:
    """Tell whether a request may be sent again after this error."""
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return False  # a mistake on this side
    return call.safe or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def asked(call: Call, patience_s: float) -> Flow[Job]:
    """Send a request that is answered with a job."""
    answer = yield from answered(call, patience_s)
    return parse_job(calls.json_of(answer))


def waited(job: Job | str, timeout_s: float | None, patience_s: float) -> Flow[Job]:
    """Wait for the end of a job, by its events as long as they come, then by asking for it.

    Raises:
        StillRunning: it has not ended within `timeout_s` seconds.
    """
    deadline = Deadline(timeout_s)
    follow = Follow(calls.follow(job), deadline)
    if follow.goes_on(None):
        told = yield follow
        if isinstance(told, Job) and told.ended:
            return told
    return (yield from polled(job, deadline, patience_s))


def polled(job: Job | str, deadline: Deadline, patience_s: float) -> Flow[Job]:
    """Wait for the end of a job by asking for it, less and less often."""
    for pause_s in _pauses(_MOST_POLL_S):
        found = yield from asked(calls.show(job), min(patience_s, deadline.left_s()))
        if found.ended:
            return found
        if not deadline.left_s():
            detail = f"{found.id} is {found.state}. It goes on, and can be waited for again."
            raise StillRunning("still running", detail)
        yield Pause(min(pause_s, deadline.left_s()))
    raise AssertionError  # the pauses have no end


def ingested(call: Call, patience_s: float) -> Flow[Job]:
    """Add a job and wait for its end; for many at a time.

    It asks for the job, as a stream of events would hold a connection for each file. Where the job
    cannot be followed, it is returned as it was, with the error.
    """
    job = yield from asked(call, patience_s)
    try:
        return job if job.ended else (yield from polled(job, Deadline(None), patience_s))
    except ClientError as error:
        return Job(id=job.id, state=job.state, name=job.name, document=job.document, error=error)


def converted(call: Call, media: str, patience_s: float) -> Flow[Converted]:
    """Upload a file and return its text, waiting for its job if the service made one."""
    answer = yield from answered(call, patience_s)
    if answer.status_code == _OK:
        return calls.converted_of(answer, media)
    job = parse_job(calls.json_of(answer))
    if not job.ended:
        job = yield from waited(job, None, patience_s)
    answer = yield from answered(calls.result(job, media), patience_s)
    return calls.converted_of(answer, media, job)


def cancelled(job: Job | str, patience_s: float) -> Flow[Job]:
    """Cancel a job unless it has ended; returns it as it is then."""
    found = yield from asked(calls.show(job), patience_s)
    if found.ended:  # the same request would delete its records
        return found
    yield from answered(calls.remove(job), patience_s)
    return (yield from asked(calls.show(job), patience_s))


def deleted(job: Job | str, patience_s: float) -> Flow[None]:
    """Delete a job with its records; one that is open is cancelled first."""
    found = yield from cancelled(job, patience_s)
    yield from answered(calls.remove(found), patience_s)


class Listing:
    """The list of jobs while it is read page by page, and may change.

    New jobs push others back, which would come twice; deleted ones pull others forward, which
    would be left out. So each page is compared with what was seen, and if the total has fallen,
    the pages before are read again by as much.

    Args:
        limit: jobs that are wanted; None for all.
    """

    def __init__(self, limit: int | None) -> None:
        self._page_jobs = calls.PAGE_JOBS if limit is None else min(calls.PAGE_JOBS, limit)
        self._offset = 0
        self._total: int | None = None
        self._seen = set[str]()
        self.at_end = False

    def page(self, patience_s: float) -> Flow[list[Job]]:
        """Return the jobs of the next page that are new."""
        answer = yield from answered(calls.list_jobs(self._offset, self._page_jobs), patience_s)
        document = calls.json_of(answer)
        jobs = [parse_job(each) for each in document.get("jobs") or ()]
        fallen = self._fallen(document.get("total"))
        self._offset = max(0, self._offset - fallen) if fallen else self._offset + len(jobs)
        is_last = not jobs or (self._total is not None and self._offset >= self._total)
        self.at_end = is_last and not fallen
        new = [job for job in jobs if job.id not in self._seen]
        self._seen.update(job.id for job in new)
        return new

    def _fallen(self, total: Any) -> int:
        """Note the total, which older services do not tell; returns by how much it is less."""
        before, self._total = self._total, total if isinstance(total, int) else None
        return 0 if before is None or self._total is None else max(0, before - self._total)


def _pauses(most_s: float) -> Iterator[float]:
    """Yield pauses that grow up to `most_s` seconds, without end."""
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s * (1 - _SPREAD * random.random())  # noqa: S311 - nothing secret
        pause_s = min(most_s, pause_s * 1.5)
