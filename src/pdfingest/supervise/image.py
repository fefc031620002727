"""The image that children are forked from, and children that cost as little as can be.

Half of what a child costs is memory: it must copy each page that it writes to, and even a look at a
Python object is a write. What the library does to start a process touches as much as the text of a
page does. So a child does not unpickle a process, two queues and five semaphores, but
`child.Newborn` with the ends of two pipes, which have one writer and one reader each. The main
module is not imported again, for nothing of a job is in it.

Owns the forkserver and the parent's side of its children. Not for Windows, which has no fork.
"""

import io
import os
import select
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import forkserver, popen_forkserver, queues, reduction, util
from multiprocessing.context import ForkServerContext, ForkServerProcess, set_spawning_popen
from multiprocessing.process import BaseProcess
from typing import Any, cast

from pdfingest import child
from pdfingest.supervise.birth import start_again

_LOST = 255
"""Exit code of a child of which nothing can be learnt any more."""


class ImageContext(ForkServerContext):
    """How children are started that are forks of one image.

    Args:
        modules: what the image holds.
    """

    def __init__(self, modules: Sequence[str]) -> None:
        super().__init__()
        # Not the one that the library keeps, whose image may be another's already.
        self._server = forkserver.ForkServer()
        self._server.set_forkserver_preload(list(modules))

    def begin(self) -> None:
        """Begin to make it; a child that is asked for waits until it is made."""
        self._server.ensure_running()

    def Process(self, target: Callable[..., None], args: tuple[Any, ...] = ()) -> "Forked":  # type: ignore[override]  # noqa: N802 - a class there
        """A process that is a fork of the image."""
        return Forked(self._server, target, args)

    def Lock(self) -> Any:  # noqa: N802 - BaseContext's name
        """For the threads of this process: each end of a queue is in one."""
        return threading.Lock()

    def BoundedSemaphore(self, value: int = 1) -> Any:  # noqa: N802 - BaseContext's
        """No bound: a lane has one job at a time."""
        return _Unbounded()


class Forked(ForkServerProcess):
    """A process that is a fork of an image."""

    def __init__(
        self, server: forkserver.ForkServer, target: Callable[..., None], args: tuple[Any, ...] = ()
    ) -> None:
        super().__init__(target=target, args=args)
        self.server = server
        self._work = target, args

    def start(self) -> None:
        """Start it."""
        start_again(super().start)

    @staticmethod
    def _Popen(process_obj: BaseProcess) -> Any:  # noqa: N802 - BaseProcess's name
        """The handle to a child that starts now."""
        return _Handle(process_obj)

    def __reduce__(self) -> tuple[Any, ...]:
        target, args = self._work
        return child.Newborn, (target, tuple([_end(each) for each in args]))


class _Handle(popen_forkserver.Popen):
    """The parent's side of a child, with an exit code that only one thread reads.

    The code comes through a pipe, once. Each start looks after all children of the program
    (`multiprocessing.process._cleanup`), so that two threads may read it at the same time; one
    gets the code, the other the end of the pipe.
    """

    returncode: int | None
    finalizer: Any
    _fds: list[int]
    _reading = threading.Lock()

    def __init__(self, process_obj: BaseProcess) -> None:
        # Not the library's, which flushes stdout for a fork of this process: whoever reads it may
        # be gone, and the executor's thread would end of that.
        self._fds = []
        self.returncode = None
        self.finalizer = None
        self._launch(process_obj)

    def _launch(self, process_obj: BaseProcess) -> None:
        """Ask the image for a child, and send it what it is for."""
        message = io.BytesIO()
        set_spawning_popen(self)
        try:
            reduction.dump(_surroundings(), message)
            reduction.dump(process_obj, message)
        finally:
            set_spawning_popen(None)
        server = cast(Forked, process_obj).server
        self.sentinel, writer = server.connect_to_new_process(self._fds)
        # It stays open as long as this process lives: by its end the child sees ours.
        close_fds: Any = getattr(util, "close_fds")  # noqa: B009 - not in the type stubs
        self.finalizer = util.Finalize(self, close_fds, (writer, self.sentinel))
        with open(writer, "wb", closefd=False) as file:
            file.write(message.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        """The exit code; None if the child is alive and `flag` says not to wait for it."""
        ended = select.poll()
        ended.register(self.sentinel, select.POLLIN)
        if flag != os.WNOHANG:
            ended.poll()
        with self._reading:
            if self.returncode is None and ended.poll(0):
                try:
                    self.returncode = forkserver.read_signed(self.sentinel)
                except (OSError, EOFError):  # the forkserver is gone
                    self.returncode = _LOST
        return self.returncode


class _Unbounded:
    """A semaphore that lets everybody pass; what a queue of `multiprocessing` asks of one."""

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - as there
        """Pass."""
        return True

    def _is_zero(self) -> bool:
        """Whether the queue is full."""
        return False

    @property
    def _semlock(self) -> "_Unbounded":
        """Asked whether it is zero."""
        return self


def _end(argument: Any) -> Any:
    """Of a queue, the end that a child has; of anything else, itself."""
    if isinstance(argument, queues.Queue):
        return child.Calls(cast(Any, argument)._reader)  # noqa: SLF001 - as the executor does
    if isinstance(argument, queues.SimpleQueue):
        return child.Results(cast(Any, argument)._writer)  # noqa: SLF001 - as the executor does
    return argument


def _surroundings() -> dict[str, Any]:
    """What a child takes over before all else (`multiprocessing.spawn.prepare`)."""
    found: dict[str, Any] = {"sys_path": sys.path}
    with suppress(FileNotFoundError):
        found["dir"] = os.getcwd()
    return found
