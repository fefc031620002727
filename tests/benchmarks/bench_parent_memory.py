"""Does the parent stay flat: over thousands of files, and beside a document of 200 MB of text?

    nox -s bench

Linux only, as it reads /proc. Prints figures and judges nothing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from fpdf import FPDF

FILES = 5000
FIRST = 500
TEXT_MB = 200
WATCHED = """
import os, resource, sys
from pdfingest import IngestOptions, Listener, ingest

def rss_kib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024

class Watch(Listener):
    def on_finished(self, finished, summary):
        if summary.finished in (FIRST, summary.planned):
            print(f"  RSS after {summary.finished} files: {rss_kib():,} KiB")

if __name__ == "__main__":
    ingest([sys.argv[1]], IngestOptions(output=sys.argv[2], engine=sys.argv[3], workers=2),
           listeners=[Watch()])
    with open("/proc/self/status") as file:  # VmHWM: ru_maxrss would be that of who started this
        print("  peak of the parent:", file.read().split("VmHWM:")[1].split("\\n")[0].strip())
"""


def watch(title: str, pdfs: Path, engine: str) -> None:
    """A run in a process of its own, which prints what it sees of itself."""
    print(title, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "watched.py"
        script.write_text(WATCHED.replace("FIRST", str(FIRST)))
        faults = Path(__file__).parent.parent / "faults"
        subprocess.run(
            [sys.executable, script, pdfs, f"{folder}/out", engine],
            check=True,
            env={"PYTHONPATH": str(faults), "PATH": ""},
        )


def main() -> None:
    """Both measurements."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pdf = FPDF()
        pdf.add_page()
        pdf.set_font("Helvetica", size=12)
        pdf.multi_cell(0, text="One page of text. " * 50)
        content = bytes(pdf.output())
        for number in range(FILES):
            (folder / f"{number:05}.pdf").write_bytes(content)
        watch(f"{FILES} one-page files, engine pdfium", folder, "pdfium")
    for text_mb in (1, TEXT_MB):
        with tempfile.TemporaryDirectory() as name:
            order = (
                '{"pages": %d, "fault": "", "page": 1, "name": "", "text": "x", "times": 1000000}'
            )
            (Path(name) / "large.pdf").write_text("%PDF-" + order % text_mb)
            watch(f"one document of {text_mb} MB of text", Path(name), "faulty")


if __name__ == "__main__":
    main()
