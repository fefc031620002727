"""A loop: one process that does all that a child does for a file, but goes on with the next.

What a fresh process for each file costs is the difference to this. It has the limits of a run, but
no sandbox, ledger or report.
"""

import os
from contextlib import closing, suppress
from dataclasses import dataclass

from pdfingest.bench.legs import Inputs, Leg
from pdfingest.bench.long_lived import LongLived, Reports, Watch
from pdfingest.child import limits
from pdfingest.child.extraction import Extraction
from pdfingest.exchange.recorder import Playback, Recorder
from pdfingest.job import Job, Sandbox
from pdfingest.measure.memory import PeakMeter
from pdfingest.options import IngestOptions
from pdfingest.outcome import Cost, Extracted
from pdfingest.run.tools import find_tools
from pdfingest.run.work import job_template


def looped(inputs: Inputs, options: IngestOptions, folder: str, watch: Watch) -> Leg:
    """Read the files in one process, one after the other.

    Args:
        inputs: the files.
        options: of the run that is compared.
        folder: where the process may write.
        watch: of the leg.
    """
    job = job_template(options, find_tools(options))._replace(
        limits=options.limits()._replace(memory_bytes=options.budget_bytes()),
        spool=os.path.join(folder, "spool"),
        sandbox=Sandbox.OFF,  # what a process gives up for one file, it cannot use for the next
    )
    loop = Loop(job, f"{job.spool}.notes")
    with closing(Playback(loop.recorder)):  # it makes the file
        process = LongLived(loop, options.budget_bytes(), options.timeout_s)
        return process.read("loop", inputs, watch)


@dataclass(frozen=True, slots=True)
class Loop:
    """The program of a loop; see `long_lived.Program`."""

    job: Job
    """What to do with each file: any source, and a spool that may be overwritten."""
    recorder: str
    """Path of its flight recorder, which must exist."""

    @property
    def wave(self) -> int:
        """Number of files that it reads at the same time."""
        return 1

    def __call__(self, reports: Reports, inputs: Inputs, begin: int) -> None:
        """Read one file after the other."""
        meter = PeakMeter()
        limits.apply(self.job.limits)
        reports.send(meter.resident_bytes())
        for index in range(begin, inputs.files):
            job = self.job._replace(source=inputs.at(index))
            notes = Recorder(self.recorder, index)
            outcome = Extraction(job, notes, Cost).run()
            notes.close()
            with suppress(FileNotFoundError):
                os.unlink(job.spool)
            reports.send(isinstance(outcome, Extracted))
            reports.send(meter.resident_bytes())
