"""A run in a directory that may not be searched, as the working directory of an image can be."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import environment, make_pdf, read_lines
from pdfingest.isolation.start import FORK

_PR_CAPBSET_DROP = 24
"""prctl(2): takes a capability from a process and from what it executes."""
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
"""capabilities(7): what lets root search any directory."""


def _close_folder() -> None:
    """Let nobody search the current directory, not even root; runs in the child, before exec."""
    os.chmod(".", 0)
    libc = ctypes.CDLL(None)
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for others than root: no matter


@pytest.mark.skipif(sys.platform != "linux", reason="needs capabilities")
def test_a_directory_that_may_not_be_searched_costs_no_file(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf")
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "pdfingest.toml").write_text("not =")  # nobody can know of it
    done = subprocess.run(
        [sys.executable, "-m", "pdfingest", "run", tmp_path / "in", "--output", tmp_path / "out"],
        cwd=closed,
        env=environment(**{FORK: "1"}),  # `spawn` is Python's own, and goes there or ends
        preexec_fn=_close_folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    closed.chmod(0o700)
    assert done.returncode == 0, done.stderr
    (line,) = read_lines(tmp_path / "out" / "report.jsonl")
    assert line["status"] == "ok"
