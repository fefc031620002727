"""Children where there is no fork: processes that `spawn` starts and that import all anew.

Why not `multiprocessing.Process.start`: it also waits for all other processes that have ended, from
any thread, and so takes their exit codes and what they left behind from whoever looks after them;
and the interpreter does not end before all of them have. `Popen`, below it, does neither.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any

from pdfingest.child import limits
from pdfingest.child import main as child
from pdfingest.isolation.environment import forget_variables
from pdfingest.isolation.parcel import pack

if sys.platform == "win32":
    from multiprocessing.popen_spawn_win32 import Popen
else:
    from multiprocessing import resource_tracker
    from multiprocessing.popen_spawn_posix import Popen

_END_S = 1.0
"""How long a child that was killed may take to end; it takes milliseconds."""
_NONE = -1


class Spawned(SpawnProcess):
    """A process that is made safe to leave alone before it does what it is for."""

    def __init__(
        self, target: Callable[..., Any], args: tuple[Any, ...], variables: tuple[str, ...]
    ) -> None:
        super().__init__(target=target, args=args)
        self._calls = args[0]
        self._variables = variables

    def run(self) -> None:
        """Make it safe, and do its work. Runs in the child."""
        child.ignore_stop_signals()
        parent = parent_process()
        assert parent is not None
        if sys.platform == "win32":
            threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()
        else:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, child.STOP_SIGNALS)
            child.lead_group()
            child.die_with_parent(parent.sentinel)
            _, queue = pack(self._calls)
            tracker = resource_tracker.getfd()
            child.of_others[:] = queue if tracker is None else [*queue, tracker]
        child.silence()
        forget_variables(self._variables)
        limits.be_first_to_go()
        super().run()


def _exit_after(parent: int) -> None:
    wait([parent])
    os._exit(1)


class SpawnedChild:
    """A spawned process; see `context.Child`."""

    def __init__(self, process: SpawnProcess) -> None:
        self._popen = Popen(process)
        self.pid = self._popen.pid
        self._pidfd = _NONE
        if hasattr(os, "pidfd_open"):
            with suppress(OSError):  # Linux before 5.3, or no descriptor: the number must do
                self._pidfd = os.pidfd_open(self.pid)

    @property
    def end(self) -> int:
        """A descriptor, or a handle of Windows, that can be read once the process has ended."""
        # The library's is a pipe, which lives on in whatever the process forked.
        return self._popen.sentinel if self._pidfd == _NONE else self._pidfd

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has ended, or does so within that time; None waits for it.

        What it left behind is ended as well: before its number is given back to the system, which
        may give it to another process at once.
        """
        has_ended = bool(wait([self.end], seconds))
        if has_ended and sys.platform != "win32" and self._popen.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        return has_ended

    def read_exit_code(self, seconds: float) -> int | None:
        """Return its exit code; None if that is not known within that time."""
        if not self.has_ended(seconds):
            return None
        return self._popen.poll() if self._pidfd != _NONE else self._popen.wait(seconds)

    def signal(self, number: int) -> None:
        """Send a signal to it, and to no other process, if it lives."""
        with suppress(ProcessLookupError, PermissionError):
            if self._pidfd != _NONE:
                signal.pidfd_send_signal(self._pidfd, number)
            elif self._popen.returncode is None:
                os.kill(self.pid, number)

    def let_go(self) -> None:
        """Do nothing: the library holds what there is of it."""

    def close(self) -> None:
        """Close all that the parent has of it; if it still waits or works, it ends."""
        if self._popen.returncode is None:
            self.signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            self.read_exit_code(_END_S)
        self._popen.close()
        if self._pidfd != _NONE:
            os.close(self._pidfd)
            self._pidfd = _NONE


@dataclass(frozen=True)
class Spawner:
    """Starts children; see `context.Starter`."""

    variables: tuple[str, ...] = ()
    """Names of environment variables that they have beside the usual ones."""

    def start(self, target: Callable[..., Any], args: tuple[Any, ...]) -> SpawnedChild:
        """Start a child that calls a function.

        Raises:
            OSError: there is none to be had, or it was killed while it started.
        """
        with _stop_signals_blocked():
            return SpawnedChild(Spawned(target, args, self.variables))

    def kill(self) -> None:
        """Do nothing: a start does not wait for another process."""


@contextmanager
def _stop_signals_blocked() -> Generator[None, None, None]:
    """Have a process inherit that it is deaf to Ctrl-C, which only the parent may answer.

    It would end in a traceback otherwise, or at once, before it can say that it ignores them.
    """
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # the first start begins it, and then unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, child.STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
