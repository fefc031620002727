"""The other side of the pickle: what runs in the fresh process that a file gets.

`boot` makes the process safe to leave alone; `run` turns one job into one answer. Whatever an
engine does short of killing the process ends as a value; no exception crosses to the parent.
"""

import faulthandler
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from multiprocessing.process import BaseProcess
from typing import Any, TypeAlias

from pdfingest import limits
from pdfingest.errors import EngineUnavailableError, SandboxError
from pdfingest.extraction import Extraction
from pdfingest.memory import PeakMeter
from pdfingest.model import Cost, EnvironmentFailure, Halted, Job, Outcome
from pdfingest.recorder import DONE, Recorder
from pdfingest.sandbox import confine
from pdfingest.spool import SpoolError

Answer: TypeAlias = Outcome | Halted | EnvironmentFailure

_ORPHANED = 1

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that mean the run, not a child."""

STACK_SIGNAL = getattr(signal, "SIGUSR2", 0)
"""Asks a child for the stack of what it is doing; 0 where there is no such signal."""


def as_process(kind: type[BaseProcess], state: dict[str, Any]) -> BaseProcess:
    """Unpickle the process object of a child as the plain kind that it is there."""
    process = kind.__new__(kind)
    process.__dict__.update(state)
    return process


def boot() -> None:
    """Make a fresh child safe to leave alone; the executor calls it before the job arrives."""
    # Ctrl-C, and the SIGTERM of a service manager, reach the whole group; only the parent may
    # decide what they mean, and it ends its children by SIGKILL.
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _lead_group()
    _die_with_parent()
    _silence()


def _lead_group() -> None:
    """Lead a process group, so that what an engine forks can be found and ended."""
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)


def _silence() -> None:
    """Point standard input and output at nothing: libraries print, and stdout carries data."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _die_with_parent() -> None:
    """Have this process end when the parent does, even while C code holds the GIL.

    PR_SET_PDEATHSIG would watch the forkserver, which lives as long as any child does, since each
    child inherits the descriptor that keeps it alive. So the kernel is asked to send SIGKILL when
    the pipe that `multiprocessing` keeps from parent to child hangs up: F_SETSIG, fcntl(2). The
    owner is the group, so that what an engine forked goes too.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - absent on Windows

        fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(parent.sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, os.O_ASYNC)
        if not parent.is_alive():
            os._exit(_ORPHANED)
    else:
        threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()


def _exit_after(parent_sentinel: int) -> None:
    """Wait for the parent's end, then end; for systems without F_SETSIG."""
    multiprocessing.connection.wait([parent_sentinel])
    os._exit(_ORPHANED)


def run(job: Job) -> Answer:
    """Extract one source into its spool. Runs in the child, once in its life."""
    recorder = Recorder(job.recorder, job.ticket)  # first of all: time limits count from here
    meter = PeakMeter()
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

    _leave_stacks(recorder)
    room = limits.apply(job.limits)
    try:
        confine.enter(job)
        answer = Extraction(job, recorder, cost).run()
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
    """Have a crash, and a parent that asks, write the Python stack behind the notes.

    Both are C handlers and work while C code holds the GIL. Why not a watchdog in the child
    (faulthandler.dump_traceback_later): it starts a thread for every page.
    """
    faulthandler.enable(recorder.fileno(), all_threads=False)
    if STACK_SIGNAL:
        faulthandler.register(STACK_SIGNAL, recorder.fileno(), all_threads=False)
