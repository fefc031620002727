"""What a fresh process per file costs, beside its alternatives, in one run.

    nox -s bench

Interleaved rounds over the same one-page files with two workers: pdfingest; long-lived workers with
the same engine and the same records (the lower bound); a spawned process per file; and, where they
are installed, `find | xargs -P2 pdftotext`. Prints medians of wall time per file and the ratio to
the lower bound. Judges nothing: absolute times are the machine's.
"""

import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pdfingest import IngestOptions, child
from pdfingest.extract.engine import find_engines
from pdfingest.model import Extracted, Job, Sandbox, Source, Unit
from pdfingest.recorder import Playback

FILES = 400
SPAWNED = 20  # spawn is slow: fewer files, the same figure per file
ROUNDS = 5
WORKERS = 2


def make_files(folder: Path, files: int) -> list[str]:
    """Copies of a one-page PDF."""
    from fpdf import FPDF  # noqa: PLC0415 - children import this module again

    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("Helvetica", size=12)
    pdf.multi_cell(0, text="The quick brown fox jumps over the lazy dog. " * 40)
    content = bytes(pdf.output())
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number:05}.pdf" for number in range(files)]
    for path in paths:
        path.write_bytes(content)
    return [str(path) for path in paths]


def in_pool(paths: list[str], method: str, tasks_per_child: int | None) -> None:
    """The same job in a pool: long-lived workers, or one process per file."""
    engines = find_engines("pdfium")
    with tempfile.TemporaryDirectory() as folder:
        recorder, limits = f"{folder}/recorder", IngestOptions(workers=WORKERS).limits()
        Playback(recorder)  # makes the file; nobody reads these notes
        jobs = [
            Job(
                Source(path, path),
                engines,
                (),
                Unit.PAGE,
                limits,
                f"{folder}/{number}",
                Sandbox.OFF,  # what a long-lived worker gives up, its next file cannot use
                recorder=recorder,
            )
            for number, path in enumerate(paths)
        ]
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(
            WORKERS, mp_context=context, max_tasks_per_child=tasks_per_child
        ) as pool:
            for answer in pool.map(child.run, jobs):
                assert isinstance(answer, Extracted)


def by_pdfingest(folder: Path) -> None:
    """The program, as a user starts it."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(
            [sys.executable, "-m", "pdfingest", "run", folder, "-o", out, "-w", str(WORKERS), "-q"],
            check=True,
        )


def by_pdftotext(folder: Path) -> None:
    """Poppler, a process per file, the classic way."""
    with tempfile.TemporaryDirectory() as out:
        command = f'find "{folder}" -name "*.pdf" -printf "%f\\n" | xargs -P{WORKERS} -I{{}} '
        subprocess.run(
            f'{command} pdftotext "{folder}/{{}}" "{out}/{{}}.txt"', shell=True, check=True
        )


def main() -> None:
    """Run the rounds and print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = make_files(folder, FILES)
        ways: dict[str, tuple[int, Callable[[], None]]] = {
            "long-lived workers": (FILES, lambda: in_pool(paths, "forkserver", None)),
            "pdfingest": (FILES, lambda: by_pdfingest(folder)),
            "spawn per file": (SPAWNED, lambda: in_pool(paths[:SPAWNED], "spawn", 1)),
        }
        if shutil.which("pdftotext"):
            ways["xargs -P2 pdftotext"] = (FILES, lambda: by_pdftotext(folder))
        times: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, (files, run) in ways.items():
                began = time.perf_counter()
                run()
                times[way].append((time.perf_counter() - began) / files * 1000)
    base = statistics.median(times["long-lived workers"])
    print(f"{FILES} one-page files, {WORKERS} workers, {ROUNDS} rounds, load {os.getloadavg()[0]}")
    print(f"{'way':24}{'ms per file':>12}{'range':>16}{'ratio':>8}")
    for way, each in times.items():
        middle = statistics.median(each)
        spread = f"{min(each):.1f} - {max(each):.1f}"
        print(f"{way:24}{middle:12.1f}{spread:>16}{middle / base:8.1f}")


if __name__ == "__main__":
    main()
