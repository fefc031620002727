"""The memory of a whole run, seen from outside: by a sampler, and by the kernel of a cgroup."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import pytest

from conftest import CORPUS, environment, read_lines
from pdfingest.measure.machine import Cgroups

MIB = 1 << 20
EVERY_S = 0.05
"""How often the sampler looks."""
SLACK = 32 * MIB
"""RSS counts the image that children share with the zygote once for each of them, also for the
spare child that each lane keeps ready; and a child that ran out of memory gets 16 MiB to say so."""
ENDED_S = 100
"""No run here takes so long."""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS binds on Linux only")


@dataclass
class Seen:
    """What the sampler saw of a run; sizes are the highest RSS in bytes."""

    samples: int = 0
    parent: int = 0
    helpers: int = 0
    """Of the zygote."""
    children: int = 0
    """Of all below them together: the children that extract, and what these fork."""
    below: int = 0
    """Of all but the parent, at the same moment."""
    marked: set[int] = field(default_factory=set)
    """Processes that were found by their mark, which is how survivors are looked for."""

    def look(self, parent: psutil.Process) -> None:
        """One sample. A process that ends while it is looked at counts as nothing."""
        helpers = children = 0
        with suppress(psutil.Error):
            self.parent = max(self.parent, parent.memory_info().rss)
            for process in parent.children(recursive=True):
                with suppress(psutil.Error):
                    rss = process.memory_info().rss
                    if process.ppid() == parent.pid:
                        helpers += rss
                    else:
                        children += rss
        self.samples += 1
        self.helpers = max(self.helpers, helpers)
        self.children = max(self.children, children)
        self.below = max(self.below, helpers + children)

    def __str__(self) -> str:
        sizes = {name: getattr(self, name) // MIB for name in ("parent", "helpers", "children")}
        return f"{self.samples} samples, at most in MiB: {sizes}, below {self.below // MIB}"


@dataclass(frozen=True)
class Run:
    """A run that is over."""

    code: int
    seen: Seen
    report: dict[str, dict[str, Any]]
    """Report lines by source; no source has two."""
    pages: dict[str, list[int]]
    """Numbers of the pages that were written, by source."""


Watch = Callable[..., Run]


@pytest.fixture
def watch(tmp_path: Path, out: Path) -> Watch:
    """Start a run, look at it until it ends by itself, and see that nothing outlives it.

    A run whose children take twice what they may is ended, so that a broken limit fails this test
    and not the machine.
    """

    def run(*args: str | Path, budget: int, before: tuple[str, ...] = ()) -> Run:
        command = [*before, sys.executable, "-m", "pdfingest", "run", *map(str, args)]
        seen, said = Seen(), tmp_path / "said"
        with open(said, "wb") as file, subprocess.Popen(
            [*command, "-o", str(out), "--workers", "2"],
            env=environment(LANGUAGE=str(tmp_path)), stdout=file, stderr=file,
        ) as process:  # fmt: skip
            began, parent = time.monotonic(), psutil.Process(process.pid)
            while process.poll() is None:
                seen.look(parent)
                if seen.samples % 10 == 1:
                    seen.marked |= marked(tmp_path)
                if seen.children > 2 * budget or time.monotonic() - began > ENDED_S:
                    process.kill()
                    pytest.fail(f"ended after {time.monotonic() - began:.1f} s: {seen}")
                time.sleep(EVERY_S)
        print(f"{time.monotonic() - began:.1f} s, {seen}")
        assert "Traceback" not in said.read_text()
        assert len(seen.marked) > 3  # the parent, the zygote, and children
        wait_while(lambda: marked(tmp_path))
        assert marked(tmp_path) == set()
        return Run(process.returncode, seen, *outputs(out))

    return run


def outputs(out: Path) -> tuple[dict[str, dict[str, Any]], dict[str, list[int]]]:
    lines = read_lines(out / "report.jsonl")
    report = {line["source"]: line for line in lines}
    assert len(report) == len(lines)
    pages: dict[str, list[int]] = {}
    for record in read_lines(out / "pages.jsonl"):
        pages.setdefault(record["source"], []).append(record["metadata"]["page"])
    return report, pages


def marked(mark: Path) -> set[int]:
    """Living processes whose environment says that they work for the run of this test."""
    found = set()
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("LANGUAGE") == str(mark):
                found.add(process.pid)
    return found


def wait_while(condition: Callable[[], object]) -> None:
    """Give the zygote two seconds: its sign to end is the end of the parent."""
    deadline = time.monotonic() + 2
    while condition() and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.fixture
def hogs(faulty: Callable[..., Path]) -> list[str]:
    """Files of five pages whose third wants all memory there is, among good ones."""
    for number in range(6):
        faulty(f"good{number}.pdf", pages=2)
    names = {"hog.pdf": "hog", "hog_in_c0.pdf": "hog_in_c", "hog_in_c1.pdf": "hog_in_c"}
    for name, fault in names.items():
        faulty(name, pages=5, page=3, fault=fault)
    return list(names)


def assert_only_hogs_lost_a_page(run: Run, hogs: list[str]) -> None:
    assert run.code == 1
    for name in hogs:
        line = run.report.pop(name)
        assert (line["status"], line["failure"]) == ("partial", "memory_limit")
        assert line["failed_pages"] == [3]
        assert run.pages[name] == [1, 2, 4, 5]
    assert len(run.report) > len(hogs)
    for name, line in run.report.items():
        assert (line["status"], line["failure"]) == ("ok", "")
        assert run.pages[name] == list(range(1, line["pages"] + 1))


@linux_only
def test_children_that_want_all_memory_stay_within_the_budget_together(
    watch: Watch, faulty: Callable[..., Path], pdfs: Path, hogs: list[str]
) -> None:
    budget = 512 * MIB
    faulty("large.pdf", pages=2, fault="allocate", mib=300)  # more than its share of the budget
    run = watch(pdfs, "--engine", "faulty", "--memory-budget", "512M", budget=budget)
    seen = run.seen
    assert seen.below <= budget + seen.helpers + SLACK
    assert seen.samples > 30
    assert seen.children > budget // 2 + 100 * MIB  # half of it is the share of one child
    assert run.report["large.pdf"]["attempts"] == 2
    assert_only_hogs_lost_a_page(run, hogs)


def corpus() -> tuple[list[Path], int]:
    """Inputs and how many files they are: a part that takes some seconds, or the whole."""
    files = sorted(path for path in CORPUS.rglob("*") if path.suffix.lower() == ".pdf")
    if os.environ.get("PDFINGEST_TEST_WHOLE_CORPUS"):
        return [CORPUS], len(files)
    hostile = [path for path in files if path.is_relative_to(CORPUS / "hostile")]
    others = [path for path in files if not path.is_relative_to(CORPUS / "hostile")]
    part = hostile[::2] + others[::10]
    return part, len(part)


@linux_only
@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason=f"{CORPUS} is not there")
def test_real_and_hostile_files_end_within_time_and_budget(watch: Watch) -> None:
    """PDFINGEST_TEST_WHOLE_CORPUS=1 takes every file of the corpus."""
    inputs, files = corpus()
    budget = 4096 * MIB
    limits = ("--timeout", "20", "--page-timeout", "10", "--memory-budget", "4G")
    run = watch(*inputs, *limits, budget=budget)
    seen = run.seen
    assert run.code == 1
    assert len(run.report) == files
    assert [line for line in run.report.values() if line["failure"] == "engine_error"] == []
    assert seen.below <= budget
    assert seen.samples > 30
    assert seen.children > 100 * MIB
    assert max(line["wall_s"] for line in run.report.values()) < 25


@dataclass(frozen=True)
class Group:
    """A cgroup with a memory limit, and what its version calls things."""

    folder: Path
    peak_file: str
    events_file: str

    @property
    def peak(self) -> int:
        return int((self.folder / self.peak_file).read_text())

    @property
    def oom_kills(self) -> int:
        lines = (self.folder / self.events_file).read_text().splitlines()
        return int(dict(line.split() for line in lines)["oom_kill"])


GROUP_LIMIT = 512 * MIB


def limited(folder: Path) -> Group | None:
    """Limit a new cgroup; None where the memory controller does not reach it."""
    if (folder / "memory.limit_in_bytes").exists():  # version 1
        (folder / "memory.limit_in_bytes").write_text(str(GROUP_LIMIT))
        swap, most = folder / "memory.memsw.limit_in_bytes", GROUP_LIMIT
        group = Group(folder, "memory.max_usage_in_bytes", "memory.oom_control")
    elif (folder / "memory.peak").exists():  # version 2, of Linux 5.19 or newer
        (folder / "memory.max").write_text(str(GROUP_LIMIT))
        swap, most = folder / "memory.swap.max", 0
        group = Group(folder, "memory.peak", "memory.events")
    else:
        return None
    if swap.exists():
        swap.write_text(str(most))
    return group


@pytest.fixture
def group() -> Iterator[Group]:
    """A cgroup of 512 MiB, in the one of this process, or beside it where version 2 demands that:
    a cgroup that holds processes cannot hand out memory to cgroups below it (cgroups(7))."""
    for folder in map(Path, islice(Cgroups().folders("memory"), 2)):
        made = folder / f"pdfingest-test-{os.getpid()}"
        if not (folder / "cgroup.procs").exists():
            continue
        try:
            made.mkdir()
        except OSError:
            continue
        try:
            if group := limited(made):
                yield group
                return
        finally:
            wait_while((made / "cgroup.procs").read_text)
            made.rmdir()
    pytest.skip("no cgroup with a memory limit can be made here: it takes root, or delegation")


def test_a_run_in_a_small_container_does_not_meet_the_killer_of_the_kernel(
    watch: Watch, group: Group, pdfs: Path, hogs: list[str]
) -> None:
    """Nobody names a budget: it is three quarters of what the cgroup allows."""
    enter = ("sh", "-c", 'echo $$ > "$0"/cgroup.procs && exec "$@"', str(group.folder))
    budget = GROUP_LIMIT * 3 // 4
    run = watch(pdfs, "--engine", "faulty", budget=GROUP_LIMIT, before=enter)
    assert group.oom_kills == 0
    assert budget // 2 < group.peak < GROUP_LIMIT
    for name in hogs:  # at the last try, they get more than their share
        assert budget // 2 < run.report[name]["peak_rss_bytes"] <= budget
    assert_only_hogs_lost_a_page(run, hogs)
