"""What runs in the fresh process that a file gets.

`run` turns one job into one answer; the functions before it make the process safe to leave alone.
Whatever an engine does short of killing the process ends as a value; no exception crosses to the
parent.
"""

import faulthandler
import os
import signal
import sys
import time
from contextlib import suppress

from pdfingest.child import limits
from pdfingest.errors import EngineUnavailableError, SandboxError
from pdfingest.exchange.answer import Answer, encoded
from pdfingest.exchange.recorder import DONE, Recorder
from pdfingest.exchange.spool import SpoolError
from pdfingest.job import Check, Job
from pdfingest.measure.memory import PeakMeter
from pdfingest.outcome import Cost, EnvironmentFailure, Halted

if sys.platform != "win32":
    import fcntl
    import select

_ORPHANED = 1
"""Exit code of a child whose parent has ended."""

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that mean the run, not a child."""

STACK_SIGNAL = getattr(signal, "SIGUSR2", 0)
"""Asks a child for the stack of what it is doing; 0 where there is no such signal."""

of_others: list[int] = []
"""Descriptors that this process has only until its job begins: those of the executor's call queue,
where the next child will find the next job."""


def ignore_stop_signals() -> None:
    """Ignore the signals that end a run: only the parent may decide what they mean.

    Ctrl-C, and the SIGTERM of a service manager, reach the whole group. The parent ends its
    children by SIGKILL.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def lead_group() -> None:
    """Make this process lead a group, so that what an engine forks can be found and ended."""
    os.setpgid(0, 0)


def silence() -> None:
    """Point standard input and output at nothing: libraries print, and stdout carries data."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def die_with_parent(pipe: int) -> None:
    """Have this process end when the parent does, even while C code holds the GIL.

    PR_SET_PDEATHSIG would watch the zygote. So the kernel is asked to send SIGKILL when the pipe
    from the parent hangs up: F_SETSIG, fcntl(2). The owner is the group, so that what an engine
    forked goes too.

    Args:
        pipe: descriptor of one that only the parent writes to, and to which it writes no more.
    """
    if sys.platform == "linux":
        fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(pipe, fcntl.F_SETFL, os.O_ASYNC)
        if _hung_up(pipe, 0):
            os._exit(_ORPHANED)
    else:
        import threading  # noqa: PLC0415 - each child of Linux would carry it

        threading.Thread(target=_exit_after, args=(pipe,), daemon=True).start()


def _hung_up(pipe: int, timeout_ms: int | None) -> bool:
    """Return whether nobody can write to a pipe any more."""
    ready = select.poll()
    ready.register(pipe, 0)
    return bool(ready.poll(timeout_ms))


def _exit_after(pipe: int) -> None:
    """Wait for the parent's end, then end; for systems without F_SETSIG."""
    _hung_up(pipe, None)
    os._exit(_ORPHANED)


def answer_to(job: Job, recorder: str, ticket: int, folder: str) -> bytes:
    """Do a job and encode what came of it. Runs in the child, once in its life.

    Args:
        job: what to do.
        recorder: path of the lane's flight recorder.
        ticket: tells the notes of this job from those of others.
        folder: where relative paths begin; empty where that is gone. One that may not be searched,
            such as the working directory of a container with another user, is no fault of the job.
    """
    while of_others:
        os.close(of_others.pop())
    if folder:
        with suppress(PermissionError):  # relative paths lead nowhere then, as in the parent
            os.chdir(folder)
    return encoded(run(job, Recorder(recorder, ticket)))


def run(job: Job, recorder: Recorder) -> Answer:
    """Extract one source into its spool. Runs in the child, once in its life.

    Args:
        job: what to do.
        recorder: made just before, as time limits count from its first note.
    """
    # The parent imports this module for the names of its functions; the image holds these two.
    from pdfingest.child.extraction import Extraction  # noqa: PLC0415 - 30 ms of the parent
    from pdfingest.child.sandbox import confine  # noqa: PLC0415 - as above

    started_at = time.time()
    clock = time.perf_counter()

    def cost() -> Cost:
        return Cost(
            pid=os.getpid(),
            started_at=started_at,
            wall_s=time.perf_counter() - clock,
            cpu_s=time.process_time(),
            peak=meter.read(),
        )

    meter = PeakMeter(is_private=job.limits.address_bytes > 0)
    extraction = Extraction(job, recorder, cost)
    _leave_stacks(recorder)
    room = limits.apply(job.limits)
    try:
        confine.enter(job)
        meter.start()  # after all that is not the file's: the library that hashes alone is a MiB
        answer = extraction.check() if isinstance(job.step, Check) else extraction.run()
    except SpoolError as error:
        return EnvironmentFailure("spool", f"{job.spool}: {error}")
    except EngineUnavailableError as error:
        return EnvironmentFailure("engine", str(error))
    except SandboxError as error:
        return EnvironmentFailure("sandbox", str(error))
    finally:
        room.close()
    if not isinstance(answer, Halted):  # its last note says where it halted
        recorder.note(page=DONE)
    return answer


def _leave_stacks(recorder: Recorder) -> None:
    """Have the Python stack written behind the notes, in a crash or when the parent asks.

    Both are C handlers and work while C code holds the GIL. Why not a watchdog in the child
    (faulthandler.dump_traceback_later): it starts a thread for every page.
    """
    faulthandler.enable(recorder.fileno(), all_threads=False)
    if STACK_SIGNAL:
        faulthandler.register(STACK_SIGNAL, recorder.fileno(), all_threads=False)
