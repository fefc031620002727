"""A multiprocessing context whose processes are children that are started ahead of their call.

    executor ── Process.start ──▶ image: a child that was forked ahead becomes its worker
    executor ── call queue ─────▶ the worker takes one call and works
    executor ◀── Answers ──────── the worker answers through a pipe of its own, and ends

A lane's executor is the `ProcessPoolExecutor` of the standard library as it is, with one process
that does one call. All that is special about it comes from its context: what its processes are
forked from, and queues that need neither locks nor trust (`queues`). Where there is no fork,
`spawn` starts the processes; the executor and its queues are the same.

Private names of the standard library that this relies on, with the test of `test_context.py` that
goes red when one moves:

- `_reader` of the queue of results, which the executor waits for and receives from: the parent
  must unpickle no answer. Test: an answer that is a pickle.
- `_semlock._is_zero` of a semaphore, by which a queue tells that it is full: a semaphore of the
  library is a named piece of shared memory, and a process to remove it. Test: a second call waits.
- The executor numbers its calls from 0, in the order of `submit`: a child must answer no other
  call than its own. Test: an answer to another call.
"""

import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from typing import Any, Protocol

from pdfingest.isolation.queues import Answers, Room, Unlocked, ended_pipe
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
_KILLED_S = 0.2
"""How long the exit code of a child is waited for that was killed from here."""
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_LARGE_BYTES = 256 << 20
"""From this size on, a lane waits until the system has taken back what its last child held."""


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
        self._looking = threading.Lock()
        """Held by whoever uses the descriptors, lest another thread closes them."""
        self.is_answered = False
        self._is_killed = False
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
                wait_s = _KILLED_S if self._is_killed else _END_S
                code = self._child.read_exit_code(0 if self._context.is_closing else wait_s)
                unknown = -_KILL if self._is_killed else LOST
                self._exit_code = unknown if code is None else code
            return self._exit_code

    def start(self) -> None:
        """Start it.

        It never raises, for that would end the executor's thread, and with it every word of the
        executor's calls: a process that cannot be started looks like one that has ended.
        """
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

    def has_answered(self, peak_bytes: int) -> int:
        """Take in that its answer is here, so that only its end is left; return its pid.

        Args:
            peak_bytes: highest resident set, as the process says, which may lie.
        """
        self.is_answered = True
        self._may_linger = max(peak_bytes, resident_bytes(self.pid)) < _LARGE_BYTES
        with self._looking:
            assert self._child is not None
            self._child.let_go()
        return self.pid

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
        self._is_killed = self._is_killed or self.is_alive()
        self.signal(_KILL)


class Context(BaseContext):
    """The context of one executor.

    Raises:
        OSError: there is no descriptor to be had.
    """

    def __init__(self, starter: Starter) -> None:
        self.newest: Process | None = None
        """The process that was made last; the executor has no other."""
        self.is_given_up = False
        self.is_closing = False
        """Whether no call is left, so that nobody asks how a process ended: a zygote that is
        stopped does not tell, and would be waited for."""
        self._starter = starter
        self._room = Room()
        self._ended = ended_pipe()
        self._answers = Answers()
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
        self._answers.expect(process.has_answered)
        try:
            child = self._starter.start(target, args)
        except OSError:
            self._answers.drop()
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
        if self.newest is not None:  # an executor whose thread has died waits for none
            self.newest.wait()
        self._answers.close()
        self._ended.close()

    # What the executor and its queues ask of a context.

    def get_start_method(self, allow_none: bool = False) -> str:  # noqa: FBT001, FBT002 - the library's signature
        """Return one whose processes can be started at any time and by any thread."""
        del allow_none
        return "spawn"

    def Process(self, *, target: Any, args: Any) -> Process:  # noqa: N802 - the library's name
        """Make the next process, which the executor does under a lock of its own."""
        self.newest = Process(self, target, args)
        return self.newest

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
