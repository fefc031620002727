"""What this machine gives to this process, and what it says where there is no more.

CPUs, memory and the like are those after affinity and cgroups.

`os.cpu_count()` is not it: in a container with half a CPU on a host of 64 it says 64, and 64 lanes
would fight for the half.
"""

import errno
import math
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath

from pdfingest.errors import ResourceError

if sys.platform != "win32":
    import resource

_CGROUP_ROOT = "/sys/fs/cgroup"
_MEMBERSHIP = "/proc/self/cgroup"
_NO_LIMIT_BYTES = 1 << 62
"""Version 1 of cgroups says a little less than 2**63 where there is no limit."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit that something puts on this process."""

    value: float
    source: str
    """What sets it: `affinity`, or the folder of a cgroup."""


def available_cpus(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> int:
    """CPUs that this process may use, at least 1; see `cpu_bounds`."""
    bounds = cpu_bounds(cgroup_root, membership)
    return max(1, math.ceil(min(bound.value for bound in bounds)))


def cpu_bounds(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> list[Bound]:
    """Collect what bounds the CPUs of this process, in CPUs.

    Args:
        cgroup_root: where the cgroup file system is mounted (cgroups(7)).
        membership: the file that tells the cgroups of this process.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    bounds = [Bound(len(affinity(0)) if affinity else os.cpu_count() or 1, "affinity")]
    bounds += [
        Bound(_quota_of(folder), folder) for folder in _folders("cpu", cgroup_root, membership)
    ]
    return [bound for bound in bounds if bound.value < math.inf]


def available_memory(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> int:
    """Bytes of memory that this process and its children may use; see `memory_bounds`."""
    return int(min(bound.value for bound in memory_bounds(cgroup_root, membership)))


def memory_bounds(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> list[Bound]:
    """Collect what bounds the memory of this process and its children, in bytes.

    Args:
        cgroup_root: where the cgroup file system is mounted (cgroups(7)).
        membership: the file that tells the cgroups of this process.
    """
    bounds = [Bound(_physical_memory(), "the machine")]
    bounds += [
        Bound(_memory_limit_of(folder), folder)
        for folder in _folders("memory", cgroup_root, membership)
    ]
    return [bound for bound in bounds if bound.value < _NO_LIMIT_BYTES]


def process_bounds(cgroup_root: str = _CGROUP_ROOT, membership: str = _MEMBERSHIP) -> list[Bound]:
    """Collect what bounds the processes and threads that there may be; empty where nothing does.

    Args:
        cgroup_root: where the cgroup file system is mounted (cgroups(7)).
        membership: the file that tells the cgroups of this process.
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
    """How many descriptors this process may have, and how many it may allow itself."""
    if sys.platform == "win32":  # handles are bounded by memory alone
        return sys.maxsize, sys.maxsize
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (sys.maxsize if each == resource.RLIM_INFINITY else each for each in limits)
    return soft, hard


@contextmanager
def resources_told() -> Generator[None, None, None]:
    """Turn what the system refuses to give into what the user can do.

    Raises:
        ResourceError: in place of the error of a process, a thread, a descriptor or memory that
            cannot be had.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _SCARCE:
            raise
        raise ResourceError(f"{error.strerror}. {_SCARCE[error.errno]}") from error
    except RuntimeError as error:
        if "thread" not in str(error):  # the only sign that Python gives
            raise
        raise ResourceError(f"{error}. {_SCARCE[errno.EAGAIN]}") from error


_SCARCE = {
    errno.EAGAIN: "Use fewer --workers, or raise the limit on processes and threads (ulimit -u).",
    errno.ENOMEM: "Use fewer --workers, or a machine with more memory.",
    errno.EMFILE: "Use fewer --workers, or raise the limit on open files (ulimit -n).",
    errno.ENFILE: "The whole system has too many files open: end what holds them.",
}


def _physical_memory() -> int:
    """Bytes of memory of the machine."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf: a modest guess
        return 4 << 30


def _folders(controller: str, root: str, membership: str) -> Iterator[str]:
    """The folders of this process's cgroup and of those above it."""
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = f"{root}/{controllers}" if controllers else root
        relative = PurePosixPath(path.lstrip("/"))
        for folder in (relative, *relative.parents):
            yield os.path.normpath(f"{base}/{folder}")


def _memory_limit_of(folder: str) -> int:
    """Limit of one cgroup in bytes: `memory.max` of version 2, `limit_in_bytes` of version 1."""
    limit = _read(f"{folder}/memory.max").strip()
    limit = limit or _read(f"{folder}/memory.limit_in_bytes").strip()
    return sys.maxsize if limit in ("", "max") else int(limit)


def _quota_of(folder: str) -> float:
    """Quota of one cgroup in CPUs: `cpu.max` of version 2, `cpu.cfs_*_us` of version 1."""
    limit, _, period = _read(f"{folder}/cpu.max").strip().partition(" ")
    if not limit:
        limit = _read(f"{folder}/cpu.cfs_quota_us").strip()
        period = _read(f"{folder}/cpu.cfs_period_us").strip()
    if limit in ("", "max", "-1"):
        return math.inf
    return int(limit) / int(period or 100_000)


def _read(path: str) -> str:
    """The text of a kernel file; empty where there is none."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
