"""What this machine gives to this process, after affinity and cgroups. Runs in the parent.

CPUs and memory come from psutil, which costs the parent 8 ms of CPU time and 0.5 MiB to import; no
child imports this module. The limits of cgroups and of setrlimit(2) are read here: psutil does not
know the former, and knows the latter on Linux only.

Why not `os.cpu_count()`: in a container with half a CPU on a host of 64 it says 64, and 64 lanes
would compete for the half.
"""

import errno
import math
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

import psutil

from pdfingest.errors import ResourceError

if sys.platform != "win32":
    import resource

_CGROUP_ROOT = "/sys/fs/cgroup"
_MEMBERSHIP = "/proc/self/cgroup"
_NO_LIMIT_BYTES = 1 << 62
"""From here on, a number is no limit: version 1 of cgroups then says a little less than 2**63."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One of the limits that bind this process; the lowest of them counts."""

    value: float
    """In CPUs, bytes or processes, as the function that returns the bound says."""
    source: str
    """What sets it, in words for the user: `affinity`, `the machine`, or the folder of a cgroup."""


def available_cpus(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> int:
    """Return the number of CPUs that this process may use, at least 1; see `cpu_bounds`."""
    bounds = cpu_bounds(cgroup_root, membership)
    return max(1, math.ceil(min(bound.value for bound in bounds)))


def cpu_bounds(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> list[Bound]:
    """Return all limits on the CPUs of this process, in CPUs.

    Args:
        cgroup_root: where the cgroup file system is mounted (cgroups(7)).
        membership: the file that names the cgroups of this process.
    """
    folders = _folders("cpu", cgroup_root, membership)
    bounds = [Bound(_cpus(), "affinity"), *(Bound(_quota_of(each), each) for each in folders)]
    return [bound for bound in bounds if bound.value < math.inf]


def available_memory(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> int:
    """Return the bytes of memory for this process and its children; see `memory_bounds`."""
    return int(min(bound.value for bound in memory_bounds(cgroup_root, membership)))


def memory_bounds(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> list[Bound]:
    """Return all limits on the memory of this process and its children together, in bytes.

    Args:
        cgroup_root: where the cgroup file system is mounted (cgroups(7)).
        membership: the file that names the cgroups of this process.
    """
    folders = _folders("memory", cgroup_root, membership)
    bounds = [
        Bound(_memory_bytes(), "the machine"),
        *(Bound(_memory_limit_of(each), each) for each in folders),
    ]
    return [bound for bound in bounds if bound.value < _NO_LIMIT_BYTES]


def process_bounds(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> list[Bound]:
    """Return all limits on the number of processes and threads; none where nothing limits them.

    Args:
        cgroup_root: where the cgroup file system is mounted (cgroups(7)).
        membership: the file that names the cgroups of this process.
    """
    bounds: list[Bound] = []
    if sys.platform != "win32":
        soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
        if soft != resource.RLIM_INFINITY:
            bounds.append(Bound(soft, "ulimit -u, for all of the user"))
    for folder in _folders("pids", cgroup_root, membership):
        limit = _read(f"{folder}/pids.max").strip()
        if limit.isdecimal():
            bounds.append(Bound(int(limit), folder))
    return bounds


def descriptor_limits() -> tuple[int, int]:
    """Return the soft and the hard limit on the descriptors of this process.

    The soft limit is what it may have now, the hard limit what it may raise that to. Either is
    `sys.maxsize` where there is none.
    """
    if sys.platform == "win32":  # handles are bounded by memory alone
        return sys.maxsize, sys.maxsize
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (sys.maxsize if each == resource.RLIM_INFINITY else each for each in limits)
    return soft, hard


@contextmanager
def resources_told() -> Generator[None, None, None]:
    """Turn the system's refusal of a resource into an error that says what the user can do.

    Raises:
        ResourceError: in place of the error that says that no process, thread, descriptor or memory
            is left.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _SCARCE:
            raise
        raise ResourceError(f"{error.strerror}. {_SCARCE[error.errno]}") from error
    except RuntimeError as error:
        if "thread" not in str(error):  # Python gives no other sign that there is none left
            raise
        raise ResourceError(f"{error}. {_SCARCE[errno.EAGAIN]}") from error


_SCARCE = {
    errno.EAGAIN: "Use fewer --workers, or raise the limit on processes and threads (ulimit -u).",
    errno.ENOMEM: "Use fewer --workers, or a machine with more memory.",
    errno.EMFILE: "Use fewer --workers, or raise the limit on open files (ulimit -n).",
    errno.ENFILE: "The whole system has too many files open: end the programs that hold them.",
}


def _cpus() -> int:
    """Return the number of CPUs that the scheduler lets this process use."""
    with suppress(AttributeError, psutil.Error):  # macOS has no affinity, some chroots no /proc
        return len(psutil.Process().cpu_affinity())
    return psutil.cpu_count() or 1


def _memory_bytes() -> int:
    """Return the bytes of memory of the machine."""
    with suppress(OSError):  # some chroots have no /proc
        return psutil.virtual_memory().total
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _folders(controller: str, root: str, membership: str) -> Iterator[str]:
    """Yield the folders of this process's cgroup and of all cgroups above it."""
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = f"{root}/{controllers}" if controllers else root
        relative = PurePosixPath(path.lstrip("/"))
        for folder in (relative, *relative.parents):
            yield os.path.normpath(f"{base}/{folder}")


def _memory_limit_of(folder: str) -> int:
    """Return the memory limit of a cgroup in bytes; `sys.maxsize` where it has none.

    It is in `memory.max` of version 2 and in `memory.limit_in_bytes` of version 1 (cgroups(7)).
    """
    limit = _read(f"{folder}/memory.max").strip()
    limit = limit or _read(f"{folder}/memory.limit_in_bytes").strip()
    return sys.maxsize if limit in ("", "max") else int(limit)


def _quota_of(folder: str) -> float:
    """Return the quota of a cgroup in CPUs; infinity where it has none.

    It is in `cpu.max` of version 2 and in `cpu.cfs_*_us` of version 1 (cgroups(7)).
    """
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
