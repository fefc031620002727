"""Whatever is stuck, a run goes on or ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from test_interrupt import living, start

from conftest import FORKS, environment, read_lines, wait_for
from pdfingest import IngestOptions, ingest

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="needs signals"),
    pytest.mark.usefixtures("starts"),
]


@pytest.fixture
def processes() -> Iterator[list["subprocess.Popen[str]"]]:
    """Programs that are ended after the test, with all that is left of their sessions."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        for each in living(process.pid):
            each.kill()
        process.communicate()


Begin = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def begin(processes: list["subprocess.Popen[str]"], pdfs: Path, out: Path) -> Begin:
    def run(*args: str) -> "subprocess.Popen[str]":
        process = start(pdfs, out, *args)
        processes.append(process)
        return process

    return run


@pytest.fixture
def _forks(starts: str) -> None:
    """Leave out a test that is about the zygote where there is none."""
    if starts != FORKS:
        pytest.skip("spawn has no zygote that could be stopped")


def zygote_of(process: "subprocess.Popen[str]") -> psutil.Process:
    """The process that the children of a run are forked from, once it is there."""
    wait_for(lambda: psutil.Process(process.pid).children())
    (zygote,) = psutil.Process(process.pid).children()
    return zygote


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal (proc(5), SigCgt)."""
    status = Path(f"/proc/{pid}/status").read_text()
    (mask,) = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")]
    return bool(int(mask, 16) >> (number - 1) & 1)


def ended_s(process: "subprocess.Popen[str]") -> float:
    """How long a process takes to end."""
    began_s = time.monotonic()
    process.wait(20)
    return time.monotonic() - began_s


@pytest.mark.usefixtures("_forks")
def test_a_zygote_that_is_stopped_does_not_hang_the_run(
    begin: Begin, faulty: Callable[..., Path], out: Path
) -> None:
    for number in range(40):
        faulty(f"{number}.pdf", fault="sleep", seconds=0.05)
    process = begin()
    wait_for(lambda: (out / "report.jsonl").exists() and read_lines(out / "report.jsonl"))
    zygote_of(process).suspend()
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert [line["status"] for line in read_lines(out / "report.jsonl")] == ["ok"] * 40
    wait_for(lambda: not living(process.pid), 2)


@pytest.mark.usefixtures("_forks")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_whose_zygote_is_stopped_ends_when_it_is_asked_to(
    begin: Begin, faulty: Callable[..., Path], out: Path, number: signal.Signals
) -> None:
    for index in range(10):
        faulty(f"{index}.pdf", fault="sleep", seconds=0.3)
    process = begin()
    wait_for(lambda: (out / "report.jsonl").exists() and read_lines(out / "report.jsonl"))
    zygote_of(process).suspend()
    os.kill(process.pid, number)
    assert ended_s(process) < 2
    assert process.returncode == 128 + number
    wait_for(lambda: not living(process.pid), 2)


def test_a_second_signal_ends_what_is_stuck_in_a_system_call(
    processes: list["subprocess.Popen[str]"], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "list")
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "run", "--files-from", str(tmp_path / "list")],
        cwd=tmp_path, env=environment(), start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    processes.append(process)
    wait_for(lambda: catches(process.pid, signal.SIGTERM))  # then it waits for a writer
    os.kill(process.pid, signal.SIGINT)
    os.kill(process.pid, signal.SIGTERM)
    assert ended_s(process) < 1
    assert process.returncode in (130, 143)  # the kernel may deliver the second first


def test_a_child_that_is_stopped_is_timed_out(
    begin: Begin, faulty: Callable[..., Path], out: Path
) -> None:
    faulty("a.pdf", fault="stopped", pages=2)
    faulty("b.pdf")
    process = begin("--page-timeout", "1")
    process.communicate(timeout=30)
    report = {line["source"]: line for line in read_lines(out / "report.jsonl")}
    assert (report["a.pdf"]["failure"], report["a.pdf"]["failed_pages"]) == ("timeout", [1])
    assert report["b.pdf"]["status"] == "ok"


def test_a_time_limit_that_is_up_keeps_every_page_that_was_read(
    faulty: Callable[..., Path], out: Path
) -> None:
    path = faulty("a.pdf", pages=20_000, fault="hang", page=15_001)
    options = IngestOptions(
        output=str(out), engine="faulty", workers=1, timeout_s=4, page_timeout_s=2
    )
    summary = ingest([str(path)], options)
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["failure"]) == ("partial", "timeout")
    assert line["pages"] > 10_000
    assert line["pages"] == len(read_lines(out / "pages.jsonl")) == summary.pages
    assert line["pages"] + line["pages_failed"] == line["total_pages"] == 20_000
