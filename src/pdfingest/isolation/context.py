"""A multiprocessing context whose processes are children that are started ahead of their call.

    executor ── Process.start ──▶ image: a child that was forked ahead becomes its worker
    executor ── call queue ─────▶ the worker takes one call and works
    executor ◀── Answers ──────── the worker answers through a pipe of its own, and ends

A lane's executor is the `ProcessPoolExecutor` of the standard library as it is, with one process
that does one call. All that is special about it is here: what its processes are forked from, and
that its queues need neither locks nor trust. One process at a time uses a queue, so a lock has
nothing to lock, and a process that is killed can leave none locked; and a process that a file has
taken over can write into its own pipe alone, whose bytes the parent never unpickles.

Where there is no fork, `spawn` starts the processes; the executor and its queues are the same.

Names of the standard library that are private, and the test that goes red when one moves:

| name | what it is, and why it is needed | test |
|---|---|---|
| `_reader` | what the executor waits for and receives from; the parent unpickles no answer | a |
| `_semlock`, `_is_zero` | how a queue tells that it is full; a semaphore of the library is a named
  piece of shared memory, and a process to remove it | b |
| numbers of calls | from 0, in the order of `submit`; a child must answer its own call alone | c |

All three tests are in `test_context.py`: a file that names a class in its answer (a), two calls of
which the second waits (b), an answer to another call (c).
"""

import os
import signal
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.context import BaseContext
from typing import Any, Protocol

from pdfingest.measure.memory import resident_bytes

LOST = 256
"""Stands for the exit code of a child of which nothing can be learnt; no process ends with it."""
NOT_STARTED = 0
"""Number of a process that the system did not start."""
_TRIES = 10
"""How often the start of one child is tried."""
_PAUSE_S = 0.01
"""By so much later each of the tries, as another process may end where there are too many."""
_MAX_LEAVING = 4
"""Most children of a lane that have answered and may still be on their way out."""
_END_S = 1.0
"""How long a child may take to end once it will say no more, and its exit code to be told; both
take milliseconds."""
_LARGE_BYTES = 256 << 20
"""From this size on, a lane waits until the system has taken back what its last child held."""
_MOST_BYTES = 64 << 20
"""Longest answer that is read: the numbers of some million lost pages."""
_WORK_ID = struct.Struct("=Q")


class Child(Protocol):
    """A process that was started, however that was."""

    pid: int

    @property
    def end(self) -> int:
        """A descriptor, or a handle of Windows, that can be read once the process has ended."""
        ...

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has ended, or does so within that time; None waits for it."""
        ...

    def read_exit_code(self, seconds: float) -> int | None:
        """Return its exit code, once; None if that is not known within that time."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to it, and to no other process, if it lives."""
        ...

    def let_go(self) -> None:
        """Close what a child that has answered needs no more."""
        ...

    def close(self) -> None:
        """Close all that the parent has of it; if it still waits or works, it ends."""
        ...


class Starter(Protocol):
    """Starts children: forks of an image, or `spawn`."""

    def start(self, target: Callable[..., Any], args: tuple[Any, ...]) -> Child:
        """Start a child that calls a function.

        Raises:
            OSError: there is none to be had; another try may start one.
        """
        ...

    def kill(self) -> None:
        """End whatever holds up a start. May be called by any thread."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
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
        self.pipe.send_bytes(_WORK_ID.pack(item.work_id) + item.result)


class Answers:
    """The executor's queue of results, which takes each from the pipe of the process it had."""

    def __init__(self, ended: "connection.Connection[Any, Any]") -> None:
        self._pipe = self._ended = ended
        self._writer: connection.Connection[Any, Any] | None = None
        self._process: Process | None = None
        self._received = 0

    @property
    def _reader(self) -> "Answers":
        """What the executor waits for and receives from."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return AnswerWriter, (self._writer,)

    def expect(self, process: "Process") -> None:
        """Make the pipe of a process that is about to be started."""
        self.close()
        self._pipe, self._writer = connection.Pipe(duplex=False)
        self._process = process

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
        (work_id,) = _WORK_ID.unpack_from(content)
        if work_id != self._received or self._process is None:
            raise ValueError("the child answers a call that it did not have")
        self._received += 1
        self._process.has_answered()
        return Result(work_id, self._process.pid, content[_WORK_ID.size :])

    def close(self) -> None:
        """Close the pipe; the queue then looks like one whose process has ended."""
        self.is_sent()
        if self._pipe is not self._ended:
            self._pipe.close()
            self._pipe = self._ended


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
        """Whether the queue is full."""
        if is_free := self._free.acquire(blocking=False):
            self._free.release()
        return not is_free


class Process:
    """One process of the executor, with the names of `multiprocessing.Process` that it uses."""

    def __init__(
        self, context: "Context", target: Callable[..., Any], args: tuple[Any, ...]
    ) -> None:
        self.pid = NOT_STARTED
        self.start_error = ""
        self._context = context
        self._call = target, args
        self._child: Child | None = None
        self._exit_code: int | None = None
        self._is_started = False
        self._looking = threading.Lock()
        """Held by whoever uses the descriptors, lest another thread closes them."""
        self.is_answered = False
        self._may_linger = False

    @property
    def sentinel(self) -> int:
        """A descriptor that can be read once it has ended."""
        return self._child.end if self._child and self._exit_code is None else self._context.ended

    @property
    def exitcode(self) -> int | None:
        """Its exit code; None while it lives. All threads that look see the same."""
        with self._looking:
            if self._exit_code is None and self._child and self._child.has_ended(0):
                code = self._child.read_exit_code(_END_S)
                self._exit_code = LOST if code is None else code
            return self._exit_code

    def start(self) -> None:
        """Start it, once.

        It never raises, for that would end the executor's thread, and with it every word of the
        executor's calls: a process that cannot be started looks like one that has ended.
        """
        with self._context.starting:
            if self._is_started:
                return
            self._is_started = True
            for number in range(_TRIES):
                if number:
                    time.sleep(number * _PAUSE_S)
                if self._context.is_given_up:
                    break
                try:
                    self._child = self._context.start(self, *self._call)
                except OSError as error:
                    self.start_error = f"{error}"
                else:
                    self.pid, self.start_error = self._child.pid, ""
                    return
            self._exit_code = LOST

    def is_alive(self) -> bool:
        """Whether it has started and not ended."""
        return not self.has_ended(0)

    def has_ended(self, seconds: float | None) -> bool:
        """Whether it has ended, or does so within that time; None waits for it."""
        with self._looking:
            return self._child is None or self._child.has_ended(seconds)

    def has_answered(self) -> None:
        """Take in that its answer is here: what is left is its end."""
        self.is_answered = True
        self._may_linger = resident_bytes(self.pid) < _LARGE_BYTES
        with self._looking:
            assert self._child is not None
            self._child.let_go()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended; if it has answered and holds little, some other time."""
        del timeout
        if self._may_linger:
            self._context.leave(self)
        else:
            self.wait()

    def wait(self) -> None:
        """Wait until it has ended, and let go of it."""
        if not self.has_ended(_END_S):
            self.kill()
            self.has_ended(None)
        _ = self.exitcode  # it is remembered
        with self._looking:
            child, self._child = self._child, None
            if child is not None:
                child.close()

    def signal(self, number: int) -> None:
        """Send a signal to it, and to no other process, if it lives."""
        with self._looking:
            if self._child is not None:
                self._child.signal(number)

    def terminate(self) -> None:
        """End it, if it does not end by itself: it will answer no more."""
        if not self.has_ended(_END_S):
            self.kill()

    def kill(self) -> None:
        """Send SIGKILL, if it lives."""
        self.signal(getattr(signal, "SIGKILL", signal.SIGTERM))


class Context(BaseContext):
    """The context of one executor.

    Args:
        starter: starts its children.

    Raises:
        OSError: there is no descriptor to be had.
    """

    def __init__(self, starter: Starter) -> None:
        self.newest: Process | None = None
        """The process that was made last; the executor has no other."""
        self.is_given_up = False
        self.starting = threading.RLock()
        """Held while a process is made or started, which two threads may do in Python 3.11."""
        self._starter = starter
        self._room = Room()
        self._ended, writer = connection.Pipe(duplex=False)
        writer.close()
        self._answers = Answers(self._ended)
        self._leaving: list[Process] = []

    @property
    def ended(self) -> int:
        """A descriptor that can always be read, as that of a process that has ended."""
        return self._ended.fileno()

    def start(self, process: Process, target: Callable[..., Any], args: tuple[Any, ...]) -> Child:
        """Start the child of a process.

        Raises:
            OSError: there is none to be had.
        """
        self._answers.expect(process)
        try:
            child = self._starter.start(target, args)
        except OSError:
            self._answers.close()
            raise
        self._answers.is_sent()
        self._room.release()
        return child

    def give_up(self) -> None:
        """Start no child any more, and end what holds up a start. May be called by any thread."""
        self.is_given_up = True
        self._starter.kill()

    def leave(self, process: Process) -> None:
        """Let a child that has answered end while the next one is at work."""
        self._leaving.append(process)
        for each in [each for each in self._leaving if not each.is_alive()]:
            each.wait()
            self._leaving.remove(each)
        if len(self._leaving) > _MAX_LEAVING:
            self._leaving.pop(0).wait()

    def close(self) -> None:
        """Wait for what has not ended yet. The executor must have been shut down."""
        while self._leaving:
            self._leaving.pop().wait()
        self._answers.close()
        self._ended.close()

    # What the executor and its queues ask of a context.

    def get_start_method(self, allow_none: bool = False) -> str:  # noqa: FBT001, FBT002 - the library's signature
        """Return one whose processes can be started at any time and by any thread."""
        del allow_none
        return "spawn"

    def Process(self, *, target: Any, args: Any) -> Process:  # noqa: N802 - the library's name
        """Make the next process, unless the newest has not answered yet.

        In Python 3.11 two threads may each see that a process is missing, and add one.
        """
        with self.starting:
            newest = self.newest
            if newest is None or newest.is_answered or newest.exitcode is not None:
                newest = self.newest = Process(self, target, args)
            return newest

    def SimpleQueue(self) -> Any:  # noqa: N802 - the library's name
        """Return the queue of results."""
        return self._answers

    def Lock(self) -> Any:  # noqa: N802 - the library's name
        """Return a lock for a queue of which one process at a time has an end."""
        return Unlocked()

    def BoundedSemaphore(self, value: int = 1) -> Any:  # noqa: N802 - the library's name
        """Return the semaphore of the call queue."""
        del value
        return self._room
