"""What the processes of a run hold, through psutil. Runs in the parent.

Children never import this module, nor psutil: the table in `memory` has what that would cost.
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

    To find the descendants of a process, psutil reads an entry of every process of the machine. So
    one look in eight reads the whole tree; the others read the parent and its helpers alone, whose
    memory is all that the verdict on flatness goes by, and repeat the other figures. CPU time of a
    look with 8 lanes:

    | | machine with 110 processes | with 1,100 |
    |---|---|---|
    | whole tree | 7.5 ms | 25 ms |
    | parent and helpers | 0.1 ms | 0.1 ms |
    """

    def __init__(self) -> None:
        self._looks = 0
        self._seen = Sample(0)
        self._held: list[psutil.Process] = []
        """The parent, followed by its helpers."""

    def look(self) -> Sample:
        """Return what the processes hold now, without files and time."""
        # Interpreters keep up to 2,000 dead tuples of each length for reuse, until a collection: a
        # growth that ends, but at 1 KiB a file. The command line freezes what it has loaded, so
        # that this takes 0.3 ms.
        gc.collect()
        self._looks += 1
        sizes = [_resident(each) for each in self._held] if self._looks % _TREE_EVERY else []
        if sizes and all(sizes):
            parent_rss, helpers_rss = sizes[0], sum(sizes[1:])
            self._seen = replace(
                self._seen, parent_rss_bytes=parent_rss, helpers_rss_bytes=helpers_rss
            )
        else:  # one of them has ended, or it is time
            self._seen, self._held = _look_at_tree()
        return self._seen


def look() -> Sample:
    """Return what this process and all processes below it hold now, without files and time.

    Direct children count as helpers, and all processes below those as children. A process that ends
    while it is looked at counts as nothing.
    """
    return _look_at_tree()[0]


def _look_at_tree() -> tuple[Sample, list[psutil.Process]]:
    """Look at all processes; see `look`.

    Returns:
        What they hold, and the parent followed by its helpers.
    """
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
    """Return resident and proportional set of a process, in bytes.

    Only Linux has a proportional set, and does not show that of every process. Elsewhere the
    resident set stands in, although it counts shared pages once for each process.
    """
    try:
        info = process.memory_full_info()
        resident, proportional = info.rss, info.pss
    except (psutil.AccessDenied, AttributeError):
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
