"""What a file costs among a thousand and among a million: a line through four sizes.

    nox -s bench

Small PDFs, 1,000 a folder, are planned (`--dry-run`), read in part, read on and killed, and read
again when all are done. Reading a million takes an hour or two, so a run is stopped after `PART_S`,
and what the ledger then lacks is written through its own interface. Times are CPU time of the
parent, less what it takes with a single file, which is the start of the program; what children take
does not depend on how many files there are. The highest RSS of the parent and the longest
write-ahead log are those of all these runs.

A million files are 4 GB on disk (`PDFINGEST_BENCH_SIZES=1000,10000` makes fewer). Linux only, as it
reads /proc. Prints figures and judges nothing.
"""

import hashlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fpdf import FPDF

from pdfingest import IngestOptions
from pdfingest.outcome import Cost, Extracted, Finished, Peak
from pdfingest.output.layout import ledger_of
from pdfingest.run.discover import discover
from pdfingest.run.outputs import opened
from pdfingest.run.plan import Plan
from pdfingest.run.tools import find_tools
from pdfingest.stop import Stop

SIZES = [*map(int, os.environ.get("PDFINGEST_BENCH_SIZES", "1000,10000,100000,1000000").split(","))]
"""Powers of ten, from 1,000 on."""
IN_FOLDER = 1000
PART_S = 60
LOOK_S = 0.05
ROUNDS = 9
"""Of few files, whose times are close to that of the start."""
MANY = 100_000
"""From so many files on, one round is enough."""


@dataclass
class Seen:
    """What was seen of the runs of one output directory."""

    cpu_s: float = 0.0
    """CPU time of the parent in the last run."""
    wall_s: float = 0.0
    """How long that took."""
    peak_kib: int = 0
    log_bytes: int = 0


def make_tree(root: Path, files: int) -> None:
    """Different one-page PDFs, so deep that each power of ten has a folder of its own."""
    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.cell(text="A small page.")
    content = bytes(pdf.output())
    depth = len(str(files // IN_FOLDER)) - 1
    for number in range(files // IN_FOLDER):
        folder = root.joinpath(*f"{number:0{depth}}"[:depth])  # a level for each digit
        folder.mkdir(parents=True)
        for index in range(IN_FOLDER):
            (folder / f"report-{index:03}.pdf").write_bytes(content + b"%% %d %d" % (number, index))


def folder_of(root: Path, files: int) -> Path:
    """The folder with so many files, given the one with the most."""
    return root.joinpath(*["0"] * (len(str(max(SIZES))) - len(str(files))))


def run(
    seen: Seen, out: Path, *args: object, ends: signal.Signals | None = None, after_s: float = 0.0
) -> None:
    """The program, which a signal may end early."""
    command = [sys.executable, "-m", "pdfingest", "run", "-o", str(out), *map(str, args)]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        ended = os.WEXITED | os.WNOHANG | os.WNOWAIT  # a process that has ended can be looked at
        while os.waitid(os.P_PID, process.pid, ended) is None:
            with suppress(OSError, IndexError):  # it may end while it is looked at
                status = Path(f"/proc/{process.pid}/status").read_text()
                seen.peak_kib = max(seen.peak_kib, int(status.split("VmHWM:")[1].split()[0]))
            with suppress(OSError):
                log_bytes = os.stat(f"{ledger_of(str(out))}-wal").st_size
                seen.log_bytes = max(seen.log_bytes, log_bytes)
            if ends is not None and time.perf_counter() - began > after_s:
                process.send_signal(ends)
                ends = None
            time.sleep(LOOK_S)
        seen.wall_s = time.perf_counter() - began
        # User and system time of the process itself (proc_pid_stat(5)).
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        seen.cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def middle(seen: Seen, files: int, out: Path, *args: object) -> float:
    """CPU s of a run that changes nothing."""
    times: list[float] = []
    for _ in range(1 if files >= MANY else ROUNDS):
        run(seen, out, *args)
        times.append(seen.cpu_s)
    return statistics.median(times)


def fill(tree: Path, out: Path) -> None:
    """Report lines and ledger rows for all files that are not in the ledger."""
    options = IngestOptions(output=str(out))
    digest = find_tools(options).digest(options)
    cost = Cost(1, time.time(), 0.005, 0.004, Peak(38 << 20, 36 << 20, "VmHWM"))
    with opened(options, Stop(), digest) as (ledger, sink), Plan(ledger) as plan:
        plan.fill(discover(tree))
        plan.settle(options, digest)
        ledger.begin_run(sink.sync)
        for source, _ in plan.jobs():
            sha256 = hashlib.sha256(source.name.encode()).hexdigest()
            finished = Finished(source, Extracted(cost, sha256, "pdfium", 0, 0, 0))
            ledger.note(finished, sink.write(finished), digest)
            if ledger.due:
                ledger.commit(sink.sync)
        ledger.end_run(0, sink.sync)


def measure(tree: Path, out: Path, files: int) -> tuple[float, float, float, int, Seen]:
    """CPU s of a dry run, of a run that finds all unchanged, and of one in part without its plan.

    Then the files that the last one read, and what was seen of all.
    """
    seen = Seen()
    plan_s, plan_wall_s = middle(seen, files, out, tree, "--dry-run"), seen.wall_s
    run(seen, out, tree, "--quiet", ends=signal.SIGINT, after_s=plan_wall_s + PART_S)
    read_s, read = seen.cpu_s - plan_s, json.loads((out / "summary.json").read_text())["ok"]
    run(seen, out, tree, "--quiet", ends=signal.SIGKILL, after_s=plan_wall_s + PART_S / 4)
    fill(tree, out)
    return plan_s, middle(seen, files, out, tree, "--quiet"), read_s, read, seen


def main() -> None:
    """A row for each size."""
    print(f"load {os.getloadavg()[0]:.1f}; µs of the parent's CPU a file; bytes a file")
    print("    files  dry run  unchanged    read          peak MiB  ledger  report  log MiB")
    with tempfile.TemporaryDirectory() as name:
        root, one = Path(name) / "tree", Path(name) / "one"
        make_tree(root, max(SIZES))
        one.mkdir()
        os.link(folder_of(root, IN_FOLDER) / "report-000.pdf", one / "a.pdf")
        *start, _, _ = measure(one, Path(name) / "out-one", 1)
        for size in SIZES:
            out = Path(name) / f"out{size}"
            *times, read, seen = measure(folder_of(root, size), out, size)
            plan_us, again_us, read_us = (
                (cpu_s - start_s) / count * 1e6
                for cpu_s, start_s, count in zip(times, start, (size, size, read), strict=True)
            )
            ledger, report = (
                os.path.getsize(path) / size for path in (ledger_of(str(out)), out / "report.jsonl")
            )
            peak_mib, log_mib = seen.peak_kib / 2**10, seen.log_bytes / 2**20
            print(
                f"{size:9,}{plan_us:9.1f}{again_us:11.1f}{read_us:8.0f} of {read:<9,}"
                f"{peak_mib:9.1f}{ledger:8.0f}{report:8.0f}{log_mib:9.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
