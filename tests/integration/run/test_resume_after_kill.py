"""A run that is killed at any instant costs the files in flight, and the next run goes on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from conftest import Cli, Lines, environment, read_lines

pytestmark = pytest.mark.usefixtures("starts")
FILES = int(os.environ.get("PDFINGEST_TEST_KILL_FILES", "60"))
KILLED_RUNS = int(os.environ.get("PDFINGEST_TEST_KILLS", "6"))
"""For the record: 300 files, killed 200 times."""
MEASURED = {
    "peak_rss_bytes", "baseline_rss_bytes", "cpu_s", "wall_s", "started_at", "pid",
}  # fmt: skip


def start(pdfs: Path, out: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "pdfingest", "run", str(pdfs), "-o", str(out)]
    return subprocess.Popen(
        [*command, "--engine", "faulty", "--workers", "2", "--quiet"],
        env=environment(),
        start_new_session=True,
    )


def kill(process: "subprocess.Popen[bytes]", *, children: bool) -> None:
    """SIGKILL to the parent, or to all its session at once."""
    victims = psutil.Process(process.pid).children(recursive=True) if children else []
    process.kill()
    for victim in victims:
        with suppress(psutil.Error):
            victim.kill()
    process.wait()


def told(report: Lines) -> Lines:
    """Report lines without what was measured, which no two runs have in common."""
    return [{k: v for k, v in line.items() if k not in MEASURED} for line in report]


def state(out: Path) -> tuple[bytes, Lines]:
    return (out / "pages.jsonl").read_bytes(), told(read_lines(out / "report.jsonl"))


@pytest.mark.slow
def test_killed_runs_end_with_what_an_undisturbed_run_has(
    cli_here: Cli, faulty: Callable[..., Path], pdfs: Path, tmp_path: Path
) -> None:
    for number in range(FILES):
        kind: dict[str, Any] = {0: {"fault": "raises"}, 1: {"fault": "segfault"}}.get(
            number % 50, {}
        )
        faulty(f"{number}.pdf", pages=3 + number % 5, text="x" * (number * 20), **kind)
    calm = tmp_path / "calm"
    began_s = time.monotonic()
    assert start(pdfs, calm).wait() == 1
    took_s = time.monotonic() - began_s
    cli_here("compact", calm)
    random = Random(4)
    cut = 0
    for number in range(KILLED_RUNS):
        out = tmp_path / f"out{number}"
        for again in range(random.randint(1, 3)):
            process = start(pdfs, out)
            time.sleep(random.uniform(0, took_s))
            if process.poll() is None:
                kill(process, children=(number + again) % 2 == 0)
                cut += process.returncode == -signal.SIGKILL  # it may have ended just before
        assert start(pdfs, out).wait() == 1
        assert cli_here("compact", out).returncode == 0
        assert state(out) == state(calm)
        assert not (out / ".pdfingest" / "spool").exists()
    assert cut > KILLED_RUNS // 2, "the kills came too late to test anything"
