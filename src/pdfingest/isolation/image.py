"""The image that children are forked from, seen from the parent: one zygote, one child ahead.

Whatever the zygote does, the parent does not hang: it waits for its answer for a while only, then
kills it, and makes another.

Not for Windows, which has no fork.
"""

import atexit
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.spawn import get_executable

from pdfingest.isolation.environment import child_environment
from pdfingest.isolation.wire import NUMBER, REQUEST

_MAIN = """
import sys
sys.path[:] = {path!r}
from pdfingest.isolation.zygote import main
main({control}, {modules!r}, {readable!r})
"""
_IMAGE_S = 60.0
"""How long the image may take to be made; it takes a tenth of a second."""
_FORK_S = 5.0
"""How long the zygote may take to fork once the image is made; it takes milliseconds."""
_NONE = -1


class Newborn:
    """A child that waits for its job or has one, by the descriptors that the parent has of it."""

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
        self.pidfd = _NONE
        """Stands for the process whatever becomes of its number (pidfd_open(2)); -1 where there
        is no such thing."""

    @property
    def end(self) -> int:
        """A descriptor that can be read once it has ended."""
        return self.exit_code if self.pidfd == _NONE else self.pidfd

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has, or does within so many seconds; None waits for it."""
        return _is_readable(self.end, seconds)

    def read_exit_code(self, seconds: float) -> int | None:
        """Read its exit code, which the zygote tells a little later than it ends.

        Returns:
            None if the zygote does not tell it in that time, or is gone. Gives it once.
        """
        if self.exit_code == _NONE or not _is_readable(self.exit_code, seconds):
            return None
        found = os.read(self.exit_code, NUMBER.size)
        return int(NUMBER.unpack(found)[0]) if found else None

    def signal(self, number: int) -> None:
        """Send a signal to it if it lives."""
        with suppress(ProcessLookupError):
            if self.pidfd == _NONE:
                # The zygote tells its end before it frees its number, so only a child that has
                # ended and was not looked at could be another's.
                if self.pid and not self.has_ended(0):
                    os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self.pidfd, number)

    def close(self) -> None:
        """Let go of it; if it still waits or works, it ends."""
        _close([self.jobs, self.answers, self.exit_code, self.pidfd])
        self.jobs = self.answers = self.exit_code = self.pidfd = _NONE

    def close_pipes(self) -> None:
        """Let go of all but its end; if it still works, it is killed where the system can."""
        if self.pidfd != _NONE:
            _close([self.exit_code])
            self.exit_code = _NONE
        _close([self.jobs, self.answers])
        self.jobs = self.answers = _NONE


class Image:
    """Starts children.

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
            OSError: none can be started; another try may start one.
        """
        with self._lock:
            try:
                return self._born()
            except (ConnectionError, TimeoutError):  # gone, or stuck; the next try makes another
                self._end()
                raise

    def conceive(self) -> None:
        """Have the next one ahead; to be asked once the last has its job, which is urgent."""
        with self._lock, suppress(OSError):  # who asks next will see
            if self._ahead is None:
                self._ahead = _conceived(self._running())

    def kill(self) -> None:
        """Kill the zygote at once, also while another thread waits for it.

        Children at work go on, but what becomes of them is not known any more.
        """
        if (zygote := self._zygote) is not None:
            zygote.kill()

    def close(self) -> None:
        """End the zygote and the newborn; children at work are their lanes' business."""
        with self._lock:
            self._end()

    def _born(self) -> Newborn:
        """The one ahead, or another."""
        control = self._running()
        newborn, self._ahead = self._ahead or _conceived(control), None
        try:
            newborn.pid, newborn.pidfd = _answer(control)
            if newborn.pid == 0:
                raise BlockingIOError("no process can be had")
            control.settimeout(_FORK_S)
        except OSError:
            newborn.close()
            raise
        return newborn

    def _running(self) -> socket.socket:
        """The way to the zygote, which is started if there is none."""
        if self._control is None:
            self._control, theirs = socket.socketpair()
            self._control.settimeout(_IMAGE_S)
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
                    env=child_environment(),
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


def _answer(control: socket.socket) -> tuple[int, int]:
    """What the zygote says next: a pid, and a pidfd or -1.

    Raises:
        ConnectionError: it is gone.
        TimeoutError: it says nothing.
    """
    found, descriptors, _, _ = socket.recv_fds(control, NUMBER.size, 1)
    if len(found) < NUMBER.size:
        _close(descriptors)
        raise ConnectionResetError("the zygote is gone")
    return int(NUMBER.unpack(found)[0]), descriptors[0] if descriptors else _NONE


def _is_readable(descriptor: int, seconds: float | None) -> bool:
    """Whether a descriptor can be read, or can within so many seconds; None waits for it."""
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    return bool(ready.poll(None if seconds is None else 1000 * seconds))


def _close(descriptors: Sequence[int]) -> None:
    """Close those of several that there are."""
    for descriptor in descriptors:
        if descriptor != _NONE:
            os.close(descriptor)
