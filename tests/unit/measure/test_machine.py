import os
from pathlib import Path

import pytest

from pdfingest.measure.machine import (
    Cgroups,
    available_cpus,
    available_memory,
    cpu_bounds,
    memory_bounds,
    process_bounds,
)

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
"""CPUs by the standard library, which the affinity by psutil must agree with."""


@pytest.fixture
def cgroup(tmp_path: Path) -> Path:
    (tmp_path / "self").write_text("0::/user/job\n")
    (tmp_path / "user" / "job").mkdir(parents=True)
    return tmp_path


def cgroups(folder: Path) -> Cgroups:
    return Cgroups(str(folder), str(folder / "self"))


def cpus(folder: Path) -> int:
    return available_cpus(cgroups(folder))


def test_without_a_quota_the_affinity_counts(cgroup: Path) -> None:
    (cgroup / "user" / "job" / "cpu.max").write_text("max 100000\n")
    assert cpus(cgroup) == HERE


def test_half_a_cpu_is_one_lane(cgroup: Path) -> None:
    (cgroup / "user" / "job" / "cpu.max").write_text("50000 100000\n")
    assert cpus(cgroup) == 1


def test_the_quota_of_a_group_above_counts_too(cgroup: Path) -> None:
    (cgroup / "user" / "job" / "cpu.max").write_text("max 100000\n")
    (cgroup / "user" / "cpu.max").write_text("100000 100000\n")
    assert cpus(cgroup) == 1


def test_version_1_of_cgroups_is_understood(cgroup: Path) -> None:
    (cgroup / "self").write_text("4:cpu,cpuacct:/job\n3:memory:/job\n")
    folder = cgroup / "cpu,cpuacct" / "job"
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("100000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")
    assert cpus(cgroup) == 1


def test_where_there_are_no_cgroups_the_affinity_counts(tmp_path: Path) -> None:
    assert available_cpus(Cgroups(str(tmp_path), str(tmp_path / "none"))) == HERE


def test_the_smallest_memory_limit_above_counts(cgroup: Path) -> None:
    (cgroup / "user" / "job" / "memory.max").write_text("max\n")
    (cgroup / "user" / "memory.max").write_text(f"{64 << 20}\n")
    assert available_memory(cgroups(cgroup)) == 64 << 20


def test_without_a_limit_the_memory_of_the_machine_counts(cgroup: Path) -> None:
    assert available_memory(cgroups(cgroup)) > 64 << 20


def test_what_bounds_the_machine_says_where_it_comes_from(cgroup: Path) -> None:
    job = cgroup / "user" / "job"
    (job / "cpu.max").write_text("50000 100000\n")
    (job.parent / "memory.max").write_text(f"{64 << 20}\n")
    (job / "pids.max").write_text("20\n")
    assert [(each.value, each.source) for each in cpu_bounds(cgroups(cgroup))] == [
        (HERE, "affinity"),
        (0.5, str(job)),
    ]
    assert [each.source for each in memory_bounds(cgroups(cgroup))] == [
        "the machine",
        str(job.parent),
    ]
    assert (20, str(job)) in [(each.value, each.source) for each in process_bounds(cgroups(cgroup))]


def test_a_limit_of_version_1_that_is_none_is_not_told(cgroup: Path) -> None:
    (cgroup / "self").write_text("3:memory:/job\n")
    (cgroup / "memory" / "job").mkdir(parents=True)
    (cgroup / "memory" / "job" / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert [each.source for each in memory_bounds(cgroups(cgroup))] == ["the machine"]
