"""What the ledger costs: a run that finds nothing new, a plan of a million files, and the commits.

    nox -s bench

Linux only, as it reads /proc. Prints figures and judges nothing.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from files import make_files

UNCHANGED = 10_000
PLANNED = int(os.environ.get("PDFINGEST_BENCH_PLANNED", "1_000_000"))
COMMITTED = 400
ROUNDS = 5
LOOK_S = 0.02


def run(*args: object) -> tuple[float, int, int]:
    """The program: wall time in s, highest RSS of the parent in KiB, most children at a time."""
    command = [sys.executable, "-m", "pdfingest", "run", *map(str, args)]
    began = time.perf_counter()
    peak_kib = children = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        proc = Path(f"/proc/{process.pid}")
        while process.poll() is None:
            with suppress(OSError, IndexError):  # it may end while it is looked at
                status = (proc / "status").read_text()
                peak_kib = int(status.split("VmHWM:")[1].split()[0])
                listed = (proc / "task" / str(process.pid) / "children").read_text()
                children = max(children, len(listed.split()))
            time.sleep(LOOK_S)
    return time.perf_counter() - began, peak_kib, children


def unchanged(folder: Path) -> None:
    """A second run over files that are all as they were."""
    make_files(folder / "pdfs", UNCHANGED)
    long_ago = time.time() - 3600
    for path in (folder / "pdfs").iterdir():
        os.utime(path, (long_ago, long_ago))
    args = (folder / "pdfs", "-o", folder / "out", "--workers", 2, "--quiet")
    first_s, _, _ = run(*args)
    wall_s, peak_kib, children = run(*args)
    print(
        f"{UNCHANGED:,} files: {first_s:.1f} s at first, then {wall_s:.2f} s if unchanged, that is"
    )
    print(
        f"  {wall_s / UNCHANGED * 1e6:.0f} us a file, {children} children, parent {peak_kib:,} KiB"
    )


def planned(folder: Path) -> None:
    """Discovery and plan of empty files."""
    for number in range(PLANNED):
        if number % 1000 == 0:
            (folder / "empty" / f"{number // 1000:04}").mkdir(parents=True)
        (folder / "empty" / f"{number // 1000:04}" / f"{number:07}.pdf").touch()
    wall_s, peak_kib, _ = run(folder / "empty", "-o", folder / "out", "--dry-run")
    print(f"{PLANNED:,} files planned: {wall_s:.1f} s, parent {peak_kib:,} KiB")


def commits(folder: Path) -> None:
    """A run with ledger, report and fsync beside one that streams to nowhere, interleaved."""
    make_files(folder / "pdfs", COMMITTED)
    times: dict[str, list[float]] = {"-o DIR": [], "-o -": []}
    for number in range(ROUNDS):
        for way, output in (("-o DIR", folder / f"out{number}"), ("-o -", "-")):
            wall_s, _, _ = run(folder / "pdfs", "-o", output, "--workers", 2, "--quiet")
            times[way].append(wall_s / COMMITTED * 1e3)
    for way, each in times.items():
        middle = statistics.median(each)
        print(f"{way:8}{middle:6.2f} ms a file ({min(each):.2f} - {max(each):.2f})")


def main() -> None:
    """All three."""
    print(f"load {os.getloadavg()[0]:.1f}")
    for measure in (unchanged, planned, commits):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder))


if __name__ == "__main__":
    main()
