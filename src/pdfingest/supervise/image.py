"""The image that children are forked from, seen from the parent: one zygote, one newborn ahead.

Not for Windows, which has no fork.
"""

import atexit
import os
import select
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.spawn import get_executable

from pdfingest.supervise.wire import NUMBER, REQUEST

_MAIN = """
import sys
sys.path[:] = {path!r}
from pdfingest.supervise.zygote import main
main({control}, {modules!r}, {readable!r})
"""


class Newborn:
    """A child that waits for its job, by the ends of its pipes."""

    def __init__(self) -> None:
        ends: list[int] = []
        try:
            for _ in range(3):
                ends += os.pipe()
        except OSError:
            _close(ends)
            raise
        jobs, self.jobs, self.answers, answers, self.exit_code, exit_code = ends
        self.theirs = jobs, answers, exit_code
        self.pid = 0

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has, or does within so many seconds; None waits for it."""
        ended = select.poll()
        ended.register(self.exit_code, select.POLLIN)
        return bool(ended.poll(None if seconds is None else 1000 * seconds))

    def close(self) -> None:
        """Let go of it; if it still waits or works, it ends."""
        _close((self.jobs, self.answers, self.exit_code))


class Image:
    """Gives birth.

    One child is always ahead, so that a lane need not wait for a fork: that takes the time in which
    others work. What a program forks by itself knows nothing of it and makes its own.

    Args:
        modules: what the image holds, beside what every child needs.
        path: where modules are found, as `sys.path`.
        readable: what all children may read in their sandbox; see `sandbox.readable`.
    """

    def __init__(
        self, modules: Sequence[str], path: Sequence[str], readable: Sequence[str] = ()
    ) -> None:
        self._modules = list(modules)
        self._path = list(path)
        self._readable = tuple(readable)
        self._lock = threading.Lock()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ahead: Newborn | None = None
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forked)

    def begin(self) -> None:
        """Begin to make it; a child that is asked for waits until it is made."""
        with self._lock:
            self._running()

    def newborn(self) -> Newborn:
        """A child that waits for its job: the one ahead, if there is one.

        Raises:
            OSError: none can be born; another try may find one.
        """
        with self._lock:
            try:
                return self._born()
            except ConnectionError:  # the zygote is gone; the next try makes another
                self._end()
                raise

    def conceive(self) -> None:
        """Have the next one ahead; to be asked once the last has its job, which is urgent."""
        with self._lock, suppress(OSError):  # who asks next will see
            if self._ahead is None:
                self._ahead = _conceived(self._running())

    def close(self) -> None:
        """End the zygote and the newborn; children at work are their lanes' business."""
        with self._lock:
            self._end()

    def _born(self) -> Newborn:
        """The one ahead, or another."""
        control = self._running()
        newborn, self._ahead = self._ahead or _conceived(control), None
        try:
            newborn.pid = _number(control)
            if newborn.pid == 0:
                raise BlockingIOError("no process can be had")
        except OSError:
            newborn.close()
            raise
        return newborn

    def _running(self) -> socket.socket:
        """The way to the zygote, which is started if there is none."""
        if self._control is None:
            self._control, theirs = socket.socketpair()
            with theirs:
                code = _MAIN.format(
                    path=self._path,
                    control=theirs.fileno(),
                    modules=self._modules,
                    readable=self._readable,
                )
                flags: list[str] = getattr(subprocess, "_args_from_interpreter_flags")()  # noqa: B009 - not in the type stubs
                self._zygote = subprocess.Popen(  # noqa: S603 - this program
                    [os.fsdecode(get_executable()), *flags, "-c", code],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                )
        return self._control

    def _end(self) -> None:
        """Let go of the zygote, and wait until it is gone."""
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
        self._let_go()

    def _forked(self) -> None:
        """Leave the zygote to the process that this one is a fork of."""
        self._lock = threading.Lock()  # a thread that is not here may hold it
        self._let_go()

    def _let_go(self) -> None:
        """Forget the zygote and the newborn."""
        if self._ahead is not None:
            self._ahead.close()
        if self._control is not None:
            self._control.close()
        self._zygote = self._control = self._ahead = None


def _conceived(control: socket.socket) -> Newborn:
    """Ask for a child; its pid will follow."""
    newborn = Newborn()
    try:
        socket.send_fds(control, [REQUEST], newborn.theirs)
    except OSError:
        newborn.close()
        raise
    finally:
        _close(newborn.theirs)
    return newborn


def _close(descriptors: Sequence[int]) -> None:
    """Close several."""
    for descriptor in descriptors:
        os.close(descriptor)


def _number(control: socket.socket) -> int:
    """What the zygote says next."""
    found = control.recv(NUMBER.size, socket.MSG_WAITALL)
    if len(found) < NUMBER.size:
        raise ConnectionResetError("the zygote is gone")
    return int(NUMBER.unpack(found)[0])
