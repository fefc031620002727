"""What a look at the processes of a run sees, and that nothing they do makes it fail."""

import mmap
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from conftest import wait_for
from pdfingest.measure.processes import Processes, look

MIB = 1 << 20
HELPER = "import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
CHURN = """
import os
while True:
    for _ in range(4):
        if os.fork() == 0:
            os._exit(0)
    os.wait(), os.wait(), os.wait(), os.wait()
"""
BUSY = """
import os, resource
from pdfingest.measure.processes import look
seen = look()
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        os.open(os.devnull, os.O_RDONLY)
except OSError:
    pass
assert look().parent_rss_bytes in (0, seen.parent_rss_bytes)
"""


@contextmanager
def helper(child: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A child of this process that has a child of its own, which does something."""
    with subprocess.Popen([sys.executable, "-c", HELPER.format(child=child)]) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    for each in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            each.kill()
    process.kill()
    process.wait()


def wait_for_child(before: int) -> None:
    wait_for(lambda: look().children != before)


def test_a_look_tells_the_parent_from_its_helpers_and_their_children() -> None:
    before = look()
    with helper("import time; time.sleep(60)"):
        wait_for_child(before.children)
        seen = look()
    assert seen.children == before.children + 1
    assert seen.helpers_rss_bytes > before.helpers_rss_bytes + 5 * MIB
    assert seen.parent_rss_bytes > 10 * MIB
    assert seen.tree_pss_bytes > before.tree_pss_bytes + 2 * MIB
    assert seen.descriptors > 3
    assert seen.threads >= 1


def test_a_look_sees_what_the_parent_takes() -> None:
    before = look().parent_rss_bytes
    with mmap.mmap(-1, 20 * MIB) as block:  # what malloc gives may have been resident already
        for at in range(0, len(block), mmap.PAGESIZE):
            block[at] = 1
        assert abs(look().parent_rss_bytes - before - len(block)) < MIB


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_processes_that_end_while_they_are_looked_at_count_as_nothing() -> None:
    before = look()
    with helper(CHURN):
        wait_for_child(before.children)
        seen = [look() for _ in range(100)]
    assert {each.children - before.children for each in seen} <= set(range(1, 6))
    assert min(each.helpers_rss_bytes for each in seen) > before.helpers_rss_bytes + 5 * MIB


def fails(error: Exception, *, on: Callable[[psutil.Process], bool]) -> Callable[..., object]:
    """A `memory_full_info` that raises for some processes."""
    real = psutil.Process.memory_full_info

    def read(process: psutil.Process, **options: bool) -> object:
        if on(process):
            raise error
        return real(process, **options)

    return read


@pytest.mark.parametrize("error", [psutil.NoSuchProcess(1), psutil.ZombieProcess(1)])
def test_a_helper_that_has_just_ended_counts_as_nothing(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    before = look()
    with helper("import time; time.sleep(60)") as process:
        wait_for_child(before.children)
        info = fails(error, on=lambda each: each.pid == process.pid)
        monkeypatch.setattr(psutil.Process, "memory_full_info", info)
        seen = look()
    assert seen.children == before.children + 1
    assert seen.helpers_rss_bytes == before.helpers_rss_bytes


def test_where_the_tree_may_not_be_read_the_parent_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = fails(psutil.AccessDenied(1), on=lambda _: True)
    monkeypatch.setattr(psutil.Process, "children", denied)
    seen = look()
    assert (seen.children, seen.helpers_rss_bytes) == (0, 0)
    assert seen.parent_rss_bytes > 10 * MIB
    assert seen.descriptors > 3


def test_where_shared_pages_may_not_be_counted_the_resident_set_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = look()
    denied = fails(psutil.AccessDenied(1), on=lambda _: True)
    monkeypatch.setattr(psutil.Process, "memory_full_info", denied)
    with helper("import time; time.sleep(60)"):
        wait_for_child(before.children)
        seen = look()
    assert seen.tree_pss_bytes > seen.held_bytes > 10 * MIB


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on descriptors")
def test_a_process_without_a_descriptor_left_can_look() -> None:
    subprocess.run([sys.executable, "-c", BUSY], check=True, timeout=60)


def test_a_later_look_sees_what_parent_and_helpers_hold() -> None:
    before = look()
    with helper("import time; time.sleep(60)") as process:
        wait_for_child(before.children)
        processes = Processes()
        whole = processes.look()
        with mmap.mmap(-1, 20 * MIB) as block:
            block.write(bytes(20 * MIB))
            later = processes.look()
        assert later.parent_rss_bytes > whole.parent_rss_bytes + 19 * MIB
        assert later.helpers_rss_bytes == whole.helpers_rss_bytes > 5 * MIB
        assert later.children == whole.children == before.children + 1
        end(process)
        assert processes.look().children == before.children, "a helper has ended"


def test_children_that_come_and_go_are_seen_soon() -> None:
    processes = Processes()
    before = processes.look()
    with helper("import time; time.sleep(60)"):
        wait_for_child(before.children)
        seen = [processes.look().children for _ in range(8)]
    assert before.children + 1 in seen
