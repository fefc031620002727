"""What a file costs beyond its OCR where models are loaded once, and where each process loads them.

    pip install ./examples/engines/rapidocr && python tests/benchmarks/bench_models.py [FILES]

Reads pictures of known text by RapidOCR in three ways: in one process that reads all of them, which
is the lower bound; by pdfingest, in forks of an image that holds the models; and by pdfingest with
`PDFINGEST_FORK=0`, where a new process loads them for each file. One lane each, so that times are
of one CPU. Prints seconds a file and memory; judges nothing.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from ocr_pages import HEIGHT, WIDTH, image, page, placed
from pdfingest.engines.pdfium import open_document
from pdfingest.ocr.transcript import transcribe
from pdfingest_rapidocr import load, open_reader
from pictures import scanned, sentences, typeset

FILES = int(sys.argv[1]) if len(sys.argv) > 1 else 100
LITERAL = max(FILES // 10, 5)
"""The literal way takes seconds a file."""
DPI = 150


def make(folder: Path) -> list[Path]:
    """Make pictures of three lines each."""
    paths = []
    for number in range(FILES):
        text = typeset(sentences(number, 3, 6), "Times", 12)
        picture = scanned(text, DPI).crop((0, 0, 1240, 320))
        paths.append(folder / f"{number:04}.pdf")
        paths[-1].write_bytes(page(placed((0, HEIGHT - 154, WIDTH, 154)), [image(picture)]))
    return paths


def together(paths: list[Path]) -> tuple[float, float]:
    """Read all in this process; return seconds of loading, and seconds a file."""
    began = time.perf_counter()
    load()
    loaded = time.perf_counter()
    reader = open_reader(["eng"])
    for path in paths:
        document = open_document(str(path), ())
        transcribe(partial(document.picture, 1), reader)
        document.close()
    return loaded - began, (time.perf_counter() - loaded) / len(paths)


def apart(paths: list[Path], output: Path, **environment: str) -> tuple[float, str]:
    """Read each in a process of its own; return seconds a file, and what memory it took."""
    listed = output.with_suffix(".txt")
    listed.write_text("\n".join(map(str, paths)), encoding="utf-8")
    command = [sys.executable, "-m", "pdfingest", "run", "--files-from", str(listed)]
    began = time.perf_counter()
    subprocess.run(
        [*command, "-o", str(output), "--ocr", "rapidocr", "-w", "1", "-q"],
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        check=True,
    )
    seconds = (time.perf_counter() - began) / len(paths)
    lines = [json.loads(line) for line in (output / "report.jsonl").read_text().splitlines()]
    assert all(line["status"] == "ok" and line["ocr_pages"] for line in lines)
    summary = json.loads((output / "summary.json").read_text())
    peak, private = (
        max(line[name] for line in lines) >> 20 for name in ("peak_rss_bytes", "private_peak_bytes")
    )
    verdict = summary["memory"]["verdict"] if "memory" in summary else ""
    return seconds, f"peak {peak} MiB, private {private} MiB {verdict}"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        paths = make(Path(folder))
        loading, bound = together(paths)
        warm, warm_memory = apart(paths, Path(folder) / "warm")
        literal, literal_memory = apart(
            paths[:LITERAL], Path(folder) / "literal", PDFINGEST_FORK="0"
        )
    print(f"models: {loading:.2f} s to load\n")
    print("| way | files | s a file | beyond the OCR, ms | memory of a file |")
    print("|---|---|---|---|---|")
    print(f"| one process for all | {FILES} | {bound:.3f} | | |")
    over = (warm - bound - loading / FILES) * 1000
    print(f"| forks of an image | {FILES} | {warm:.3f} | {over:.0f} | {warm_memory} |")
    over = (literal - bound) * 1000
    print(f"| a new process each | {LITERAL} | {literal:.3f} | {over:.0f} | {literal_memory} |")


if __name__ == "__main__":
    main()
