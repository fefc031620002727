"""A run of one small file, which shows whether engines can read at all, and what a file takes."""

import tempfile
from collections import deque
from pathlib import Path

from pdfingest.events import Listener
from pdfingest.isolation.warm_up import small_pdf
from pdfingest.options import IngestOptions
from pdfingest.outcome import Finished
from pdfingest.output.summary import Summary
from pdfingest.run.pipeline import stream


class _Ending(Listener):
    """Keeps how the file ended."""

    finished: Finished | None = None

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        del summary
        self.finished = finished


def trial(options: IngestOptions) -> Finished:
    """Read a file of two pages as a run with some options would, and return how it ended.

    Raises:
        PdfingestError: as `pipeline.stream`.
    """
    ending = _Ending()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.pdf"
        path.write_bytes(small_pdf())
        deque(stream([path], options, listeners=[ending]), maxlen=0)
    assert ending.finished is not None, "a run accounts for each file"
    return ending.finished
