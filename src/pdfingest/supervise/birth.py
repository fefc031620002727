"""Birth: how children are started, and the handles to those that were.

Owns the start method, the image that children are forked from, and the process groups that they
lead. Does not own what a child does (`child`) nor when one is needed (`lane`).
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from multiprocessing import connection
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


def _watchable(born: type[BaseProcess]) -> type[BaseProcess]:
    """A kind of process for several threads: every executor has one that starts and joins children.

    A start is tried again where the child is killed while it is born: an exception would end the
    executor's thread, and with it every word of the executor's jobs.
    """

    class Watchable(born):  # type: ignore[misc, valid-type]  # the kind depends on the start method
        """`born`, with a start that is tried again and an exit code that stays."""

        if getattr(born, "_start_method", "") == "forkserver":

            @staticmethod
            def _Popen(process: BaseProcess) -> object:  # noqa: N802 - BaseProcess's name
                """The handle to a child that starts now."""
                return _popen_of_forkserver()(process)

        def start(self) -> None:
            """Start the process; the last try raises what it meets."""
            for _ in range(_BIRTHS - 1):
                with suppress(BrokenPipeError, EOFError):
                    super().start()
                    return
            super().start()

        def __reduce__(self) -> tuple[Any, ...]:
            return child.as_process, (born, self.__dict__)

    return Watchable


@cache
def _popen_of_forkserver() -> Callable[[BaseProcess], object]:
    """The handle to a child of the forkserver, with an exit code that only one thread reads.

    The code comes through a pipe, once. Each start looks after all children of the program
    (`multiprocessing.process._cleanup`), so that two threads may read it at the same time; one gets
    the code, the other the end of the pipe, and writes 255 over it.
    """
    from multiprocessing import popen_forkserver  # noqa: PLC0415 - absent on Windows

    class Popen(popen_forkserver.Popen):
        """As the library's, but for several threads."""

        _reading = threading.Lock()

        def poll(self, flag: int = os.WNOHANG) -> int | None:
            """The exit code; None if the child is alive and `flag` says not to wait for it."""
            if flag != os.WNOHANG:
                connection.wait([self.sentinel])
            with self._reading:
                return super().poll(os.WNOHANG)

    return Popen


class WatchedContext:
    """A start context that remembers its children.

    `multiprocessing.active_children()` forgets a child the moment it is dead, so the handle must
    be taken at birth, and children are born in the executor's thread.
    """

    def __init__(self, context: BaseContext) -> None:
        self._context = context
        self._kind = _watchable(cast(Any, context).Process)
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
