"""The work of a run without its isolation, by one process that lives long: the lower bound.

    printf 'a.pdf\\0b.pdf' | python lower_bound.py OUT [FORMAT]

It reads the files with the same engine, and writes the same records, as `pdfingest run`, into one
spool a file in the directory OUT. Ends with an error if a file has no outcome. This is a module,
and no text within another, so that types are checked against what it calls.
"""

import os
import sys
from pathlib import Path

from pdfingest.child.extraction import Extraction
from pdfingest.engines.registry import find_engines
from pdfingest.exchange.recorder import Playback, Recorder
from pdfingest.job import Job, Limits, Sandbox
from pdfingest.model import Format, Source, Unit
from pdfingest.outcome import Cost, Halted

LIMITS = Limits(memory_bytes=1 << 40, output_bytes=1 << 40, pages=1 << 30)


def read_all(paths: list[str], out: Path, form: Format) -> None:
    """Read the files in turn, each into a spool of its own.

    Raises:
        RuntimeError: the engine gave up on a file for a reason that a run would not report.
    """
    engines = find_engines("auto")
    recording = str(out / f"{os.getpid()}.recorder")
    playback = Playback(recording)
    recorder = Recorder(recording, 1)
    for path in paths:
        job = Job(
            source=Source(Path(path).name, path),
            engines=engines,
            passwords=(),
            unit=Unit.PAGE,
            limits=LIMITS,
            spool=str(out / f"{Path(path).name}.spool"),
            sandbox=Sandbox.OFF,
            format=form,
        )
        outcome = Extraction(job, recorder, Cost).run()
        if isinstance(outcome, Halted):
            raise RuntimeError(  # noqa: TRY004 - an end of the job, and no wrong type
                f"{path}: {outcome}"
            )
    playback.close()


if __name__ == "__main__":
    read_all(sys.stdin.read().split("\0"), Path(sys.argv[1]), Format(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)  # as the children of a run: what there is to free, the system takes back
