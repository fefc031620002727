"""Spawn: the children of one lane where there is no fork; each imports everything anew.

Both sides of it: what the parent remembers, and what a spawned child unpickles.
"""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from pdfingest.child import limits
from pdfingest.child import main as child
from pdfingest.isolation.environment import forget_variables

_BIRTHS = 10
"""How often the start of one child is tried."""


def start_again(start: Callable[[], None]) -> None:
    """Start a process, and again where it is killed while it is born; the last try raises.

    An exception would end the executor's thread, and with it every word of the executor's jobs.
    """
    for _ in range(_BIRTHS - 1):
        with suppress(BrokenPipeError, EOFError):
            return start()
    return start()


class Spawned(SpawnProcess):
    """A process that is made safe to leave alone before it does what it is for."""

    start_error = ""

    def start(self) -> None:
        """Start it."""
        start_again(super().start)

    def run(self) -> None:
        """In the child: make it safe, and do its work."""
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

    def has_ended(self, seconds: float | None) -> bool:
        """See `birth.Process`."""
        return self.pid is None or bool(wait([self.sentinel], seconds))

    def signal(self, number: int) -> None:
        """See `birth.Process`."""
        if self.pid and self.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _exit_after(parent: int) -> None:
    """Wait for the parent's end, then end."""
    wait([parent])
    os._exit(1)


class Spawns(SpawnContext):
    """Where the children of one lane come from; the context of its executor.

    `multiprocessing.active_children()` forgets a child the moment it is dead, so the handle must
    be taken at birth, and children are born in the executor's thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self.newest: Spawned | None = None

    def executor(self) -> ProcessPoolExecutor:
        """See `birth.Births`."""
        return ProcessPoolExecutor(1, mp_context=self, max_tasks_per_child=1)

    def Process(self, *args: Any, **kwargs: Any) -> Spawned:  # type: ignore[override]  # noqa: N802 - BaseContext's name
        """A new process, which is remembered until the next."""
        self.newest = Spawned(*args, **kwargs)
        return self.newest

    def give_up(self) -> None:
        """Do nothing: the start of a process does not wait for another."""

    def close(self) -> None:
        """Do nothing: the executor has waited for them."""
