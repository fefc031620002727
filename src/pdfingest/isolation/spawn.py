"""Children where there is no fork: processes that `spawn` starts and that import all anew."""

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from typing import Any

from pdfingest.child import limits
from pdfingest.child import main as child
from pdfingest.isolation.environment import forget_variables


class Spawned(SpawnProcess):
    """A process that is made safe to leave alone before it does what it is for."""

    def run(self) -> None:
        """Make it safe, and do its work. Runs in the child."""
        child.ignore_stop_signals()
        parent = parent_process()
        assert parent is not None
        if sys.platform == "win32":
            threading.Thread(target=_exit_after, args=(parent.sentinel,), daemon=True).start()
        else:
            child.die_with_parent(parent.sentinel)
        child.silence()
        forget_variables()
        limits.be_first_to_go()
        super().run()


def _exit_after(parent: int) -> None:
    """Wait for the parent's end, then end."""
    wait([parent])
    os._exit(1)


class SpawnedChild:
    """A spawned process; see `context.Child`."""

    def __init__(self, process: SpawnProcess) -> None:
        self._process = process
        self.pid = process.pid or 0

    @property
    def end(self) -> int:
        """A descriptor, or a handle of Windows, that can be read once it has ended."""
        return self._process.sentinel

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has ended, or does so within that time; None waits for it."""
        return bool(wait([self._process.sentinel], seconds))

    def read_exit_code(self, seconds: float) -> int | None:
        """Return its exit code; None if it has not ended within that time."""
        self._process.join(seconds)
        return self._process.exitcode

    def signal(self, number: int) -> None:
        """Send a signal to it if it lives."""
        if self._process.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def let_go(self) -> None:
        """Do nothing: the library holds what there is of it."""

    def close(self) -> None:
        """Let go of a process that has ended."""
        self._process.join()
        self._process.close()


class Spawner:
    """Starts children; see `context.Starter`."""

    def start(self, target: Callable[..., Any], args: tuple[Any, ...]) -> SpawnedChild:
        """Start a child that calls a function.

        Raises:
            OSError: there is none to be had, or it was killed while it started.
        """
        process = Spawned(target=target, args=args)
        try:
            process.start()
        except EOFError as error:
            raise BrokenPipeError("the child was killed while it started") from error
        return SpawnedChild(process)

    def kill(self) -> None:
        """Do nothing: a start does not wait for another process."""
