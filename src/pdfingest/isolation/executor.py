"""An executor of one process that does one call in its life, made anew after a death.

Why not one executor of N processes: when one process dies, an executor fails every call in flight,
and nobody knows the culprit (`BrokenProcessPool`; allenai/olmocr#108, MinerU#4549). Why one call:
`max_tasks_per_child=2` deadlocks before 2026 (python/cpython#115634).
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TypeVar

from pdfingest.isolation.context import Context, Process, Starter

T = TypeVar("T")

_THREADS = 2
"""Threads of an executor: one that waits for answers, and one that sends calls."""
_CLOSE_S = 0.5
"""How long a spare child may take to start and to end by itself; it needs milliseconds."""
_RETRY_S = 0.02
"""How soon a kill is repeated, for a child that was not yet started at the first."""


class FreshExecutor:
    """Calls functions, each in a fresh process, one at a time."""

    def __init__(self, starter: Starter) -> None:
        self._starter = starter
        self._context: Context | None = None
        self._executor: ProcessPoolExecutor | None = None
        self._closing: threading.Thread | None = None

    def submit(self, function: Callable[..., T], *args: object) -> "Future[T]":
        """Call a function in a fresh process.

        Raises:
            BrokenProcessPool: a process died between two calls; see `end`.
            OSError: there is no descriptor to be had.
            RuntimeError: there is no thread to be had.
        """
        if self._executor is None:
            _need_threads(_THREADS)
            self._context = Context(self._starter)
            self._executor = ProcessPoolExecutor(
                max_workers=1, max_tasks_per_child=1, mp_context=self._context
            )
        return self._executor.submit(function, *args)

    @property
    def process(self) -> Process | None:
        """The process that was started last; None before the first."""
        return self._context.newest if self._context else None

    def give_up(self) -> None:
        """Start no process any more for calls that are left. May be called by any thread."""
        if (context := self._context) is not None:
            context.give_up()

    def begin_close(self) -> None:
        """Begin to end the processes and threads where no call is left; only `end` may follow."""
        if self._context is not None:
            self._context.is_closing = True
        self._begin_end()

    def _begin_end(self) -> None:
        if self._executor is None or self._closing is not None:
            return
        # Waiting matters: without it the executor's thread may print a traceback (3.11, 3.13). It
        # is done elsewhere, since a spare child that is stopped never ends by itself.
        self._closing = threading.Thread(target=self._executor.shutdown, kwargs={"wait": True})
        self._closing.start()

    def end(self) -> None:
        """End the processes and threads, and wait until they are gone; `submit` begins anew."""
        self._begin_end()
        closing, context = self._closing, self._context
        if closing is None or context is None:
            return
        closing.join(_CLOSE_S)
        while closing.is_alive():
            if (process := context.newest) is not None:
                process.kill()
                if not process.pid:  # it is still being started, by an image that may be stuck
                    context.give_up()
            closing.join(_RETRY_S)
        context.close()
        self._executor = self._context = self._closing = None


def _need_threads(number: int) -> None:
    """Raise unless threads can be had: an executor whose thread can start none says no word."""
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(number)]
    try:
        for thread in threads:
            thread.start()
    finally:
        over.set()
    for thread in threads:
        thread.join()
