"""Birth: how children are started, and the handles to those that were.

Owns the start method, the image that children are forked from, and the process groups that they
lead. Does not own what a child does (`child`) nor when one is needed (`lane`).
"""

import multiprocessing
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from multiprocessing.context import BaseContext, SpawnContext, SpawnProcess
from multiprocessing.process import BaseProcess
from typing import Any, cast

from pdfingest import child
from pdfingest.model import EngineSpec

_PRELOAD = (
    "concurrent.futures.process",
    "multiprocessing.popen_forkserver",
    "resource",
    "pdfingest.child",
)
"""What every child needs; imported once, in the forkserver. Without it a child takes 30 times as
long to boot."""

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


def start_context(engine: EngineSpec) -> BaseContext:
    """How children are started: by a fork of an image that holds the engine, else by spawn.

    Only the engine that is tried first is in the image: a larger image makes every fork slower.
    And only if it is one of ours: an engine that hangs or dies on import must do so in a child.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return _SpawnContext()
    own = [engine.module] if engine.module.startswith("pdfingest.") else []
    return _image((*_PRELOAD, *own, "pdfingest.supervise.preload"))


def begin_image(engine: EngineSpec) -> None:
    """Begin to make the image in another process, and go on here."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        cast(Any, start_context(engine)).begin()


@cache
def _image(modules: tuple[str, ...]) -> BaseContext:
    """An image is made once, and lives as long as this process does."""
    from pdfingest.supervise.image import ImageContext  # noqa: PLC0415 - not for Windows

    return ImageContext(modules)


class _Spawned(SpawnProcess):
    """A process that imports everything anew, and boots before it does what it is for."""

    def start(self) -> None:
        """Start it."""
        start_again(super().start)

    def __reduce__(self) -> tuple[Any, ...]:
        return child.as_spawned, (self.__dict__,)


class _SpawnContext(SpawnContext):
    """As the library's, with these processes."""

    Process = _Spawned


class WatchedContext:
    """A start context that remembers its children.

    `multiprocessing.active_children()` forgets a child the moment it is dead, so the handle must
    be taken at birth, and children are born in the executor's thread.
    """

    def __init__(self, context: BaseContext) -> None:
        self._context = context
        self._children: list[BaseProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # noqa: N802 - BaseContext's name
        """A new process, remembered."""
        process: BaseProcess = cast(Any, self._context).Process(*args, **kwargs)
        self._children.append(process)
        return process

    def child(self, pid: int = 0) -> BaseProcess | None:
        """The child of this number; without one, or where it is unknown, the newest."""
        children = list(self._children)
        for process in reversed(children):
            if process.pid == pid:
                return process
        return children[-1] if children else None

    def end_groups(self, *, newest: bool = False) -> None:
        """End what the engines of past children forked, once those children are gone.

        Not before: the executor may start a child while the one before is still on its way out,
        and a kill could then hit it while it holds the lock of the executor's queue.

        Args:
            newest: whether the executor has ended, so that the newest child is of the past too.
        """
        if not hasattr(os, "killpg"):  # Windows knows no groups of this kind
            return
        for process in self._children[: None if newest else -1]:
            if process.pid is None:
                continue
            try:
                os.kill(process.pid, 0)
            except ProcessLookupError:
                self._children.remove(process)
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the context's own."""
        return getattr(self._context, name)
