"""The queues of an executor whose process may be killed at any moment, or taken over by a file.

The executor sends calls through a `multiprocessing.Queue` and takes results from a queue of its
context. One process at a time uses them, so a lock has nothing to lock, and a process that is
killed can leave none locked. And a process that a file has taken over can write into a pipe of its
own alone, whose bytes the parent never unpickles: a pickle can set attributes of any class that it
may name in the process that reads it (opcode BUILD).
"""

import os
import struct
import sys
import threading
from collections.abc import Callable
from multiprocessing import connection
from typing import Any, NamedTuple

if sys.platform != "win32":
    import resource

_MOST_BYTES = 64 << 20
"""Longest answer that is read: the numbers of some million lost pages."""
_HEAD = struct.Struct("=QQ")
"""What an answer begins with: the number of its call, and the child's highest resident set in bytes
(0 if that is not known). The parent cannot look: the memory map of a child that ends is gone some
milliseconds before its memory is."""


class Result(NamedTuple):
    """What the executor takes from its result queue (`concurrent.futures.process._ResultItem`)."""

    work_id: int
    exit_pid: int
    result: bytes
    exception: None = None


class AnswerWriter:
    """The child's side of `Answers`."""

    def __init__(self, pipe: "connection.Connection[Any, Any]") -> None:
        self.pipe = pipe

    def put(self, item: Any) -> None:
        """Send a result, which is bytes.

        A worker that is told to end without a call puts its pid, which nobody needs. A function
        that raised is a bug; its process ends without an answer, which counts as a death.
        """
        if isinstance(item, int):
            return
        if item.exception is not None:
            os._exit(1)
        self.pipe.send_bytes(_HEAD.pack(item.work_id, _peak_bytes()) + item.result)


def _peak_bytes() -> int:
    """Return the highest resident set of this process, which getrusage(2) has in KiB on Linux."""
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


def ended_pipe() -> "connection.Connection[Any, Any]":
    """Return the reading end of a pipe that nobody can write to, as that of an ended process."""
    reader, writer = connection.Pipe(duplex=False)
    writer.close()
    return reader


class Answers:
    """The parent's side of an executor's queue of results."""

    def __init__(self) -> None:
        # Not that of the context: the executor waits for both, and a selector for none twice.
        self._pipe = self._ended = ended_pipe()
        self._writer: connection.Connection[Any, Any] | None = None
        self._received = 0
        """Number of answers so far, which is that of the call that the next answer must be to."""
        self._answered: Callable[[int], int] = int

    @property
    def _reader(self) -> "Answers":
        """What the executor waits for and receives from."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return AnswerWriter, (self._writer,)

    def expect(self, answered: Callable[[int], int]) -> None:
        """Make the pipe of a process that is about to be started.

        Args:
            answered: told the highest resident set of the process, in bytes, when its answer is
                here; returns its pid.
        """
        self.drop()
        self._pipe, self._writer = connection.Pipe(duplex=False)
        self._answered = answered

    def is_sent(self) -> None:
        """Close the writing end, which the child has by now, so that its death ends the pipe."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._pipe.fileno()

    def recv(self) -> Result:
        """Receive the result that is there.

        Raises:
            Exception: the process ended without one, or sent something else.
        """
        content = self._pipe.recv_bytes(_MOST_BYTES)
        work_id, peak_bytes = _HEAD.unpack_from(content)
        if work_id != self._received:
            raise ValueError("the child answers a call that it did not have")
        self._received += 1
        return Result(work_id, self._answered(peak_bytes), content[_HEAD.size :])

    def drop(self) -> None:
        """Close the pipe; the queue then looks like one whose process has ended."""
        self.is_sent()
        if self._pipe is not self._ended:
            self._pipe.close()
            self._pipe = self._ended

    def close(self) -> None:
        """Close all pipes."""
        self.drop()
        self._ended.close()


class Unlocked:
    """A lock that locks nothing, for a queue that one process at a time uses."""

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - the library's signature
        """Return that it is held."""
        del block, timeout
        return True

    def release(self) -> None:
        """Do nothing."""

    def __enter__(self) -> bool:
        return True

    def __exit__(self, *_: object) -> None:
        pass


class Room:
    """The semaphore of the call queue: there is room for one call for each process started.

    So a call waits in the executor until a process is there for it, and never in the pipe, where a
    process on its way out could take it.
    """

    def __init__(self) -> None:
        self._free = threading.Semaphore(0)

    def __reduce__(self) -> tuple[Any, ...]:
        return Unlocked, ()

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - the library's signature
        """Take the room for one call; return whether there was any."""
        del block, timeout  # the executor asks whether the queue is full first
        return self._free.acquire(blocking=False)

    def release(self) -> None:
        """Make room for one call."""
        self._free.release()

    @property
    def _semlock(self) -> "Room":
        """What a queue asks whether it is full."""
        return self

    def _is_zero(self) -> bool:
        if is_free := self._free.acquire(blocking=False):
            self._free.release()
        return not is_free
