"""One output directory: who holds it, and what happens when it cannot be written."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, environment, read_lines, wait_for


@pytest.fixture
def slow(faulty: Callable[..., Path], pdfs: Path, out: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A run that holds the output for some seconds."""
    faulty("a.pdf", fault="sleep", seconds=3)
    command = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(out)]
    process = subprocess.Popen([*command, "--engine", "faulty", "-q"], env=environment())
    lock = out / ".pdfingest" / "lock"
    wait_for(lambda: lock.exists() and lock.read_text())
    yield process
    process.kill()
    process.wait()


Slow = subprocess.Popen


def test_a_second_run_ends_at_once_and_says_who_holds_the_output(
    cli_here: Cli, slow: Any, pdfs: Path, out: Path
) -> None:
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty")
    assert slow.poll() is None
    assert done.returncode == 75
    assert f"in use by process {slow.pid} on " in done.stderr
    assert cli_here("compact", out).returncode == 75
    assert slow.wait(20) == 0


def test_a_second_run_waits_if_it_is_asked_to(
    cli_here: Cli, slow: Any, pdfs: Path, out: Path
) -> None:
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", "--wait", "30")
    assert (slow.wait(20), done.returncode) == (0, 0)
    assert [line["status"] for line in read_lines(out / "report.jsonl")] == ["ok"]
    assert json.loads((out / "summary.json").read_text())["unchanged"] == 1


def test_the_lock_of_a_killed_run_is_no_obstacle(
    cli_here: Cli, slow: Any, pdfs: Path, out: Path
) -> None:
    slow.kill()
    slow.wait()
    assert cli_here("run", pdfs, "-o", out, "--engine", "faulty", "--wait", "5").returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.name != "posix" or os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_run_that_filled_the_disk_completes_when_there_is_room(
    cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, tmp_path: Path, small_disk: Path
) -> None:
    for number in range(60):
        faulty(f"{number:02}.pdf", pages=2, text="x" * 10_000)
    out = small_disk / "out"
    args = ("run", pdfs, "--engine", "faulty", "-w", "2", "-q")
    done = cli_here(*args, "-o", out)
    assert done.returncode == 4
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    read_lines(out / "pages.jsonl")
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert cli_here(*args, "-o", out).returncode == 0
    calm = tmp_path / "calm"
    assert cli_here(*args, "-o", calm).returncode == 0
    for folder in (out, calm):
        assert cli_here("compact", folder).returncode == 0
    assert (out / "pages.jsonl").read_bytes() == (calm / "pages.jsonl").read_bytes()


def test_a_disk_that_turns_read_only_ends_the_run(
    cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, small_disk: Path
) -> None:
    faulty("a.pdf")
    out = small_disk / "out"
    assert cli_here("run", pdfs, "-o", out, "--engine", "faulty").returncode == 0
    before = (out / "pages.jsonl").read_bytes()
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    # The kernel frees a sandbox, and with it a deleted spool, some time after its process.
    wait_for(lambda: subprocess.run(remount, check=False).returncode == 0)
    faulty("b.pdf")
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty")
    assert done.returncode == 4
    assert "Read-only file system" in done.stderr
    assert (out / "pages.jsonl").read_bytes() == before


def test_a_disk_that_vanishes_ends_the_run(
    faulty: Callable[..., Path], pdfs: Path, small_disk: Path
) -> None:
    for number in range(6):
        faulty(f"{number}.pdf", fault="sleep", seconds=0.5)
    command = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(small_disk / "out")]
    process = subprocess.Popen(
        [*command, "--engine", "faulty", "-w", "1", "-q"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    report = small_disk / "out" / "report.jsonl"
    wait_for(lambda: report.exists() and report.stat().st_size)
    subprocess.run(["umount", "-l", str(small_disk)], check=True)
    with suppress(OSError):
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small_disk)], check=True
        )
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 4
    assert "pdfingest: cannot write" in stderr
    assert "Traceback" not in stderr
