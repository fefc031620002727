"""What several children of one source took together."""

from pdfingest.job import Attempt, Job, Limits, Sandbox
from pdfingest.model import Source, Unit
from pdfingest.outcome import Cost, Peak
from pdfingest.run.work import Work

LIMITS = Limits(memory_bytes=1, output_bytes=1, pages=1)
JOB = Job(Source("a", "a"), (), (), Unit.PAGE, LIMITS, "spool", Sandbox.OFF, step=Attempt())


def test_peaks_are_the_highest_each_by_itself() -> None:
    work = Work(JOB, costs=[Cost(peak=Peak(100, 10, "VmHWM", 5))])
    whole = work.cost(Cost(peak=Peak(50, 20, "VmHWM", 30)))
    assert whole.peak == Peak(100, 20, "VmHWM", 30)
    assert whole.attempts == 2
