"""What the parent holds and imports."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import environment, make_pdf, read_lines

PDF_LIBRARIES = {"pypdf", "pypdfium2", "pypdfium2_raw", "pdfplumber", "pdfminer"}
RUN = """
import gc, json, resource, sys
from pdfingest import IngestOptions, Listener, ingest

class Watch(Listener):
    def __init__(self):
        self.rss, self.garbage = [], []
        gc.callbacks.append(self.on_collected)
    def on_collected(self, phase, info):
        if phase == "stop" and self.rss:
            self.garbage.append(info["collected"])
    def on_finished(self, finished, summary):
        if not self.rss:
            gc.collect()  # what was left of the start
        with open("/proc/self/statm") as file:
            self.rss.append(int(file.read().split()[1]) * resource.getpagesize())

if __name__ == "__main__":
    watch = Watch()
    options = json.loads(sys.argv[2])
    ingest([sys.argv[1]], IngestOptions(**options), listeners=[watch])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seen = {"rss": watch.rss, "peak": peak, "garbage": watch.garbage}
    print(json.dumps({**seen, "modules": sorted(sys.modules)}))
"""


@pytest.fixture
def observed(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """A run in a process of its own, and what its parent looked like."""
    script = tmp_path / "observe.py"
    script.write_text(RUN)

    def run(pdfs: Path, out: Path, engine: str, **options: str) -> dict[str, Any]:
        options = {"output": str(out), "engine": engine, **options}
        done = subprocess.run(
            [sys.executable, script, pdfs, json.dumps(options)],
            env=environment(),
            capture_output=True,
            text=True,
            check=True,
            timeout=100,
        )
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    return run


Observed = Callable[..., dict[str, Any]]


def test_the_parent_imports_no_pdf_library(observed: Observed, pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    modules = observed(pdfs, out, "auto")["modules"]
    assert PDF_LIBRARIES.isdisjoint(modules)
    assert {"typer", "rich"}.isdisjoint(modules)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_parent_measures_by_psutil_which_no_child_loads(
    observed: Observed, pdfs: Path, out: Path, faulty: Callable[..., Path]
) -> None:
    faulty("a.pdf", fault="reads", target="/proc/self/maps")
    assert "psutil._psutil_linux" in observed(pdfs, out, "faulty", sandbox="off")["modules"]
    (record,) = read_lines(out / "pages.jsonl")
    assert "/lib" in record["text"]
    assert "psutil" not in record["text"]


def test_what_a_file_took_is_freed_at_once_and_not_left_to_the_garbage_collector(
    observed: Observed, pdfs: Path, out: Path, faulty: Callable[..., Path]
) -> None:
    for number in range(100):
        faulty(f"{number}.pdf", fault="" if number % 4 else "raises")
    garbage = observed(pdfs, out, "faulty")["garbage"]
    assert garbage, "each look at the memory collects it"
    assert sum(garbage) < 300, "those of the lanes, and no three for each file"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("unit", ["page", "document", "chunk"])
def test_the_parent_never_holds_the_text(
    pdfs: Path, out: Path, faulty: Callable[..., Path], unit: str
) -> None:
    # To count the tokens of gigantic words takes long, and is not what is tested.
    more = ["--tokenizer", "characters"] if unit == "chunk" else []

    def peak(mib: int) -> int:
        faulty("a.pdf", pages=mib, text="x" * 1024, times=1024)
        code = (
            "import sys; sys.argv[0] = 'pdfingest'\n"
            "import pdfingest.__main__ as main\n"
            "code = main.main()\n"
            "status = open('/proc/self/status').read()\n"
            "print(code, int(status.split('VmHWM:')[1].split()[0]) * 1024)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, "run", pdfs, "-o", out, "--engine", "faulty", "-q",
             "--unit", unit, *more],
            env=environment(), capture_output=True, text=True, check=True, timeout=100,
        )  # fmt: skip
        code_, peak_bytes = map(int, done.stdout.split())
        assert code_ == 0
        return peak_bytes

    small = peak(1)
    assert peak(16) - small < 5 << 20
    records = out / f"{unit}s.jsonl"
    assert records.stat().st_size > 16 << 20
