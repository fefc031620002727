"""What the processes of a run hold, through psutil. Runs in the parent.

No child imports this module, nor psutil; `memory` says why.
"""

import gc
import sys
from contextlib import suppress
from dataclasses import replace

import psutil

from pdfingest.measure.flatness import Sample

_TREE_EVERY = 8
"""One of this many looks reads the whole tree of processes."""
_UNSEEN = (psutil.Error, OSError)
"""Raised for a process that has ended or may not be looked at, and for all of them where there is
no /proc, or no descriptor left to read it."""


class Processes:
    """The processes of a run, for a caller that looks at them again and again.

    To find descendants, psutil reads an entry of every process of the machine: with 8 lanes, a look
    at the whole tree takes 7.5 ms of CPU time among 110 processes, and 25 ms among 1,100. So only
    one look in eight does that. The others take 0.1 ms: they read the parent and its helpers, whose
    memory is all that the verdict on flatness goes by, and repeat the other figures.
    """

    def __init__(self) -> None:
        self._looks = 0
        self._seen = Sample(0)
        self._held: list[psutil.Process] = []
        """The parent, followed by its helpers."""

    def look(self) -> Sample:
        """Return what the processes hold now, without files and time."""
        # Interpreters keep up to 2,000 dead tuples of each length for reuse, until a collection: a
        # growth that ends, but at 1 KiB a file. This takes 0.3 ms, as the command line freezes what
        # it has loaded.
        gc.collect()
        self._looks += 1
        sizes = [_resident(each) for each in self._held] if self._looks % _TREE_EVERY else []
        if sizes and all(sizes):
            held = {"parent_rss_bytes": sizes[0], "helpers_rss_bytes": sum(sizes[1:])}
            self._seen = replace(self._seen, **held)
        else:  # one of them has ended, or it is time
            self._seen, self._held = _look_at_tree()
        return self._seen


def look() -> Sample:
    """Return what this process, its direct children (helpers) and all others below (children) hold.

    A process that ends while it is looked at counts as nothing. Files and time are left at 0.
    """
    return _look_at_tree()[0]


def _look_at_tree() -> tuple[Sample, list[psutil.Process]]:
    """Return what all processes hold, and the parent followed by its helpers; see `look`."""
    held: list[psutil.Process] = []
    parent_rss = helpers_rss = tree_pss = descriptors = threads = children = 0
    with suppress(*_UNSEEN):
        parent = psutil.Process()
        parent_rss, tree_pss = _memory(parent)
        descriptors, threads = _descriptors(parent), parent.num_threads()
        held.append(parent)
        for process in parent.children(recursive=True):
            with suppress(*_UNSEEN):
                is_helper = process.ppid() == parent.pid
                rss, pss = _memory(process)
                tree_pss += pss
                if is_helper:
                    helpers_rss += rss
                    held.append(process)
                else:
                    children += 1
    return Sample(parent_rss, helpers_rss, tree_pss, descriptors, threads, children), held


def _memory(process: psutil.Process) -> tuple[int, int]:
    """Return resident and proportional set of a process, in bytes."""
    try:
        info = process.memory_full_info()
        resident, proportional = info.rss, info.pss
    except (psutil.AccessDenied, AttributeError):
        # Only Linux has a proportional set, and does not show that of every process. The resident
        # set is the most that it can be.
        resident = proportional = process.memory_info().rss
    return resident, proportional


def _resident(process: psutil.Process) -> int:
    """Return the resident set of a process in bytes, or 0 if it has ended."""
    with suppress(*_UNSEEN):
        return process.memory_info().rss
    return 0


def _descriptors(process: psutil.Process) -> int:
    """Return the number of open descriptors, or handles on Windows, of a process."""
    if sys.platform == "win32":
        return process.num_handles()
    return process.num_fds()
