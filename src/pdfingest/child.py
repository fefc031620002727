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
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
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


class Newborn:
    """What a child of the image unpickles in the place of a process: it boots, and does its work.

    Why not the library's: it prepares for children, queues and threads of its own, which costs more
    than the text of a page.
    """

    def __init__(self, target: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._target = target
        self._args = args

    def _bootstrap(self, parent_sentinel: int) -> int:
        """Called by `multiprocessing.spawn`; gives the exit code, 1 where this raises."""
        boot(parent_sentinel)
        self._target(*self._args)
        return 0


class Spawned(SpawnProcess):
    """What a spawned child unpickles: the library's process, which boots first."""

    def run(self) -> None:
        """Boot, and do its work."""
        ignore_stop_signals()
        parent = multiprocessing.parent_process()
        assert parent is not None
        boot(parent.sentinel)
        super().run()


def as_spawned(state: dict[str, Any]) -> Spawned:
    """Unpickle the process object of a spawned child."""
    process = Spawned.__new__(Spawned)
    process.__dict__.update(state)
    return process


class Calls:
    """The child's end of the executor's queue of calls: it alone reads, so there is no lock."""

    def __init__(self, reader: "Connection[Any, Any]") -> None:
        self._reader = reader

    def get(self, block: bool = True) -> Any:  # noqa: FBT001, FBT002 - the signature of a queue
        """Wait for the next one."""
        del block
        return self._reader.recv()


class Results:
    """The child's end of the executor's queue of results: it alone writes, so there is no lock."""

    def __init__(self, writer: "Connection[Any, Any]") -> None:
        self._writer = writer

    def put(self, result: Any) -> None:
        """Send it."""
        self._writer.send(result)


def ignore_stop_signals() -> None:
    """Leave the end to the parent.

    Ctrl-C, and the SIGTERM of a service manager, reach the whole group; only the parent may decide
    what they mean, and it ends its children by SIGKILL.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def boot(parent_sentinel: int) -> None:
    """Make a fresh child safe to leave alone, before its job arrives.

    Args:
        parent_sentinel: descriptor of a pipe whose other end the parent holds.
    """
    _lead_group()
    _die_with_parent(parent_sentinel)
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


def _die_with_parent(sentinel: int) -> None:
    """Have this process end when the parent does, even while C code holds the GIL.

    PR_SET_PDEATHSIG would watch the forkserver, which lives as long as any child does, since each
    child inherits the descriptor that keeps it alive. So the kernel is asked to send SIGKILL when
    the pipe that `multiprocessing` keeps from parent to child hangs up: F_SETSIG, fcntl(2). The
    owner is the group, so that what an engine forked goes too.
    """
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - absent on Windows
        import select  # noqa: PLC0415 - as above

        fcntl.fcntl(sentinel, fcntl.F_SETOWN, -os.getpid())
        fcntl.fcntl(sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(sentinel, fcntl.F_SETFL, os.O_ASYNC)
        hung_up = select.poll()
        hung_up.register(sentinel, 0)
        if hung_up.poll(0):
            os._exit(_ORPHANED)
    else:
        threading.Thread(target=_exit_after, args=(sentinel,), daemon=True).start()


def _exit_after(parent_sentinel: int) -> None:
    """Wait for the parent's end, then end; for systems without F_SETSIG."""
    multiprocessing.connection.wait([parent_sentinel])
    os._exit(_ORPHANED)


def run(job: Job) -> Answer:
    """Extract one source into its spool. Runs in the child, once in its life."""
    recorder = Recorder(job.recorder, job.ticket)  # first of all: time limits count from here
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

    # Before the baseline is taken: the library that hashes is a MiB of memory, and not the file's.
    extraction = Extraction(job, recorder, cost)
    meter = PeakMeter()
    _leave_stacks(recorder)
    room = limits.apply(job.limits)
    try:
        confine.enter(job)
        answer = extraction.run()
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
