"""What this machine gives to this process: how many CPUs, after affinity and cgroup quota.

`os.cpu_count()` is not it: in a container with half a CPU on a host of 64 it says 64, and 64 lanes
would fight for the half.
"""

import math
import os
from pathlib import PurePosixPath

_CGROUP_ROOT = "/sys/fs/cgroup"


def available_cpus(cgroup_root: str = _CGROUP_ROOT, membership: str = "/proc/self/cgroup") -> int:
    """CPUs that this process may use, at least 1.

    Args:
        cgroup_root: where the cgroup file system is mounted (cgroups(7)).
        membership: the file that tells the cgroups of this process.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cpus = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, math.ceil(min(cpus, _cgroup_quota(cgroup_root, membership))))


def _cgroup_quota(root: str, membership: str) -> float:
    """The smallest CPU quota of this process's cgroup and those above it; infinity for none."""
    quota = math.inf
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        base = f"{root}/{controllers}" if controllers else root
        relative = PurePosixPath(path.lstrip("/"))
        for folder in (relative, *relative.parents):
            quota = min(quota, _quota_of(f"{base}/{folder}"))
    return quota


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
