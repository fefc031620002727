"""The worker: takes jobs from the queue, and has each file read by a child of its own.

    message ─▶ claim ─▶ supervise one file ─▶ store the records ─▶ finish ─▶ acknowledge
                 │            ▲
              the lease, extended every second; lost ─▶ the child is killed

One thread a lane; the child does the isolating, as in `run`. Prefork would cost 90 to 154 ms of CPU
a file for processes that are needed a second time anyway. A job ends here, or goes back to the
queue; what a dead worker held, the others put back (`_sweep`).
"""

# pyright: basic
# Celery is not typed; mypy checks this file strictly.

import gc
import logging
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from celery import signals
from redis.exceptions import RedisError

from pdfingest.child.sandbox.readable import readable_paths
from pdfingest.engines.registry import find_engines
from pdfingest.errors import ExitCode, PdfingestError
from pdfingest.exchange.record import report_line
from pdfingest.isolation.birth import begin_image
from pdfingest.measure.sizing import allow_descriptors
from pdfingest.model import (
    EngineSpec,
    Extracted,
    Failed,
    FailureKind,
    Finished,
    Source,
    Stop,
    Unit,
)
from pdfingest.model import Job as Extraction
from pdfingest.options import IngestOptions, options_digest
from pdfingest.run.supervisor import Supervisor
from pdfingest.service import queue
from pdfingest.service.contents import JOB, result_key, upload_key
from pdfingest.service.jobs import Job, State
from pdfingest.service.settings import Settings
from pdfingest.service.sources import SourceError, fetch, open_prefixes
from pdfingest.service.store import open_store
from pdfingest.service.webhook import tell

T = TypeVar("T")

_BEAT_S = 1.0
"""How often leases are extended; so soon a cancelled job is noticed."""
_SWEEP_S = 5.0
_TIDY_S = 60.0
_MOST_EXPIRY_S = 3600.0
"""The longest time between two looks for files that are too old."""
_UNHEARD_S = 30.0
"""A job that waits for so long while the queue is empty has lost its message."""
_PATIENCE_S = 60.0
"""How long Redis may be away at the end of a job; then the job is done again."""
_log = logging.getLogger("pdfingest.worker")


@dataclass(slots=True)
class _Held:
    """A job that is ours as long as we extend its lease."""

    job: Job
    token: str
    stop: Stop = field(default_factory=Stop)
    supervisor: Supervisor | None = None

    def progress(self) -> tuple[int, int]:
        """Pages read, and how many there are; zeros while that is unknown."""
        for reading in self.supervisor.reading() if self.supervisor else ():
            return reading.pages_done, reading.total_pages
        return 0, 0


class Worker:
    """Works until it is stopped.

    Args:
        settings: of the service.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._jobs = queue.connect(settings)
        self._store = open_store(settings.store)
        open_prefixes(settings)
        self._app = queue.make_app(settings)
        self._held: dict[str, _Held] = {}
        self._ending = threading.Event()
        self._local = threading.local()
        self._ended = ExitStack()

    def run(self) -> int:
        """Take jobs until SIGTERM or SIGINT; gives the exit code.

        Raises:
            ResourceError: the lanes need more descriptors than there may be.
        """
        allow_descriptors(self._settings.lanes, "--lanes")
        engines, _ = _engines(self._settings.engine)
        begin_image(tuple(engine.module for engine in engines))
        self._app.task(name=queue.TASK)(self._work)
        signals.worker_shutting_down.connect(self._let_go, weak=False)
        for beat, pause_s in (
            (self._beat, _BEAT_S),
            (self._sweep, _SWEEP_S),
            (self._tidy, _TIDY_S),
        ):
            threading.Thread(target=self._repeat, args=(beat, pause_s), daemon=True).start()
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
        with self._ended:
            worker.start()
        self._ending.set()
        return int(worker.exitcode or 0)

    def _work(self, job_id: str) -> None:
        """One message: end its job, give it back, or see that it is not ours to do."""
        token = uuid.uuid4().hex
        if self._ending.is_set():
            return
        claimed = _patiently(lambda: self._claim(job_id, token))
        job = self._jobs.get(job_id) if claimed in {"claimed", "spent"} else None
        if job is None:
            return
        held = self._held[token] = _Held(job, token)
        try:
            if claimed == "spent":
                self._give_up(held)
            else:
                self._end(held, *self._extract(held))
        except Exception as error:  # noqa: BLE001 - the machine's fault: another may do better
            _log.error("%s: %s", job_id, error, exc_info=not isinstance(error, PdfingestError))
            time.sleep(min(job.attempts, 5))
            self._give_back(held, counted=True)
        finally:
            del self._held[token]

    def _claim(self, job_id: str, token: str) -> str:
        """Take a job up."""
        settings = self._settings
        return self._jobs.claim(job_id, token, settings.lease, settings.max_attempts)

    def _give_up(self, held: _Held) -> None:
        """End a job on which so many workers died that it must be the cause."""
        job = held.job
        message = (
            f"{self._settings.max_attempts} workers died on it or could not do it; see their logs"
        )
        source = Source(job.name, "", job.size_bytes)
        failed = Failed(FailureKind.CRASHED, message, sha256=job.sha256)
        self._end(held, Finished(source, failed), job.digest)

    def _extract(self, held: _Held) -> tuple[Finished, str]:
        """Have the file read; the records are in the store afterwards.

        Returns:
            How it ended, and the options digest.
        """
        job = held.job
        options = self._options(job)
        engines, readable = _engines(options.engine)
        digest = options_digest(options, engines)
        with _folder(self._store.scratch) as folder:
            copy = os.path.join(folder, "source.pdf")
            try:
                path = fetch(job.source, copy, self._store, self._settings)
                found = os.stat(path)
            except SourceError as error:
                source = Source(job.name, job.source, job.size_bytes)
                failed = Failed(FailureKind.UNREADABLE, f"{job.source}: {error}")
                return Finished(source, failed), digest
            extraction = Extraction(
                Source(job.name, path, found.st_size, found.st_mtime_ns),
                engines,
                options.passwords,
                options.unit,
                options.limits(),
                os.path.join(folder, "records.jsonl"),
                options.sandbox,
                readable,
            )
            held.supervisor = self._supervisor(held.stop)
            with closing(held.supervisor.run(iter([extraction]))) as steps:
                finished = next(step for step in steps if step is not None)
            ours = self._jobs.extend(job.id, held.token, self._settings.lease, *held.progress())
            if ours and isinstance(finished.outcome, Extracted):
                self._store.put(result_key(job.id), finished.spool)
        return finished, digest

    def _supervisor(self, stop: Stop) -> Supervisor:
        """That of this thread, whose lane outlives a job: so the next one need not wait for it."""
        if not hasattr(self._local, "supervisor"):
            folder = tempfile.mkdtemp(prefix="pdfingest-lane-")
            self._local.supervisor = Supervisor(self._settings.options(), folder, stop, _nobody)
            self._ended.callback(shutil.rmtree, folder, ignore_errors=True)
            self._ended.callback(self._local.supervisor.close)
        supervisor: Supervisor = self._local.supervisor
        supervisor.stop = stop
        return supervisor

    def _options(self, job: Job) -> IngestOptions:
        """Options of one job."""
        given = job.options
        return self._settings.options(
            engine=given.get("engine") or self._settings.engine,
            unit=Unit(given.get("unit") or Unit.PAGE),
            passwords=tuple(job.passwords),
        )

    def _end(self, held: _Held, finished: Finished, digest: str) -> None:
        """Tell how a job ended, or give it back if it was us who stopped it."""
        job, outcome = held.job, finished.outcome
        if isinstance(outcome, Failed) and outcome.failure is FailureKind.CANCELLED:
            self._give_back(held)
            return
        state = State.DONE if isinstance(outcome, Extracted) else State.FAILED
        report = report_line(finished, digest)
        if not _patiently(lambda: self._jobs.finish(job.id, held.token, state, report)):
            found = self._jobs.get(job.id)
            if found is None or found.state is State.CANCELLED:
                self._store.delete(result_key(job.id))
            return
        self._store.delete(upload_key(job.id))
        if job.webhook:
            tell(
                job.webhook, {"id": job.id, "state": state.value, "report": report}, self._settings
            )

    def _give_back(self, held: _Held, *, counted: bool = False) -> None:
        """Queue a job again, unless it was cancelled or is another's."""
        released = _patiently(lambda: self._jobs.release(held.job.id, held.token, counted=counted))
        if released:
            queue.send(self._app, held.job.id)

    def _let_go(self, **_: Any) -> None:
        """The worker is to end: stop the children; their jobs go back."""
        self._ending.set()
        for held in list(self._held.values()):
            held.stop.request(ExitCode.TERMINATED)

    def _beat(self) -> None:
        """Extend the leases, and stop what is not ours any more."""
        for held in list(self._held.values()):
            lease_s = self._settings.lease
            if not self._jobs.extend(held.job.id, held.token, lease_s, *held.progress()):
                held.stop.request(ExitCode.INTERRUPTED)

    def _sweep(self) -> None:
        """Queue again what has no worker and no message."""
        idle = not self._jobs.client.llen(str(self._app.conf.task_default_queue))
        for job_id in self._jobs.lost(_UNHEARD_S if idle else float("inf")):
            queue.send(self._app, job_id)

    def _tidy(self) -> None:
        """Forget jobs that are too old, and delete their files."""
        self._jobs.tidy()
        keep_s = self._settings.keep
        # To look through a store of millions of objects costs thousands of requests.
        period_s = min(max(keep_s / 24, _TIDY_S), _MOST_EXPIRY_S)
        if self._jobs.is_due("expiry", period_s):
            self._store.expire(keep_s)

    def _repeat(self, do: Callable[[], None], pause_s: float) -> None:
        """Do something again and again; Redis may be away for a while."""
        while not self._ending.wait(pause_s):
            try:
                do()
            except Exception as error:  # noqa: BLE001 - tried again, and worth a line
                _log.warning("%s: %s", do.__name__, error)


@cache
def _engines(name: str) -> tuple[tuple[EngineSpec, ...], tuple[str, ...]]:
    """The engines of a name, and what their children may read: 10 ms to find out, each time."""
    engines = find_engines(name)
    return engines, readable_paths([engine.module for engine in engines])


def _patiently(do: Callable[[], T]) -> T:
    """Do something that needs Redis, again for a while where it is away."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return do()
        except RedisError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.5)


@contextmanager
def _folder(scratch: str) -> Generator[str, None, None]:
    """A directory for one job."""
    folder = tempfile.mkdtemp(prefix=JOB, dir=scratch)
    try:
        yield folder
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)


def _nobody(index: int, source: Source) -> None:
    """Nobody asks which lane has begun what."""
