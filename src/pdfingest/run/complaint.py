"""Complaints: what a child says of the machine, such as a full disk, and whether it is true.

A child that a file has taken over may say it to stop the run. So another child, which opens no
file, is asked whether it sees the same, under the same limits and in the same sandbox.
"""

import os
from contextlib import closing, suppress
from queue import Empty, SimpleQueue

from pdfingest.errors import EngineUnavailableError, OutputError, PdfingestError, SandboxError
from pdfingest.isolation.start import starter
from pdfingest.job import Check, Job
from pdfingest.outcome import EnvironmentFailure
from pdfingest.run.lane import Inbox, Lane
from pdfingest.run.lanes import abort
from pdfingest.run.turn import TimeLimits
from pdfingest.run.work import Work
from pdfingest.stop import Stop

_CHECK_S = 60.0
"""How long the check may take; it takes as long as to import the engines."""
_TICK_S = 0.05


def confirmed(job: Job, recorder: str, stop: Stop) -> PdfingestError | None:
    """Check whether the machine fails a child that opens no file. Runs in the parent; blocks.

    Args:
        job: what a child complained about.
        recorder: path for a flight recorder.
        stop: ends the check early; then nothing is confirmed.

    Returns:
        The error that stops the run; None if the machine is sound.
    """
    written = os.path.getsize(job.spool) if os.path.exists(job.spool) else 0
    check = job._replace(step=Check(written), earlier=None, spool=f"{job.spool}.check")
    inbox: Inbox = SimpleQueue()
    try:
        with closing(
            Lane(0, starter(job.all_engines, job.readable), inbox, recorder, _LIMITS)
        ) as lane:
            lane.start(Work(check))
            while not stop.requested:
                lane.watch()
                with suppress(Empty):
                    if turn := inbox.get(timeout=_TICK_S):
                        answer = lane.finish(turn)
                        return _error(answer) if isinstance(answer, EnvironmentFailure) else None
            abort([lane])
            return None
    except OSError as error:  # the parent itself cannot write there
        return cannot_spool(f"{recorder}: {error}")
    finally:
        for path in (recorder, check.spool):
            with suppress(OSError):
                os.unlink(path)


_LIMITS = TimeLimits(_CHECK_S, _CHECK_S)


def _error(failure: EnvironmentFailure) -> PdfingestError:
    match failure.what:
        case "engine":
            return EngineUnavailableError(failure.message)
        case "sandbox":
            return SandboxError(failure.message)
        case _:
            return cannot_spool(failure.message)


def cannot_spool(what: str) -> OutputError:
    """Return the error of a machine that cannot hold what children write."""
    cure = "Free some space or name another --output."
    return OutputError(f"cannot write the spool {what}. {cure}")
