"""Too little of what a run takes from the machine: it makes do, or says what is missing."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, environment, in_a_place_where, make_pdf, read_lines

resource = pytest.importorskip("resource")

Make = Callable[..., Path]


def limited(name: str, soft: int, hard: int) -> Callable[[], None]:
    """What `ulimit` does, before the program begins."""
    return lambda: resource.setrlimit(getattr(resource, name), (soft, hard))


def test_more_lanes_than_the_usual_limit_on_descriptors_has_room_for(
    cli: Cli, faulty: Make, pdfs: Path, out: Path
) -> None:
    for number in range(120):
        faulty(f"{number}.pdf")
    done = cli(
        *("run", pdfs, "-o", out, "--engine", "faulty", "-w", "100", "--memory-budget", "100G"),
        preexec_fn=limited("RLIMIT_NOFILE", 1024, 8192),
    )
    assert (done.returncode, done.stderr.count("internal error")) == (0, 0)
    assert len(read_lines(out / "report.jsonl")) == 120


def test_lanes_that_no_limit_gives_room_for_are_refused_with_the_sum(
    cli: Cli, pdfs: Path, out: Path
) -> None:
    make_pdf(pdfs / "a.pdf")
    done = cli(
        *("run", pdfs, "-o", out, "-w", "100", "--memory-budget", "100G"),
        preexec_fn=limited("RLIMIT_NOFILE", 1024, 1024),
    )
    assert done.returncode == 4
    assert "Use at most 61 --workers, or raise the limit: ulimit -n." in done.stderr
    done = cli(
        *("run", pdfs, "-o", out, "-w", "61", "--memory-budget", "100G"),
        preexec_fn=limited("RLIMIT_NOFILE", 1024, 1024),
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("descriptors", [6, 8, 12, 20, 32, 56])
def test_too_few_descriptors_for_any_run_are_the_environments_fault(
    cli: Cli, pdfs: Path, out: Path, descriptors: int
) -> None:
    make_pdf(pdfs / "a.pdf")
    done = cli("run", pdfs, "-o", out, preexec_fn=limited("RLIMIT_NOFILE", *[descriptors] * 2))
    assert done.returncode == (0 if descriptors >= 56 else 4), done.stderr
    if done.returncode:
        *_, line = done.stderr.splitlines()
        assert "aise the limit" in line
        assert "ulimit -n" in line
        assert "Traceback" not in done.stderr


@pytest.fixture
def stranger() -> Iterator[tuple[list[str], Path]]:
    """How to run as a user whom nobody else is, with a directory of theirs.

    Limits on processes count all of a user's, and do not hold for root.
    """
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs root and setpriv (util-linux) to become another user")
    user = "64321"
    folder = Path(tempfile.mkdtemp())
    os.chown(folder, int(user), int(user))
    try:
        # This Python may lie where only root may read.
        reading = [f"--{kind}-caps=-all,+dac_read_search" for kind in ("inh", "ambient")]
        yield [setpriv, "--reuid", user, "--regid", user, "--clear-groups", *reading], folder
    finally:
        shutil.rmtree(folder)


def test_too_few_processes_or_threads_are_the_environments_fault(
    stranger: tuple[list[str], Path],
) -> None:
    become, folder = stranger
    make_pdf(folder / "a.pdf")
    words = ["run", str(folder), "-o", str(folder / "out"), "-w", "2", "--force", "-q"]

    def run(*before: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*become, *before, sys.executable, "-m", "pdfingest", *words],
            env=environment(HOME=str(folder)),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    codes = set()
    for processes in (1, 2, 3, 4, 5, 6, 8, 12):
        done = run("prlimit", f"--nproc={processes}")
        codes.add(done.returncode)
        if done.returncode != 0:
            told = (done.returncode, "internal error" in done.stderr)
            assert told == (4, False), (processes, done.stderr)
            assert len(done.stderr.splitlines()) <= 2, processes
    assert 4 in codes
    assert run().returncode == 0
    assert {each["text"].strip() for each in read_lines(folder / "out" / "pages.jsonl")} == {
        "Hello"
    }


def summary_of(command: list[str], pdfs: Path, out: Path) -> dict[str, Any]:
    """Run in such a place; gives the summary."""
    done = subprocess.run(
        [*command, sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(out)],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary


def test_an_empty_proc_costs_figures_and_no_file(pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["one", "two"])
    summary_of(in_a_place_where("mount -t tmpfs none /proc"), pdfs, out)
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["pages"], line["peak_method"]) == ("ok", 2, "ru_maxrss")
    assert line["peak_rss_bytes"] > 1 << 20


def test_a_small_container_gets_one_lane_and_no_refusal(pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    group = "echo 150000000 > /sys/fs/cgroup/memory.max"
    command = in_a_place_where(f"mount -t tmpfs none /sys/fs/cgroup && {group}")
    assert summary_of(command, pdfs, out)["options"]["workers"] == 1
