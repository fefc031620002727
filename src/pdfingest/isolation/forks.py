"""Forks: the children of one lane, each a fork of the image, and the executor that has them.

    executor ── call ──▶ Fork.begin ──▶ image: a newborn gets the job
    executor ◀── result ── Fork.answer ◀── its pipe

`ProcessPoolExecutor` starts a process and then sends it a call through a queue that all its
processes share. Here a child is born with its call, so that none waits without one, and answers
through a pipe of its own, so that none can leave a lock or half an answer to the next. Seen from
the executor, it is a process all the time.
"""

import os
import pickle
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from pdfingest.isolation.birth import LOST
from pdfingest.isolation.image import Image, Newborn
from pdfingest.isolation.wire import receive, send_within
from pdfingest.measure.memory import resident_bytes

_UNBORN = 0
"""Number by which the executor knows a process: what it had when it was started."""
_TRIES = 10
"""How often the start of one child is tried."""
_PAUSE_S = 0.01
"""By so much later each of the tries, as one process may end when there are too many."""
_MAX_LEAVING = 4
"""Children of a lane that have answered and may still be on their way out."""
_END_S = 1.0
"""How long a child may take to end once it will say no more, and its exit code to be told; both
take milliseconds."""
_SEND_S = 5.0
"""How long a child that waits for its job may take to read it; it takes microseconds."""
_LARGE_BYTES = 256 << 20
"""From this size on, a lane waits until the system has taken back what its last child held."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What the executor takes in (`concurrent.futures.process._ResultItem`)."""

    work_id: int
    exit_pid: int
    result: bytes
    exception: None = None


class Fork:
    """One process of an executor: unborn until its call comes, then a child of the image."""

    def __init__(self, forks: "Forks") -> None:
        self.pid = _UNBORN
        self.start_error = ""
        self._forks = forks
        self._newborn: Newborn | None = None
        self._work_id = 0
        self._exit_code: int | None = None
        self._looking = threading.Lock()
        """Held by whoever uses the descriptors, lest another closes them."""
        self._may_linger = False

    @property
    def sentinel(self) -> int:
        """A descriptor that can be read once it has ended."""
        if self._exit_code is not None:
            return self._forks.over
        return self._newborn.end if self._newborn else self._forks.never

    @property
    def answers(self) -> int:
        """A descriptor that can be read once there is an answer."""
        return self._newborn.answers if self._newborn else self._forks.silent

    @property
    def exitcode(self) -> int | None:
        """As of `multiprocessing.Process`; all who look see the same."""
        with self._looking:
            if self._exit_code is None and self._newborn and self._newborn.has_ended(0):
                code = self._newborn.read_exit_code(_END_S)
                self._exit_code = LOST if code is None else code
            return self._exit_code

    def start(self) -> None:
        """Do nothing: it is started when its call comes."""

    def is_alive(self) -> bool:
        """Whether there is something to wait for."""
        return not self.has_ended(0)

    def has_ended(self, seconds: float | None) -> bool:
        """See `birth.Process`."""
        with self._looking:
            return self._newborn is None or self._newborn.has_ended(seconds)

    def begin(self, call: Any) -> None:
        """Start it with a call; never raises, for that would end the executor's thread."""
        self._work_id = call.work_id
        message = pickle.dumps((_folder(), *call.args), pickle.HIGHEST_PROTOCOL)
        for number in range(_TRIES):
            if number:  # even a sleep of nothing gives the interpreter away, while a lane waits
                time.sleep(number * _PAUSE_S)
            if self._forks.is_given_up:
                break
            try:
                self._newborn = self._started(message)
            except OSError as error:
                self.start_error = f"{error}"
            else:
                self.pid, self.start_error = self._newborn.pid, ""
                self._forks.image.conceive()
                return
        self._exit_code = LOST

    def _started(self, message: bytes) -> Newborn:
        """A child that has its job.

        Raises:
            OSError: there is none to be had, or it does not take the job.
        """
        newborn = self._forks.image.newborn()
        try:
            send_within(newborn.jobs, message, _SEND_S)
        except OSError:
            newborn.close()
            raise
        return newborn

    def answer(self) -> _Result:
        """Wait for the answer.

        Raises:
            Exception: it ended without one, or sent what is none.
        """
        answer = receive(self.answers)
        self._may_linger = resident_bytes(self.pid) < _LARGE_BYTES
        with self._looking:
            assert self._newborn is not None
            self._newborn.close_pipes()
        return _Result(self._work_id, _UNBORN, answer)

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended; if it has answered and holds little, some other time."""
        del timeout
        if self._may_linger:
            self._forks.leave(self)
        else:
            self.wait()

    def wait(self) -> None:
        """Wait until it has ended, and let go of it."""
        if not self.has_ended(_END_S):
            self.kill()
            self.has_ended(None)
        _ = self.exitcode  # it is remembered
        with self._looking:
            newborn, self._newborn = self._newborn, None
            if newborn is not None:
                newborn.close()

    def signal(self, number: int) -> None:
        """See `birth.Process`."""
        with self._looking:
            if self._newborn is not None:
                self._newborn.signal(number)

    def terminate(self) -> None:
        """End it, if it does not end by itself: it will answer no more."""
        if not self.has_ended(_END_S):
            self.kill()

    def kill(self) -> None:
        """SIGKILL, if it lives."""
        self.signal(signal.SIGKILL)


class Forks:
    """Where the children of one lane come from; also what its executor takes for a context.

    Args:
        image: what they are forks of.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        self.newest = Fork(self)
        self.is_given_up = False
        self._leaving: list[Fork] = []
        self.never, self._writer = os.pipe()
        self.silent = os.dup(self.never)
        """Two descriptors that can never be read."""
        self.over, writer = os.pipe()
        """One that always can."""
        os.close(writer)

    def executor(self) -> ProcessPoolExecutor:
        """See `birth.Births`."""
        self.is_given_up = False
        return _Executor(self)

    def give_up(self) -> None:
        """See `birth.Births`."""
        self.is_given_up = True
        self.image.kill()

    def leave(self, fork: Fork) -> None:
        """Let a child end while the next one is at work."""
        self._leaving.append(fork)
        for each in [each for each in self._leaving if not each.is_alive()]:
            each.wait()
            self._leaving.remove(each)
        if len(self._leaving) > _MAX_LEAVING:
            self._leaving.pop(0).wait()

    def close(self) -> None:
        """See `birth.Births`."""
        while self._leaving:
            self._leaving.pop().wait()
        for descriptor in (self.never, self.silent, self._writer, self.over):
            os.close(descriptor)

    # What the executor asks of a context, and of the queues that it makes with it.

    def get_start_method(self, allow_none: bool = False) -> str:  # noqa: FBT001, FBT002 - as there
        """Processes can be started at any time."""
        del allow_none
        return "forkserver"

    def Process(self, target: Any, args: Any) -> Fork:  # noqa: N802 - BaseContext's name
        """The next process."""
        del target, args
        self.newest = Fork(self)
        return self.newest

    def SimpleQueue(self) -> "_Results":  # noqa: N802 - as above
        """The queue of results."""
        return _Results(self)

    Lock = staticmethod(threading.Lock)
    BoundedSemaphore = staticmethod(threading.BoundedSemaphore)


class _Executor(ProcessPoolExecutor):
    """Hands its calls to forks."""

    def __init__(self, forks: Forks) -> None:
        super().__init__(1, mp_context=cast(Any, forks), max_tasks_per_child=1)
        # Its own queue has a thread that pickles, and one pipe for all processes.
        self._call_queue: Any = _Calls(forks)
        alarm: Any = getattr(self, "_executor_manager_thread_wakeup")  # noqa: B009 - not in the stubs
        self._wake = alarm.wakeup
        alarm.wakeup = self._wake_other

    def _wake_other(self) -> None:
        """Wake the executor's thread; what is lined up is submitted by that thread itself."""
        thread: Any = getattr(self, "_executor_manager_thread")  # noqa: B009 - as above
        if threading.current_thread() is not thread:
            self._wake()


class _Calls:
    """What the executor puts its calls into; there is nothing to close."""

    def __init__(self, forks: Forks) -> None:
        self._forks = forks

    def full(self) -> bool:
        """Never: a lane has one call at a time."""
        return False

    def put(self, call: Any, block: bool = True) -> None:  # noqa: FBT001, FBT002 - as there
        """Give it to the newest process, which has none yet."""
        del block
        self._forks.newest.begin(call)

    def put_nowait(self, call: None) -> None:
        """Do nothing: the executor asks a process to end that waits for calls, and none does."""

    def close(self) -> None:
        """Do nothing."""

    join_thread = _terminate_broken = close

    @property
    def _reader(self) -> "_Calls":
        """Closed by the executor of Python 3.11."""
        return self

    _writer = _reader


class _Results:
    """What the executor takes results from: the pipe of whichever process is the newest."""

    def __init__(self, forks: Forks) -> None:
        self._forks = forks

    @property
    def _reader(self) -> "_Results":
        """What the executor waits for and receives from."""
        return self

    def fileno(self) -> int:
        """Of the pipe to wait for."""
        return self._forks.newest.answers

    def recv(self) -> _Result:
        """The result that is there."""
        return self._forks.newest.answer()

    def close(self) -> None:
        """Do nothing."""


def _folder() -> str:
    """Where relative paths begin; empty where that is no more."""
    with suppress(FileNotFoundError):
        return os.getcwd()
    return ""
