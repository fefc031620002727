"""What a way of reading files costs: wall and CPU time, and the highest memory of its processes.

Times and memory are taken in different rounds, as a look at the memory of a tree of processes takes
some milliseconds of a core that the tree would have.
"""

import ctypes
import os
import resource
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import psutil

from pdfingest.measure.processes import look

_PR_SET_CHILD_SUBREAPER = 36
_LOOK_S = 0.05
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one round of one way, the CPU time that of all of its processes."""

    wall_s: float
    cpu_s: float


def adopt_orphans() -> None:
    """Become the parent of all that outlives its own, so that its CPU time is known (prctl(2))."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def timed(run: Callable[[], None]) -> Cost:
    """Run it, and wait for all that it started, also what outlives its parent."""
    _reap()
    os.sync()  # what the one before left to write is not this one's
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    run()
    wall_s = time.perf_counter() - began_s
    _reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Cost(wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def peak_mib(run: Callable[[], None]) -> float:
    """Run it, and return the highest PSS in MiB of the tree of processes below this one."""
    peak_bytes, over = 0, threading.Event()

    def watch() -> None:
        nonlocal peak_bytes
        while not over.wait(_LOOK_S):
            ours = psutil.Process().memory_full_info().pss
            peak_bytes = max(peak_bytes, look().tree_pss_bytes - ours)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run()
    finally:
        over.set()
        watcher.join()
    _reap()
    return peak_bytes / 2**20


def _reap() -> None:
    """Wait for what outlived its parent."""
    with suppress(ChildProcessError):
        while True:
            os.wait()
