"""The peak of a file is what the file took: not its parent's, not its image's."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import environment, read_lines

MIB = 1 << 20
ALLOCATED = (10, 100, 350)
RUN = """
import multiprocessing, sys
from pdfingest import IngestOptions, ingest
if __name__ == "__main__":
    method, parent_mib, pdfs, out = sys.argv[1:]
    kept = b"x" * (int(parent_mib) << 20)
    if method == "spawn":
        multiprocessing.get_all_start_methods = lambda: ["spawn"]
    options = IngestOptions(output=out, engine="faulty", workers=2, memory_limit_bytes=1 << 30)
    ingest([pdfs], options)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("method", "parent_mib"), [("fork", 0), ("fork", 512), ("spawn", 512)])
@pytest.mark.skipif(sys.platform == "win32", reason="fork")
def test_the_peak_is_what_the_engine_took(
    faulty: Callable[..., Path], pdfs: Path, tmp_path: Path, method: str, parent_mib: int
) -> None:
    for mib in ALLOCATED:
        faulty(f"{mib}.pdf", fault="allocate", mib=mib)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    subprocess.run(
        [sys.executable, script, method, str(parent_mib), pdfs, tmp_path / "out"],
        env=environment(),
        check=True,
        timeout=100,
    )
    report = read_lines(tmp_path / "out" / "report.jsonl")
    assert len(report) == len(ALLOCATED)
    for line in report:
        taken = line["peak_rss_bytes"] - line["baseline_rss_bytes"]
        expected = int(os.path.splitext(line["source"])[0]) * MIB
        assert abs(taken - expected) < 2 * MIB, line
        assert line["peak_method"]
