"""Peaks and sizes of resident memory, each with the method that read it. Only user of psutil.

Why not `ru_maxrss` on Linux: it survives `exec`, so a spawned child of a large parent reports its
parent (getrusage(2) says so under NOTES; CPython spawns with fork and exec). `VmHWM` of
/proc/self/status (proc(5)) belongs to the memory map itself. In a fresh fork it starts at the
resident set of the image it was forked from, hence the baseline that stands beside every peak.
"""

import mmap
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from pdfingest.model import Peak

if TYPE_CHECKING:
    from pdfingest.measure.flatness import Sample

_KIB = 1024
_PAGE_BYTES = mmap.PAGESIZE
_STATUS_BYTES = 1 << 16

_Read: TypeAlias = Callable[[], tuple[int, int, str]]
"""Gives resident set, peak, and the method."""


class PeakMeter:
    """Measures one job. Runs in the child; make it before the sandbox, which closes /proc."""

    def __init__(self) -> None:
        self._read = _meter()
        self._baseline_bytes = 0

    def start(self) -> None:
        """Take the baseline; call it last, before the file is touched."""
        self._baseline_bytes = self._read()[0]

    def read(self) -> Peak:
        """The peak so far."""
        _, peak_bytes, method = self._read()
        return Peak(peak_bytes, self._baseline_bytes, method)

    def resident_bytes(self) -> int:
        """The resident set now."""
        return self._read()[0]


def peak_of(pid: int) -> int:
    """Peak resident set of a living process, in bytes; 0 where that cannot be read."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            return _field(file.read(), b"\nVmHWM:")
    except (OSError, ValueError):
        return 0


def resident_bytes(pid: int) -> int:
    """Resident set of a living process, in bytes; 0 where that cannot be read."""
    return _rss(f"{pid}")


def oom_kills() -> int:
    """Processes that the kernel has killed for want of memory (/proc/vmstat); 0 if not told."""
    try:
        with open("/proc/vmstat", "rb") as file:
            return int(file.read().partition(b"\noom_kill ")[2].split(b"\n", 1)[0] or 0)
    except OSError:
        return 0


def look() -> "Sample":
    """Look at this process and all below it. Runs in the parent.

    A process that ends while it is looked at counts as nothing.
    """
    from pdfingest.measure.flatness import Sample  # noqa: PLC0415 - its arithmetic is 1 MiB of every child

    if sys.platform != "linux":
        import psutil  # noqa: PLC0415 - 50 ms of CPU that Linux does not pay

        parent = psutil.Process()
        below = len(parent.children(recursive=True))
        return Sample(parent.memory_info().rss, threads=parent.num_threads(), children=below)
    helpers = list(_below("self"))
    children = [child for helper in helpers for child in _below(helper)]
    return Sample(
        parent_rss_bytes=_rss("self"),
        helpers_rss_bytes=sum(map(_rss, helpers)),
        tree_pss_bytes=sum(map(_pss, ["self", *helpers, *children])),
        descriptors=_count("/proc/self/fd"),
        threads=_count("/proc/self/task"),
        children=len(children),
    )


def _count(folder: str) -> int:
    """Number of entries of a directory of /proc; 0 where that cannot be read."""
    with suppress(OSError):
        return len(os.listdir(folder))
    return 0


def _below(pid: str) -> Iterator[str]:
    """Direct children of a process, by proc(5), /proc/pid/task/tid/children."""
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children") as file:
                yield from file.read().split()


def _rss(pid: str) -> int:
    """Resident set of a process; 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _pss(pid: str) -> int:
    """Proportional set of a process; 0 if it is gone or not ours to see."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb", buffering=0) as file:
            return _field(file.read(), b"\nPss:")
    except (OSError, ValueError):
        return 0


def _linux() -> _Read:
    """VmRSS and VmHWM of this process, by proc(5) in KiB.

    The file stays open, for in its sandbox a child could not open it again. Without /proc, as in
    some chroots, getrusage(2) must do.
    """
    try:
        file = os.open("/proc/self/status", os.O_RDONLY)
    except OSError:
        return _rusage

    def read() -> tuple[int, int, str]:
        status = os.pread(file, _STATUS_BYTES, 0)
        return _field(status, b"\nVmRSS:"), _field(status, b"\nVmHWM:"), "VmHWM"

    return read


def _field(status: bytes, name: bytes) -> int:
    """One field of /proc/self/status in bytes."""
    start = status.index(name) + len(name)
    return int(status[start : status.index(b"kB", start)]) * _KIB


def _rusage() -> tuple[int, int, str]:
    """Peak by getrusage(2), which Linux gives in KiB and with the past of the process."""
    import resource  # noqa: PLC0415 - absent on Windows

    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return peak_bytes, peak_bytes, "ru_maxrss"


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
