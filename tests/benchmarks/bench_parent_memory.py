"""Does the parent stay flat beside a document of 200 MB of text? (`bench_scale` has many files.)

    nox -s bench

Linux only, as it reads /proc. Prints figures and judges nothing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

TEXT_MB = 200
WATCHED = """
import sys
from pdfingest import IngestOptions, ingest

if __name__ == "__main__":
    ingest([sys.argv[1]], IngestOptions(output=sys.argv[2], engine="faulty", workers=2))
    with open("/proc/self/status") as file:  # VmHWM: ru_maxrss would be that of who started this
        print("  peak of the parent:", file.read().split("VmHWM:")[1].split("\\n")[0].strip())
"""


def watch(pdfs: Path) -> None:
    """A run in a process of its own, which prints what it sees of itself."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "watched.py"
        script.write_text(WATCHED)
        faults = Path(__file__).parent.parent / "faults"
        subprocess.run(
            [sys.executable, script, pdfs, f"{folder}/out"],
            check=True,
            env={"PYTHONPATH": str(faults), "PATH": ""},
        )


def main() -> None:
    """A small document, and a large one."""
    order = '{"pages": %d, "fault": "", "page": 1, "name": "", "text": "x", "times": 1000000}'
    for text_mb in (1, TEXT_MB):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "large.pdf").write_text("%PDF-" + order % text_mb)
            print(f"one document of {text_mb} MB of text", flush=True)
            watch(Path(name))


if __name__ == "__main__":
    main()
