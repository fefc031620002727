"""Lane: the parent's slot for one job at a time, and the only place that starts processes.

    lane.start(job) ──▶ executor ──▶ forkserver ──fork──▶ child: boot, run(job), exit
                                                            │
    lane.finish() ◀── inbox ◀── future ◀────── answer ──────┘ or its death

Each lane owns a `ProcessPoolExecutor` of one process that takes one job in its life. Why not one
executor of N: when one child dies, a shared executor fails every job in flight, and nobody knows
the culprit (`BrokenProcessPool`; allenai/olmocr#108, MinerU#4549). `max_tasks_per_child` is 1 and
no option: 2 deadlocks before 2026 (python/cpython#115634).
"""

import multiprocessing
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any, TypeAlias, cast

from pdfingest import child
from pdfingest.model import Cost, EngineSpec, Failed, FailureKind, Job

Inbox: TypeAlias = "SimpleQueue[Lane | None]"
"""Lanes whose job ended, in the order in which they did; None wakes the reader for a stop."""

_PRELOAD = (
    "concurrent.futures.process",
    "multiprocessing.queues",
    "multiprocessing.synchronize",
    "multiprocessing.connection",
    "runpy",
    "hashlib",
    "pdfingest.child",
)
"""What every child needs; imported once, in the forkserver. Without it a child takes 30 times as
long to boot."""

_RETRY_S = 0.02
"""How soon a kill is repeated, for a child that was not yet born at the first."""
_CLOSE_S = 1.0
"""How long a spare child may take to end by itself; it needs milliseconds."""


def start_context(engine: EngineSpec) -> BaseContext:
    """How children are started: forkserver with an image that holds the engine, else spawn.

    Only the engine that is tried first is in the image: a larger image makes every fork slower.
    The forkserver is one for the whole Python process; if it runs already, its image stays.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOAD, engine.module, "pdfingest.supervise.preload"])
    return context


class Lane:
    """One job at a time, each in a child of its own."""

    def __init__(self, index: int, context: BaseContext, inbox: Inbox) -> None:
        self.index = index
        self.job: Job | None = None
        self._context = _WatchedContext(context)
        self._inbox = inbox
        self._executor: ProcessPoolExecutor | None = None
        self._future: Future[child.Answer] | None = None
        self._started_at = 0.0

    def start(self, job: Job) -> None:
        """Take a job; the lane appears in the inbox when it has ended."""
        self.job = job
        self._started_at = time.time()
        try:
            self._future = self._submit(job)
        except BrokenProcessPool:
            # The spare child died between two jobs; no job was lost.
            self.close()
            self._future = self._submit(job)
        self._future.add_done_callback(lambda _: self._inbox.put(self))

    def finish(self) -> tuple[Job, child.Answer]:
        """The job and how it ended; call it once the lane appeared in the inbox."""
        assert self.job is not None
        assert self._future is not None
        job, self.job = self.job, None
        try:
            return job, self._future.result()
        except BrokenProcessPool:
            return job, self._post_mortem(job)
        except Exception as error:  # noqa: BLE001 - a bug on the way must cost its own file only
            return job, Failed(
                FailureKind.ENGINE_ERROR, f"the answer was lost: {type(error).__name__}: {error}"
            )

    def kill(self) -> None:
        """End the child of a job that is under way; the job ends as crashed.

        A child without a job is left alone: killed while it hands over its answer, it would keep
        the lock of the executor's queue for ever.
        """
        if self._future is not None and not self._future.done():
            self._kill_child()

    def abort(self) -> None:
        """End the lane's job, also if its child is only just being born."""
        while self._future is not None and not self._future.done():
            self._kill_child()
            wait([self._future], timeout=_RETRY_S)

    def close(self) -> None:
        """End the executor and its spare child, and wait until both are gone."""
        if self._executor is None:
            return
        # Waiting matters: without it the executor's thread may print a traceback (3.11, 3.13). It
        # is done elsewhere, since a spare child that waits for a lock that a killed one held never
        # ends by itself.
        closing = threading.Thread(target=self._executor.shutdown, kwargs={"wait": True})
        closing.start()
        closing.join(_CLOSE_S)
        while closing.is_alive():
            self._kill_child()
            closing.join(_RETRY_S)
        self._executor = None

    def _kill_child(self) -> None:
        """SIGKILL to the newest child, if it is born yet."""
        process = self._context.child
        if process is not None and process.pid is not None:
            process.kill()

    def _submit(self, job: Job) -> "Future[child.Answer]":
        """Hand the job to the executor, which is made anew after a death."""
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                max_workers=1,
                max_tasks_per_child=1,
                mp_context=cast(BaseContext, self._context),
                initializer=child.boot,
            )
        return self._executor.submit(child.run, job)

    def _post_mortem(self, job: Job) -> Failed:
        """How the child died. The executor has one process at a time, so it is the newest."""
        self._kill_child()
        self.close()
        process = self._context.child
        code = None if process is None else process.exitcode
        message, signal_name = _explain(code)
        cost = Cost(
            pid=(process.pid or 0) if process else 0,
            started_at=self._started_at,
            wall_s=time.time() - self._started_at,
        )
        return Failed(
            FailureKind.CRASHED, message, cost, engine=job.engines[0].name, signal=signal_name
        )


class _WatchedContext:
    """A start context that remembers the newest child.

    `multiprocessing.active_children()` forgets a child the moment it is dead, so the handle must
    be taken at birth, and children are born in the executor's thread.
    """

    def __init__(self, context: BaseContext) -> None:
        self._context = context
        self.child: BaseProcess | None = None

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # noqa: N802 - BaseContext's name
        """A new process, remembered."""
        self.child = cast(Any, self._context).Process(*args, **kwargs)
        return cast(BaseProcess, self.child)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the context's own."""
        return getattr(self._context, name)


def _explain(code: int | None) -> tuple[str, str]:
    """An exit code that nobody asked for, in words, and the name of its signal if it has one."""
    if code is None or code >= 0:
        return f"the child ended without an answer (exit code {code})", ""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hint = "; perhaps out of memory" if name == "SIGKILL" else ""
    return f"the child was killed by {name}{hint}", name
