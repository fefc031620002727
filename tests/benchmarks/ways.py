"""Ways to get the text of many PDFs, each with a check that it has done it.

A benchmark of a way that fails is fast and means nothing. So whatever a way has written is counted
after each round, and one that wrote too little raises `WayError`.
"""

import importlib.util
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

WORKERS = 2
TIMEOUT_S = 900
MOST_LOST = 0.05
"""Share of the files that a parser may fail to read."""
_HERE = Path(__file__).parent
_SCRIPTS = Path(sysconfig.get_path("scripts"))

Measured = TypeVar("Measured")


class WayError(Exception):
    """A way did not do what it is measured for."""


@dataclass(frozen=True)
class Batch:
    """The files that each way reads."""

    folder: Path
    paths: tuple[str, ...]
    """Those in the folder, the largest first."""

    @classmethod
    def of(cls, folder: Path) -> "Batch":
        """Return the PDFs of a folder."""
        paths = sorted(folder.glob("*.pdf"), key=lambda path: path.stat().st_size, reverse=True)
        return cls(folder, tuple(map(str, paths)))


@dataclass(frozen=True)
class Output:
    """What a way has written."""

    files: int
    """Files of which there is a text; one without letters counts."""
    records: int = 0
    """One for each page; 0 for a way that writes texts of documents."""


@dataclass(frozen=True)
class Way:
    """How files are read: a function that does it, and one that counts what came out."""

    run: Callable[[Batch, Path], None]
    count: Callable[[Path], Output]


def start(
    out: Path, command: Sequence[object], codes: Sequence[int] = (0,), text: str = ""
) -> None:
    """Run a command to its end.

    Args:
        out: directory of the way.
        command: program and arguments.
        codes: exit codes that mean that it worked.
        text: standard input.

    Raises:
        WayError: another exit code, with what the command said.
    """
    start_all(out, command, codes, [text])


def start_all(
    out: Path, command: Sequence[object], codes: Sequence[int], texts: Sequence[str]
) -> None:
    """Run a command side by side, once for each standard input; raises as `start`."""
    with (out / "stderr").open("w+b") as said:
        running = [
            subprocess.Popen(
                [*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
            )
            for _ in texts
        ]
        for process, text in zip(running, texts, strict=True):
            assert process.stdin
            process.stdin.write(text.encode())
            process.stdin.close()
        ends = [process.wait(TIMEOUT_S) for process in running]
        said.seek(0)
        if not set(ends) <= set(codes):
            last = said.read().decode("utf-8", "replace").strip()[-500:]
            raise WayError(f"{command[0]} ended with {ends}: {last}")


def by_pdfingest(form: str, batch: Batch, out: Path, workers: int = WORKERS) -> None:
    """The program as a user starts it, with ledger and report; 1 means that files failed."""
    options = ("-o", out / "run", "-w", workers, "-q", "--format", form)
    start(out, (_SCRIPTS / "pdfingest", "run", batch.folder, *options), (0, 1))


def by_bound(form: str, batch: Batch, out: Path) -> None:
    """Long-lived processes with the same engine and the same records: the lower bound."""
    parts = [
        "\0".join(batch.paths[lane::WORKERS]) for lane in range(min(WORKERS, len(batch.paths)))
    ]
    start_all(out, (sys.executable, _HERE / "lower_bound.py", out, form), (0,), parts)


def by_pdftotext(batch: Batch, out: Path) -> None:
    """Poppler, a process per file, by xargs; 123 means that files failed."""
    script = 'pdftotext -q -enc UTF-8 "$1" "$0/${1##*/}.txt"'
    xargs = ("xargs", "-0", f"-P{WORKERS}", "-n1", "sh", "-c", script, out)
    start(out, xargs, (0, 123), "\0".join(batch.paths))


def by_liteparse(lit: Path, batch: Batch, out: Path) -> None:
    """Liteparse: one process for all, PDFium within."""
    options = ("--format", "markdown", "--no-ocr", "--max-pages", 100_000, "-q")
    start(out, (lit, "batch-parse", *options, batch.folder, out), (0, 1))


def by_opendataloader(program: Path, batch: Batch, out: Path) -> None:
    """OpenDataLoader: one Java process for all."""
    options = ("-q", "-f", "markdown", "--image-output", "off", "--threads", WORKERS)
    start(out, (program, *options, "-o", out, batch.folder), (0, 1))


def by_pool(python: Path, parser: str, batch: Batch, out: Path) -> None:
    """A parser for Python in long-lived workers."""
    command = (python, _HERE / "peer_pool.py", parser, out, WORKERS)
    start(out, command, (0,), "\0".join(batch.paths))


def by_spawned(batch: Batch, out: Path) -> None:
    """Pypdf in a new interpreter for each file, as a pool of the library does it."""
    command = (sys.executable, _HERE / "peer_pool.py", "pypdf", out, WORKERS, "--spawn")
    start(out, command, (0,), "\0".join(batch.paths))


def count_run(out: Path) -> Output:
    """Count the records of a run; raises `WayError` if its summary does not say the same."""
    summary = json.loads((out / "run" / "summary.json").read_text(encoding="utf-8"))
    records = _lines(out / "run" / "pages.jsonl")
    if records != summary["pages"] or not records:
        raise WayError(f"{records} records, and the summary has {summary['pages']}")
    return Output(summary["ok"] + summary["partial"], records)


def count_spools(out: Path) -> Output:
    """Count the records that the lower bound wrote, and the files that have any."""
    lines = [_lines(path) for path in out.glob("*.spool")]
    return Output(sum(1 for each in lines if each), sum(lines))


def count_texts(out: Path) -> Output:
    """Count texts, of any name that tells them."""
    return Output(sum(1 for path in out.rglob("*") if path.suffix in {".txt", ".md"}))


def check(name: str, output: Output, expected: Output) -> None:
    """Compare what a way wrote with what a run of pdfingest has.

    Raises:
        WayError: records are missing, or texts of more than `MOST_LOST` of the files.
    """
    if output.records and output != expected:
        raise WayError(f"{name} wrote {output}, and not {expected}")
    if output.files < (1 - MOST_LOST) * expected.files:
        raise WayError(f"{name} wrote texts of {output.files} files, and not of {expected.files}")


def round_of(
    way: Way, batch: Batch, measure: Callable[[Callable[[], None]], Measured]
) -> tuple[Measured, Output]:
    """Do one round in a directory of its own; return what was measured, and what came out."""
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        return measure(partial(way.run, batch, out)), way.count(out)


def ways(python: Path) -> dict[str, Way]:
    """Return all ways that are installed, by name.

    Args:
        python: interpreter of the environment that has the programs and packages of others.
    """
    known: dict[str, Way] = {}
    for form in ("text", "markdown", "raw"):
        more = "" if form == "text" else f"-{form}"
        known[f"pdfingest{more}"] = Way(partial(by_pdfingest, form), count_run)
        known[f"bound{more}"] = Way(partial(by_bound, form), count_spools)
    if shutil.which("pdftotext"):
        known["pdftotext"] = Way(by_pdftotext, count_texts)
    lit, opendataloader = python.parent / "lit", python.parent / "opendataloader-pdf"
    if lit.exists():
        known["liteparse"] = Way(partial(by_liteparse, lit), count_texts)
    if opendataloader.exists() and shutil.which("java"):
        known["opendataloader"] = Way(partial(by_opendataloader, opendataloader), count_texts)
    for parser in ("pdf_oxide", "docling_parse"):
        if _has(python, parser):
            known[parser] = Way(partial(by_pool, python, parser), count_texts)
    known["spawned"] = Way(by_spawned, count_texts)
    return known


def _has(python: Path, package: str) -> bool:
    if str(python) == sys.executable:
        return importlib.util.find_spec(package) is not None
    code = f"import importlib.util, sys; sys.exit(not importlib.util.find_spec('{package}'))"
    return subprocess.run([python, "-c", code], check=False).returncode == 0


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)
