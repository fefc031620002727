"""A fork of the image, as the parent sees it: by descriptors, as its number may be another's soon.

Not for Windows, which has no fork.
"""

import os
import select
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress

from pdfingest.isolation.wire import NUMBER, send

NO_DESCRIPTOR = -1
"""Stands for a pidfd or a pipe that there is not, or not any more."""
_SEND_S = 5.0
"""How long a spare child may take to read what it is to do; it takes microseconds."""


class ForkedChild:
    """A fork of the image, by the descriptors that the parent has of it; see `context.Child`."""

    def __init__(self) -> None:
        self._life, theirs = socket.socketpair()
        self._life.settimeout(_SEND_S)
        try:
            self._exit_code, exit_code = os.pipe()
        except OSError:
            self._life.close()
            theirs.close()
            raise
        self.theirs = theirs.detach(), exit_code
        """The ends that the child and the zygote are to have."""
        self.pid = 0
        self.pidfd = NO_DESCRIPTOR
        """Stands for the process whatever becomes of its number (pidfd_open(2)); -1 where there
        is no such thing."""

    @property
    def end(self) -> int:
        """A descriptor that can be read once it has ended."""
        return self._exit_code if self.pidfd == NO_DESCRIPTOR else self.pidfd

    def send(self, content: bytes, descriptors: Sequence[int]) -> None:
        """Tell a child that waits what to do; see `parcel.pack`.

        Raises:
            OSError: it has ended, or does not read.
        """
        send(self._life, content, descriptors)

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has ended, or does so within that time; None waits for it."""
        return _is_readable(self.end, seconds)

    def read_exit_code(self, seconds: float) -> int | None:
        """Read its exit code, once; the zygote tells it a little later than the child ends.

        Returns:
            None if the zygote does not tell it in that time, or is gone.
        """
        if self._exit_code == NO_DESCRIPTOR or not _is_readable(self._exit_code, seconds):
            return None
        found = os.read(self._exit_code, NUMBER.size)
        return int(NUMBER.unpack(found)[0]) if found else None

    def signal(self, number: int) -> None:
        """Send a signal to it, and to no other process, if it lives."""
        with suppress(ProcessLookupError):
            if self.pidfd == NO_DESCRIPTOR:
                # The zygote tells its end before it frees its number, so only a child that has
                # ended and was not looked at could be another's.
                if self.pid and not self.has_ended(0):
                    os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self.pidfd, number)

    def let_go(self) -> None:
        """Close all but its end; if it still works, it is killed where the system can do that."""
        self._life.close()
        if self.pidfd != NO_DESCRIPTOR:
            self._close_exit_code()

    def close(self) -> None:
        """Close all that the parent has of it; if it still waits or works, it ends."""
        self._life.close()
        self._close_exit_code()
        if self.pidfd != NO_DESCRIPTOR:
            os.close(self.pidfd)
            self.pidfd = NO_DESCRIPTOR

    def _close_exit_code(self) -> None:
        if self._exit_code != NO_DESCRIPTOR:
            os.close(self._exit_code)
            self._exit_code = NO_DESCRIPTOR


def _is_readable(descriptor: int, seconds: float | None) -> bool:
    """Whether a descriptor can be read, or can within so many seconds; None waits for it."""
    ready = select.poll()
    ready.register(descriptor, select.POLLIN)
    return bool(ready.poll(None if seconds is None else 1000 * seconds))
