"""Peaks and sizes of resident memory, read on the path of each file. Runs in parent and child.

On Linux it reads /proc by hand, where `processes` and `machine` read through psutil. Importing that
would cost the image of the children 16 ms of CPU time, and 1.2 MiB in the peak of each. It does not
read VmHWM, the peak, which takes 9 us in the child and 18 us from outside. And it takes 34 us for a
resident set, which is read once for each file, where 10 us do by hand.

Why not `ru_maxrss` on Linux: it survives `exec`, so a spawned child of a large parent reports its
parent (getrusage(2) says so under NOTES; CPython spawns with fork and exec). `VmHWM` of
/proc/self/status (proc(5)) belongs to the memory map itself. In a fresh fork it starts at the
resident set of the image it was forked from, hence the baseline that stands beside every peak.
"""

import mmap
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from pdfingest.outcome import Peak

if sys.platform != "linux":
    import psutil
if sys.platform != "win32":
    import resource

_KIB = 1024
_STATUS_BYTES = 1 << 16

_Reading: TypeAlias = tuple[int, int, str]
"""Resident set and its peak, in bytes, and the method that read the peak."""


class PeakMeter:
    """Measure the resident memory of this process during one job. Runs in the child.

    Create it before the sandbox is entered, for nothing can open /proc from within.

    Args:
        is_private: whether to tell also what it does not share with its image.
    """

    def __init__(self, *, is_private: bool = False) -> None:
        self._read = _meter()
        self._baseline_bytes = 0
        self._rollup: int | None = None
        if is_private:
            with suppress(OSError):
                self._rollup = os.open("/proc/self/smaps_rollup", os.O_RDONLY)

    def start(self) -> None:
        """Take the baseline. Call this last, before the file is touched."""
        self._baseline_bytes = self._read()[0]

    def read(self) -> Peak:
        """Return the peak so far, together with the baseline."""
        _, peak_bytes, method = self._read()
        private = 0
        if self._rollup is not None:
            private = _private(os.pread(self._rollup, _STATUS_BYTES, 0))
        return Peak(peak_bytes, self._baseline_bytes, method, private)

    def resident_bytes(self) -> int:
        """Return the current resident set in bytes."""
        return self._read()[0]


def peak_of(pid: int) -> int:
    """Return the peak resident set of a living process in bytes, or 0 where it cannot be read."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            return _field(file.read(), b"\nVmHWM:")
    except (OSError, ValueError):
        return 0


def resident_bytes(pid: int) -> int:
    """Return the resident set of a living process in bytes, or 0 where it cannot be read."""
    return _size(pid, 1)


def address_bytes(pid: int) -> int:
    """Return the address space of a living process in bytes, or 0 where it cannot be read."""
    return _size(pid, 0)


def _size(pid: int, place: int) -> int:
    """Return one of the sizes in /proc/PID/statm, which is in pages (proc(5)), in bytes."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
            return int(file.read().split()[place]) * mmap.PAGESIZE
    except OSError:
        return 0


def private_bytes(pid: int) -> int:
    """Return what a living process holds that no other shares, or 0 where it cannot be read.

    The kernel looks at each page for it, which takes some ms for each GiB.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            return _private(file.read())
    except (OSError, ValueError):
        return 0


def _private(rollup: bytes) -> int:
    return _field(rollup, b"\nPrivate_Clean:") + _field(rollup, b"\nPrivate_Dirty:")


def oom_kills() -> int:
    """Return how many processes the kernel has killed for lack of memory; 0 if it does not say."""
    try:  # psutil does not read this
        with open("/proc/vmstat", "rb") as file:
            return int(file.read().partition(b"\noom_kill ")[2].split(b"\n", 1)[0] or 0)
    except OSError:
        return 0


def _meter() -> Callable[[], _Reading]:
    if sys.platform == "linux":
        with suppress(OSError):  # some chroots have no /proc
            # The file stays open, as a child could not open it again in its sandbox.
            file = os.open("/proc/self/status", os.O_RDONLY)
            return lambda: _read_status(file)
    return _ask_system


def _read_status(file: int) -> _Reading:
    status = os.pread(file, _STATUS_BYTES, 0)
    return _field(status, b"\nVmRSS:"), _field(status, b"\nVmHWM:"), "VmHWM"


def _field(status: bytes, name: bytes) -> int:
    """Return one field of /proc/PID/status, which is in KiB (proc(5)), in bytes."""
    start = status.index(name) + len(name)
    return int(status[start : status.index(b"kB", start)]) * _KIB


def _ask_system() -> _Reading:
    """Read the peak where there is no /proc; the resident set too, except on Linux."""
    if sys.platform == "win32":
        info = psutil.Process().memory_info()
        return info.rss, info.peak_wset, "PeakWorkingSetSize"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":  # whose getrusage(2) counts bytes, not KiB
        return psutil.Process().memory_info().rss, peak, "ru_maxrss"
    return peak * _KIB, peak * _KIB, "ru_maxrss"
