"""What the ledger costs: its commits, beside a run that has none. (`bench_scale` has its size.)

    nox -s bench

Prints figures and judges nothing.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from files import make_files

COMMITTED = 400
ROUNDS = 5


def run_s(*args: object) -> float:
    """Wall time of the program in s."""
    command = [sys.executable, "-m", "pdfingest", "run", *map(str, args)]
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    return time.perf_counter() - began


def main() -> None:
    """A run with ledger, report and fsync beside one that streams to nowhere, interleaved."""
    print(f"load {os.getloadavg()[0]:.1f}")
    times: dict[str, list[float]] = {"-o DIR": [], "-o -": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder / "pdfs", COMMITTED)
        for number in range(ROUNDS):
            for way, output in (("-o DIR", folder / f"out{number}"), ("-o -", "-")):
                wall_s = run_s(folder / "pdfs", "-o", output, "--workers", 2, "--quiet")
                times[way].append(wall_s / COMMITTED * 1e3)
    for way, each in times.items():
        middle = statistics.median(each)
        print(f"{way:8}{middle:6.2f} ms a file ({min(each):.2f} - {max(each):.2f})")


if __name__ == "__main__":
    main()
