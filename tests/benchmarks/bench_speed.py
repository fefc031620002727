"""What a fresh process per file costs, beside its alternatives, in one run.

    nox -s bench

Interleaved rounds over the same files with two workers:

    reused         long-lived workers, the same engine and the same records: the lower bound
    pdfingest      the program, as a user starts it
    xargs          `xargs -P2 pdftotext`, where it is installed
    lit            `lit batch-parse` of liteparse, without OCR, where it is installed
    opendataloader `opendataloader-pdf`, to text, where it is installed
    literal        spawn, max_tasks_per_child=1, pypdf, texts pickled back; one round, as it is slow

on (a) 2,000 one-page files, (b) real files, (c) long ones; and one file of 1,000 pages by one
worker and by two. Prints wall and CPU time, the highest memory (PSS) of the tree, and pages per
second; what isolation costs a file, beside a raw fork and exit of the same image in the same
rounds; and draws a picture into the file that `PDFINGEST_BENCH_SVG` names. Judges nothing: absolute
times are the machine's. Linux only.
"""

import ctypes
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
from files import long_files, make_files, make_long, real_files
from picture import draw

from pdfingest.measure.processes import look

ROUNDS = int(os.environ.get("PDFINGEST_BENCH_ROUNDS", "5"))
WORKERS = 2
FORKS = 500
LITERAL_FILES = 40
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Cost:
    """One round of one way."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def measured(run: Callable[[], None]) -> Cost:
    """Run it, and wait for all that it started, also what outlives its parent."""
    peak_bytes, over = 0, threading.Event()

    def watch() -> None:
        nonlocal peak_bytes
        while not over.wait(0.2):  # to look costs some ms
            ours = psutil.Process().memory_full_info().pss
            peak_bytes = max(peak_bytes, look().tree_pss_bytes - ours)

    reap()
    os.sync()  # what the one before left to write is not this one's
    watcher = threading.Thread(target=watch)
    watcher.start()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began_s = time.perf_counter()
    run()
    wall_s = time.perf_counter() - began_s
    reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    over.set()
    watcher.join()
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s, cpu_s, peak_bytes / 2**20)


def reap() -> None:
    """Wait for what outlived its parent."""
    with suppress(ChildProcessError):
        while True:
            os.wait()


def start(*arguments: object) -> None:
    """Run a command to its end, in silence."""
    nowhere = subprocess.DEVNULL
    subprocess.run([*map(str, arguments)], check=False, stdout=nowhere, stderr=nowhere)


def by_pdfingest(folder: Path, workers: int = WORKERS) -> None:
    """The program, with ledger and report."""
    with tempfile.TemporaryDirectory() as out:
        start(sys.executable, "-m", "pdfingest", "run", folder, "-o", out, "-w", workers, "-q")


def by_xargs(folder: Path) -> None:
    """Poppler, a process per file, the classic way."""
    with tempfile.TemporaryDirectory() as out:
        find = f'find -L "{folder}" -name "*.pdf" -printf "%f\\n"'
        pdftotext = f'xargs -P{WORKERS} -I{{}} pdftotext "{folder}/{{}}" "{out}/{{}}.txt"'
        start("sh", "-c", f"{find} | {pdftotext}")


def by_lit(folder: Path) -> None:
    """Liteparse: one process for all, PDFium within."""
    with tempfile.TemporaryDirectory() as out:
        start("lit", "batch-parse", "--no-ocr", "--max-pages", 100_000, folder, out)


def by_opendataloader(folder: Path) -> None:
    """OpenDataLoader: one Java process for all."""
    with tempfile.TemporaryDirectory() as out:
        threads = ("--threads", WORKERS)
        start("opendataloader-pdf", "-q", "-f", "text", *threads, "-o", out, folder)


PEERS = {
    "xargs": ("pdftotext", by_xargs),
    "lit": ("lit", by_lit),
    "opendataloader": ("opendataloader-pdf", by_opendataloader),
}


REUSED = """
import multiprocessing, sys, tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from pdfingest import IngestOptions
from pdfingest.child import main as child
from pdfingest.engines.registry import find_engines
from pdfingest.job import Job, Sandbox
from pdfingest.model import Source, Unit
from pdfingest.exchange.recorder import Playback
if __name__ == "__main__":
    import pdfingest.__main__
    sys.modules["__main__"] = pdfingest.__main__
    with tempfile.TemporaryDirectory() as out:
        Playback(f"{out}/recorder")
        limits = IngestOptions(workers=2).limits()
        paths = sorted(Path(sys.argv[1]).glob("*.pdf"), key=lambda p: -p.stat().st_size)
        jobs = [
            Job(Source(path.name, str(path)), find_engines("auto"), (), Unit.PAGE, limits,
                f"{out}/{path.name}", Sandbox.OFF, recorder=f"{out}/recorder")
            for path in paths
        ]
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("forkserver")) as pool:
            for _ in pool.map(child.run, jobs):
                pass
"""
LITERAL = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from pathlib import Path
def read(path):
    from pypdf import PdfReader
    try:
        return [page.extract_text() for page in PdfReader(path).pages]
    except Exception as error:
        return str(error)
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as pool:
        paths = [str(path) for path in sorted(Path(sys.argv[1]).glob("*.pdf"))]
        list(pool.map(read, paths))
"""


def raw_forks(lanes: int) -> float:
    """Milliseconds of wall time for a fork, an exit and a wait of the image, a file."""
    code = (
        "import os, time\n"
        "from pdfingest.isolation.contents import Contents\n"
        "from pdfingest.isolation.zygote import make_image\n"
        "make_image(Contents(('pdfingest.engines.pdfium',)))\n"
        f"began = time.perf_counter()\nfor _ in range({FORKS}):\n"
        "    pid = os.fork()\n    if not pid: os._exit(0)\n    os.waitpid(pid, 0)\n"
        "print(time.perf_counter() - began)"
    )
    command = [sys.executable, "-c", code]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(lanes)]
    seconds = [float(process.communicate()[0]) for process in running]
    return max(seconds) / FORKS / lanes * 1000


def compare(title: str, folder: Path, *, literal: bool) -> dict[str, list[Cost]]:
    """All ways over the files of a folder."""
    files = len(list(folder.glob("*.pdf")))
    pages = count_pages(folder)
    scripts = {}
    for name, code in (("reused", REUSED), ("literal", LITERAL)):
        scripts[name] = folder.parent / f"{name}.py"
        scripts[name].write_text(code)
    ways: dict[str, Callable[[], None]] = {
        "reused": lambda: start(sys.executable, scripts["reused"], folder),
        "pdfingest": lambda: by_pdfingest(folder),
    }
    for name, (program, peer) in PEERS.items():
        if shutil.which(program):
            ways[name] = partial(peer, folder)
    costs: dict[str, list[Cost]] = {}
    raw_ms: list[float] = []
    for number in range(ROUNDS):
        raw_ms.append(raw_forks(WORKERS))
        for name, way in ways.items():
            costs.setdefault(name, []).append(measured(way))
        if literal and number == 0:
            costs["literal"] = [measured(lambda: start(sys.executable, scripts["literal"], folder))]
    base = median_s(costs["reused"])
    print(f"\n{title}: {files:,} files, {pages:,} pages")
    print(
        f"{'':15}{'wall s':>8}{'range':>16}{'ms/file':>9}{'CPU s':>8}{'MiB':>6}{'pages/s':>9} times"
    )
    for name, each in costs.items():
        wall_s = median_s(each)
        low, high = min(cost.wall_s for cost in each), max(cost.wall_s for cost in each)
        cpu_s = statistics.median(cost.cpu_s for cost in each)
        peak = statistics.median(cost.peak_mib for cost in each)
        print(
            f"{name:15}{wall_s:8.2f}{f'{low:.2f} - {high:.2f}':>16}{wall_s / files * 1e3:9.2f}"
            f"{cpu_s:8.2f}{peak:6.0f}{pages / wall_s:9.0f}{wall_s / base:7.2f}",
            flush=True,
        )
    price_ms = (median_s(costs["pdfingest"]) - base) / files * 1e3
    fork_ms = statistics.median(raw_ms)
    if files > LITERAL_FILES:  # of few, it is the start of the program
        print(
            f"isolation costs {price_ms:.2f} ms a file, {price_ms / fork_ms:.1f} times a raw fork "
            f"and exit of the image with as many lanes ({fork_ms:.2f} ms)"
        )
    return costs


def count_pages(folder: Path) -> int:
    """Pages that come out of the files."""
    with tempfile.TemporaryDirectory() as out:
        start(sys.executable, "-m", "pdfingest", "run", folder, "-o", out, "-q")
        return int(json.loads((Path(out) / "summary.json").read_text())["pages"])


def main() -> None:
    """All three kinds of files."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    print(
        f"{WORKERS} workers, {os.cpu_count()} cores, {ROUNDS} rounds, load {os.getloadavg()[0]:.1f}"
    )
    drawn: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as name:
        for title, make, literal in (
            ("(a) one page each", lambda folder: make_files(folder, 2000), False),
            ("(b) real files", real_files, True),
            ("(c) long files", long_files, False),
        ):
            folder = Path(name) / title[1] / "pdfs"
            folder.parent.mkdir()
            make(folder)
            costs = compare(title, folder, literal=literal)
            drawn[title] = {way: median_s(each) for way, each in costs.items()}
            shutil.rmtree(folder)
    with tempfile.TemporaryDirectory() as name:
        few = Path(name) / "pdfs"
        make_files(few, LITERAL_FILES)
        compare("(a) again, few of them", few, literal=True)
    compare_workers()
    if picture := os.environ.get("PDFINGEST_BENCH_SVG"):
        Path(picture).write_text(draw(drawn), encoding="utf-8")


def compare_workers() -> None:
    """One large file, by one worker and by two."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_long(folder / "long.pdf", 1000)
        rounds = [
            [measured(partial(by_pdfingest, folder, workers)).wall_s for workers in (1, 2)]
            for _ in range(ROUNDS)
        ]
    one, two = (statistics.median(each) for each in zip(*rounds, strict=True))
    print(
        f"\none file of 1,000 pages: {one:.2f} s by one worker, {two:.2f} s by two: {one / two:.2f}"
    )


def median_s(costs: list[Cost]) -> float:
    """Median of the wall times."""
    return statistics.median(cost.wall_s for cost in costs)


if __name__ == "__main__":
    main()
