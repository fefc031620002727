"""Peaks and sizes of resident memory, each with the method that read it. Only user of psutil.

Why not `ru_maxrss` on Linux: it survives `exec`, so a spawned child of a large parent reports its
parent (getrusage(2) says so under NOTES; CPython spawns with fork and exec). `VmHWM` of
/proc/self/status (proc(5)) belongs to the memory map itself. In a fresh fork it starts at the
resident set of the image it was forked from, hence the baseline that stands beside every peak.
"""

import os
import sys
from collections.abc import Callable
from typing import TypeAlias

from pdfingest.model import Peak

_KIB = 1024
_STATUS_BYTES = 1 << 16

_Read: TypeAlias = Callable[[], tuple[int, int, str]]
"""Gives resident set, peak, and the method."""


class PeakMeter:
    """Measures one job. Runs in the child; make it first thing, before the file is touched."""

    def __init__(self) -> None:
        self._read = _meter()
        self._baseline_bytes = self._read()[0]

    def read(self) -> Peak:
        """The peak so far."""
        _, peak_bytes, method = self._read()
        return Peak(peak_bytes, self._baseline_bytes, method)


def peak_of(pid: int) -> int:
    """Peak resident set of a living process, in bytes; 0 where that cannot be read."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            return _field(file.read(), b"\nVmHWM:")
    except (OSError, ValueError):
        return 0


def oom_kills() -> int:
    """Processes that the kernel has killed for want of memory (/proc/vmstat); 0 if not told."""
    try:
        with open("/proc/vmstat", "rb") as file:
            return int(file.read().partition(b"\noom_kill ")[2].split(b"\n", 1)[0] or 0)
    except OSError:
        return 0


def tree_rss_bytes() -> int:
    """Resident memory of this process and all below it, pages that they share counted each time.

    Runs in the parent. A process that ends while it is looked at counts as nothing.
    """
    import psutil  # noqa: PLC0415 - 50 ms of CPU that a run without a display does not pay

    total = 0
    parent = psutil.Process()
    for process in (parent, *parent.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _linux() -> _Read:
    """VmRSS and VmHWM of this process, by proc(5) in KiB.

    The file stays open, for in its sandbox a child could not open it again.
    """
    file = os.open("/proc/self/status", os.O_RDONLY)

    def read() -> tuple[int, int, str]:
        status = os.pread(file, _STATUS_BYTES, 0)
        return _field(status, b"\nVmRSS:"), _field(status, b"\nVmHWM:"), "VmHWM"

    return read


def _field(status: bytes, name: bytes) -> int:
    """One field of /proc/self/status in bytes."""
    start = status.index(name) + len(name)
    return int(status[start : status.index(b"kB", start)]) * _KIB


def _darwin() -> tuple[int, int, str]:
    """Resident set by psutil; peak by getrusage(2), which macOS gives in bytes."""
    import resource  # noqa: PLC0415 - absent on Windows

    import psutil  # noqa: PLC0415 - as above

    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return psutil.Process().memory_info().rss, peak_bytes, "ru_maxrss"


def _windows() -> tuple[int, int, str]:
    """Working set and peak working set (PROCESS_MEMORY_COUNTERS)."""
    import psutil  # noqa: PLC0415 - as above

    info = psutil.Process().memory_info()
    return info.rss, int(getattr(info, "peak_wset", 0)), "PeakWorkingSetSize"


_METERS: dict[str, Callable[[], _Read]] = {"darwin": lambda: _darwin, "win32": lambda: _windows}
_meter = _METERS.get(sys.platform, _linux)
