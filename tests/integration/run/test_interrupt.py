"""SIGINT, SIGTERM and SIGHUP: no new jobs, no process left, outputs whole, the right exit code."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from conftest import environment, read_lines, wait_for

pytestmark = pytest.mark.usefixtures("starts")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def start(pdfs: Path, out: Path, *more: str, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(out)]
    return subprocess.Popen(
        [*command, "--engine", "faulty", "--workers", "2", "--order", "name", *more],
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def living(session: int) -> list[psutil.Process]:
    """Processes of a session that are no zombies."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
            continue
    return found


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture
def busy(faulty: Callable[..., Path], pdfs: Path, out: Path) -> "subprocess.Popen[str]":
    """A run that has finished some files and hangs on others, of which there are more to come."""
    for number in range(4):
        faulty(f"a{number}.pdf", pages=2)
    for number in range(30):
        faulty(f"b{number}.pdf", fault="hang")
    process = start(pdfs, out)
    wait_for(lambda: lines(out / "report.jsonl") == 4, 30)
    return process


@pytest.mark.parametrize("to_group", [True, False], ids=["whole group", "parent only"])
@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_ends_the_run_within_two_seconds(
    busy: "subprocess.Popen[str]", out: Path, number: signal.Signals, to_group: bool
) -> None:
    began = time.monotonic()
    (os.killpg if to_group else os.kill)(busy.pid, number)
    _, stderr = busy.communicate(timeout=10)

    assert time.monotonic() - began < 2
    assert busy.returncode == CODES[number]
    assert "Traceback" not in stderr
    wait_for(lambda: not living(busy.pid), 2)
    records = read_lines(out / "pages.jsonl")
    assert len(records) == 8
    report = read_lines(out / "report.jsonl")
    assert len(report) == len({line["source"] for line in report}) == 6
    assert [line["failure"] for line in report].count("cancelled") == 2
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["sources"], summary["not_begun"], summary["interrupted"]) == (34, 28, True)
    assert not (out / ".pdfingest" / "spool").exists()


def test_after_a_stop_every_source_is_accounted_for_once_and_the_next_run_goes_on(
    faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    def age(path: Path) -> None:
        os.utime(path, (1, 1))  # so that time and size alone say that it is unchanged

    for number in range(3):
        age(faulty(f"unchanged{number}.pdf"))
    (pdfs / "broken.pdf").symlink_to("nowhere")
    start(pdfs, out).communicate(timeout=30)
    before = len(read_lines(out / "report.jsonl"))
    for number in range(4):
        age(faulty(f"a{number}.pdf"))
    hanging = [faulty(f"b{number}.pdf", fault="hang") for number in range(10)]
    process = start(pdfs, out)
    wait_for(lambda: lines(out / "report.jsonl") == before + 5, 30)
    process.send_signal(signal.SIGHUP)
    _, stderr = process.communicate(timeout=10)

    report = read_lines(out / "report.jsonl")[before:]
    told = [line["source"] for line in report]
    assert len(told) == len(set(told))
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["unchanged"], summary["not_begun"]) == (3, 8)
    assert len(told) + summary["unchanged"] + summary["not_begun"] == summary["sources"] == 18
    assert re.search(r"^not begun +8 ", stderr, re.MULTILINE)
    not_begun = {path.name for path in hanging} - set(told)
    assert len(not_begun) == 8

    for path in hanging:
        age(faulty(path.name))
    process = start(pdfs, out)
    process.communicate(timeout=30)
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["ok"], summary["unchanged"], summary["not_begun"]) == (10, 7, 0)
    assert {record["source"] for record in read_lines(out / "pages.jsonl")} >= not_begun


def test_a_hangup_that_is_ignored_from_the_start_stays_ignored(
    faulty: Callable[..., Path], pdfs: Path, out: Path
) -> None:
    for number in range(10):
        faulty(f"{number}.pdf", fault="sleep", seconds=0.2)
    ignore = partial(signal.signal, signal.SIGHUP, signal.SIG_IGN)  # as nohup(1) does
    process = start(pdfs, out, preexec_fn=ignore)
    wait_for(lambda: lines(out / "report.jsonl"))
    os.killpg(process.pid, signal.SIGHUP)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert [line["status"] for line in read_lines(out / "report.jsonl")] == ["ok"] * 10


def test_a_second_ctrl_c_ends_it_at_once(busy: "subprocess.Popen[str]") -> None:
    os.kill(busy.pid, signal.SIGINT)
    os.kill(busy.pid, signal.SIGINT)
    busy.communicate(timeout=5)
    assert busy.returncode != 0
    wait_for(lambda: not living(busy.pid), 2)


def test_children_do_not_outlive_a_parent_that_is_killed(
    busy: "subprocess.Popen[str]", out: Path
) -> None:
    assert len(living(busy.pid)) >= 4  # the parent, the zygote, two children
    busy.kill()
    busy.communicate(timeout=5)
    wait_for(lambda: not living(busy.pid), 2)
    assert len(read_lines(out / "pages.jsonl")) == 8


def test_nothing_is_left_after_a_run(faulty: Callable[..., Path], pdfs: Path, out: Path) -> None:
    for number in range(5):
        faulty(f"{number}.pdf")
    process = start(pdfs, out)
    process.communicate(timeout=30)
    assert process.returncode == 0
    wait_for(lambda: not living(process.pid), 2)
    assert sorted(path.name for path in out.iterdir()) == [
        ".pdfingest",
        "pages.jsonl",
        "report.jsonl",
        "summary.json",
    ]
