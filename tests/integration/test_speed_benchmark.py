"""The benchmark of speed measures ways that work, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmark is for Linux")


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "tests" / "benchmarks" / "bench_speed.py"
    command = [sys.executable, str(script), str(ROOT / "examples" / "pdfs"), "--rounds", "1"]
    return subprocess.run(
        [*command, *arguments], check=False, capture_output=True, text=True, timeout=120
    )


def test_the_lower_bound_writes_the_records_that_a_run_does() -> None:
    result = bench("--ways", "pdfingest,bound,pdfingest-raw,bound-raw")
    assert result.returncode == 0, result.stderr
    assert "isolation costs pdfingest-raw" in result.stdout


@pytest.mark.parametrize(
    ("script", "said"),
    [("exit 0", "liteparse wrote texts of 0 files"), ("echo broken >&2; exit 3", "broken")],
)
def test_a_way_that_does_not_work_ends_the_benchmark(
    tmp_path: Path, script: str, said: str
) -> None:
    program = tmp_path / "lit"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    (tmp_path / "python").symlink_to(sys.executable)
    result = bench("--peers", str(tmp_path / "python"), "--ways", "liteparse")
    assert result.returncode == 1
    assert said in result.stderr
