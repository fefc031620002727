"""The image that children are forked from, seen from the parent: one zygote, one spare child.

Whatever the zygote does, the parent does not hang: it waits a while for an answer, then kills the
zygote and makes another.

Not for Windows, which has no fork.
"""

import atexit
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.spawn import get_command_line
from typing import Any

from pdfingest.isolation.contents import Contents, Made
from pdfingest.isolation.environment import child_environment
from pdfingest.isolation.forked import NO_DESCRIPTOR, ForkedChild
from pdfingest.isolation.parcel import pack
from pdfingest.isolation.wire import NUMBER, REQUEST, receive_alone

_MAIN = """
import sys
sys.path[:] = {path!r}
from pdfingest.isolation.contents import Contents, Loaded
from pdfingest.isolation.zygote import main
main(int(sys.argv[1]), {contents!r}, {readable!r}, warm_up={warm_up!r})
"""
_FORK_S = 5.0
"""How long the zygote may take to fork once the image is made; it takes milliseconds."""


class Image:
    """The process that children are forked from; see `context.Starter`.

    From the second child on, a spare one is forked ahead, so that a lane need not wait for a fork;
    a run of one file would not use it. A process that is forked from this one by other means makes
    an image of its own.

    Args:
        contents: what the image holds, beside what every child needs.
        path: where modules are found, as `sys.path`.
        readable: what all children may read in their sandbox; see `sandbox.readable`.
        warm_up: whether the image does what makes its forks cheaper; see `warm_up`.
    """

    def __init__(
        self,
        contents: Contents,
        path: Sequence[str],
        readable: Sequence[str] = (),
        *,
        warm_up: bool = True,
    ) -> None:
        self._code = _MAIN.format(
            path=list(path), contents=contents, readable=tuple(readable), warm_up=warm_up
        )
        self._contents = contents
        self._lock = threading.Lock()
        self._started = 0
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._spare: ForkedChild | None = None
        self._made: Made | None = None
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forked)

    def begin(self) -> None:
        """Begin to make the image; a child that is asked for waits until it is made."""
        with self._lock:
            self._running()

    def made(self) -> Made:
        """Wait until the image is made, and say what came of it.

        Raises:
            TimeoutError: it takes too long.
            ConnectionError: it has ended.
            OSError: there is no process or descriptor to be had.
        """
        with self._lock:
            control = self._running()
            try:
                return self._seen(control)
            except (ConnectionError, TimeoutError):
                self._end()
                raise

    def start(self, target: Callable[..., Any], args: tuple[Any, ...]) -> ForkedChild:
        """Start a child that calls a function: the spare one, if there is one.

        Raises:
            OSError: there is none to be had; another try may start one.
        """
        content, descriptors = pack((target, args))
        self._started += 1
        with self._lock:
            try:
                child = self._taken()
            except (ConnectionError, TimeoutError):  # gone, or stuck; the next try makes another
                self._end()
                raise
        try:
            child.send(content, descriptors)
        except OSError:
            child.close()
            raise
        with self._lock, suppress(OSError):  # who asks next will see
            if self._spare is None and self._started > 1:
                self._spare = _asked_for(self._running())
        return child

    def kill(self) -> None:
        """Kill the zygote at once, also while another thread waits for it.

        Children at work go on, but what becomes of them is not known any more.
        """
        if (zygote := self._zygote) is not None:
            zygote.kill()

    def close_unused(self) -> None:
        """End the zygote if no child was ever asked for; another one is made when it is."""
        if not self._started:
            self.close()

    def close(self) -> None:
        """End the zygote and the spare child; children at work are the business of their lanes."""
        with self._lock:
            self._end()

    def _taken(self) -> ForkedChild:
        """Take the spare child, or another; an OSError if there is none to be had."""
        control = self._running()
        child, self._spare = self._spare or _asked_for(control), None
        try:
            if error := self._seen(control).error:
                raise BlockingIOError(error)
            child.pid, child.pidfd = _answer(control)
            if child.pid == 0:
                raise BlockingIOError("no process can be had")
        except OSError:
            child.close()
            raise
        return child

    def _seen(self, control: socket.socket) -> Made:
        """Return what the zygote says first, which it says once."""
        if self._made is None:
            self._made = Made(*json.loads(receive_alone(control)))
            control.settimeout(_FORK_S)
        return self._made

    def _running(self) -> socket.socket:
        """Return the socket of the zygote, which is started if there is none."""
        if self._control is None:
            self._control, theirs = socket.socketpair()
            self._control.settimeout(self._contents.make_s)
            with theirs:
                self._zygote = subprocess.Popen(  # noqa: S603 - this program
                    [*_interpreter(), "-c", self._code, f"{theirs.fileno()}"],
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env=self._contents.environment(child_environment()),
                )
        return self._control

    def _end(self) -> None:
        """End the zygote, and wait until it is gone."""
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
        self._let_go()

    def _forked(self) -> None:
        """Leave the zygote to the process that this one is a fork of."""
        self._lock = threading.Lock()  # a thread that is not here may hold it
        self._let_go()

    def _let_go(self) -> None:
        """Forget the zygote and the spare child."""
        if self._spare is not None:
            self._spare.close()
        if self._control is not None:
            self._control.close()
        self._zygote = self._control = self._spare = self._made = None


def _interpreter() -> list[str]:
    """Return the command of this interpreter, with the options that it was started with."""
    *command, _option, _program, _mark = get_command_line()
    return list(map(os.fsdecode, command))


def _asked_for(control: socket.socket) -> ForkedChild:
    """Ask the zygote for a child, whose pid will follow."""
    child = ForkedChild()
    try:
        socket.send_fds(control, [REQUEST], child.theirs)
    except OSError:
        child.close()
        raise
    finally:
        _close(child.theirs)
    return child


def _answer(control: socket.socket) -> tuple[int, int]:
    """Receive what the zygote says next: a pid, and a pidfd or -1.

    Raises:
        ConnectionError: it is gone.
        TimeoutError: it says nothing.
    """
    found, descriptors, _, _ = socket.recv_fds(control, NUMBER.size, 1)
    if len(found) < NUMBER.size:
        _close(descriptors)
        raise ConnectionResetError("the zygote is gone")
    return int(NUMBER.unpack(found)[0]), descriptors[0] if descriptors else NO_DESCRIPTOR


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
