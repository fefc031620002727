"""What this machine gives to this process, after affinity and cgroups. Runs in the parent.

CPUs and memory come from psutil, whose import costs the parent 8 ms of CPU time and 0.5 MiB. The
limits of cgroups and of setrlimit(2) it does not know, or on Linux only; they are read here.

Why not `os.cpu_count()`: in a container with half a CPU on a host of 64 it says 64, and 64 lanes
would compete for the half.
"""

import math
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import NamedTuple

import psutil

if sys.platform != "win32":
    import resource

_NO_LIMIT_BYTES = 1 << 62
"""From here on, a number is no limit: version 1 of cgroups then says a little less than 2**63."""


class Bound(NamedTuple):
    """One of the limits that bind this process; the lowest of them counts."""

    value: float
    """In CPUs, bytes or processes, as the function that returns the bound says."""
    source: str
    """What sets it, in words for the user: `affinity`, `the machine`, or the folder of a cgroup."""


class Cgroups(NamedTuple):
    """The cgroups of this process (cgroups(7))."""

    root: str = "/sys/fs/cgroup"
    """Where the cgroup file system is mounted."""
    membership: str = "/proc/self/cgroup"
    """The file that names the cgroups of this process."""

    def folders(self, controller: str) -> Iterator[str]:
        """Yield the folder of the cgroup that has a controller, and those of all cgroups above."""
        for line in _read(self.membership).splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and controller not in controllers.split(","):
                continue
            base = f"{self.root}/{controllers}" if controllers else self.root
            relative = PurePosixPath(path.lstrip("/"))
            for folder in (relative, *relative.parents):
                yield os.path.normpath(f"{base}/{folder}")


_OURS = Cgroups()


def available_cpus(cgroups: Cgroups = _OURS) -> int:
    """Return the number of CPUs that this process may use, at least 1."""
    return max(1, math.ceil(min(bound.value for bound in cpu_bounds(cgroups))))


def cpu_bounds(cgroups: Cgroups = _OURS) -> list[Bound]:
    """Return all limits on the CPUs of this process, in CPUs."""
    quotas = [Bound(_quota_of(folder), folder) for folder in cgroups.folders("cpu")]
    return [Bound(_cpus(), "affinity"), *(each for each in quotas if each.value < math.inf)]


def available_memory(cgroups: Cgroups = _OURS) -> int:
    """Return the bytes of memory that this process and its children may use together."""
    return int(min(bound.value for bound in memory_bounds(cgroups)))


def memory_bounds(cgroups: Cgroups = _OURS) -> list[Bound]:
    """Return all limits on the memory of this process and its children together, in bytes."""
    limits = [Bound(_memory_limit_of(folder), folder) for folder in cgroups.folders("memory")]
    given = (each for each in limits if each.value < _NO_LIMIT_BYTES)
    return [Bound(_memory_bytes(), "the machine"), *given]


def process_bounds(cgroups: Cgroups = _OURS) -> list[Bound]:
    """Return all limits on the number of processes and threads; none where nothing limits them."""
    bounds: list[Bound] = []
    if sys.platform != "win32":
        soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
        if soft != resource.RLIM_INFINITY:
            bounds.append(Bound(soft, "ulimit -u, for all of the user"))
    for folder in cgroups.folders("pids"):
        limit = _read(f"{folder}/pids.max").strip()
        if limit.isdecimal():
            bounds.append(Bound(int(limit), folder))
    return bounds


def load() -> float:
    """Return the load of the machine in the last minute: processes that run or wait for a CPU."""
    return psutil.getloadavg()[0]


def descriptor_limits() -> tuple[int, int]:
    """Return how many descriptors this process may have now, and how many it may allow itself."""
    if sys.platform == "win32":  # handles are bounded by memory alone
        return sys.maxsize, sys.maxsize
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (sys.maxsize if each == resource.RLIM_INFINITY else each for each in limits)
    return soft, hard


def _cpus() -> int:
    """Return the number of CPUs that the scheduler lets this process use."""
    with suppress(AttributeError, psutil.Error):  # macOS has no affinity, some chroots no /proc
        return len(psutil.Process().cpu_affinity())
    return psutil.cpu_count() or 1


def _memory_bytes() -> int:
    with suppress(OSError):  # some chroots have no /proc
        return psutil.virtual_memory().total
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _memory_limit_of(folder: str) -> int:
    """Return the memory limit of a cgroup, of version 2 or 1, in bytes; `sys.maxsize` for none."""
    limit = _read(f"{folder}/memory.max").strip()
    limit = limit or _read(f"{folder}/memory.limit_in_bytes").strip()
    return sys.maxsize if limit in ("", "max") else int(limit)


def _quota_of(folder: str) -> float:
    """Return the quota of a cgroup, of version 2 or 1, in CPUs; infinity for none."""
    limit, _, period = _read(f"{folder}/cpu.max").strip().partition(" ")
    if not limit:
        limit = _read(f"{folder}/cpu.cfs_quota_us").strip()
        period = _read(f"{folder}/cpu.cfs_period_us").strip()
    if limit in ("", "max", "-1"):
        return math.inf
    return int(limit) / int(period or 100_000)


def _read(path: str) -> str:
    """Return the text of a kernel file, or nothing where it cannot be read."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
