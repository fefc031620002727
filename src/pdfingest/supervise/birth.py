"""Birth: how children are started, and the handles to those that were.

Owns the start method, the image that children are forked from, and the process groups that they
lead. Does not own what a child does (`child`) nor when one is needed (`lane`).
"""

import multiprocessing
import os
import signal
from contextlib import suppress
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any, cast

from pdfingest import child
from pdfingest.model import EngineSpec

_PRELOAD = (
    "concurrent.futures.process",
    "multiprocessing.queues",
    "multiprocessing.synchronize",
    "multiprocessing.connection",
    "multiprocessing.popen_forkserver",
    "runpy",
    "resource",
    "pdfingest.child",
)
"""What every child needs; imported once, in the forkserver. Without it a child takes 30 times as
long to boot."""

_BIRTHS = 10
"""How often the start of one child is tried."""


def start_context(engine: EngineSpec) -> BaseContext:
    """How children are started: forkserver with an image that holds the engine, else spawn.

    Only the engine that is tried first is in the image: a larger image makes every fork slower.
    And only if it is one of ours: an engine that hangs or dies on import must do so in a child.
    The forkserver is one for the whole Python process; if it runs already, its image stays.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    own = [engine.module] if engine.module.startswith("pdfingest.") else []
    context.set_forkserver_preload([*_PRELOAD, *own, "pdfingest.supervise.preload"])
    return context


def _persistent(born: type[BaseProcess]) -> type[BaseProcess]:
    """A kind of process whose start is tried again where the child is killed while it is born.

    The executor starts children in a thread of its own, which an exception would end, and with it
    every word of the executor's jobs.
    """

    class Persistent(born):  # type: ignore[misc, valid-type]  # the kind depends on the start method
        """`born`, with a start that is tried again."""

        def start(self) -> None:
            """Start the process; the last try raises what it meets."""
            for _ in range(_BIRTHS - 1):
                with suppress(BrokenPipeError, EOFError):
                    super().start()
                    return
            super().start()

        def __reduce__(self) -> tuple[Any, ...]:
            return child.as_process, (born, self.__dict__)

    return Persistent


class WatchedContext:
    """A start context that remembers its children.

    `multiprocessing.active_children()` forgets a child the moment it is dead, so the handle must
    be taken at birth, and children are born in the executor's thread.
    """

    def __init__(self, context: BaseContext) -> None:
        self._context = context
        self._kind = _persistent(cast(Any, context).Process)
        self._children: list[BaseProcess] = []

    def Process(self, *args: Any, **kwargs: Any) -> BaseProcess:  # noqa: N802 - BaseContext's name
        """A new process, remembered."""
        process = self._kind(*args, **kwargs)
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
