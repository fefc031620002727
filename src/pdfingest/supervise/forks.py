"""Forks: the children of one lane, each a fork of the image, and the executor that has them.

    executor ── call ──▶ Fork.begin ──▶ image: a newborn gets the job
    executor ◀── result ── Fork.answer ◀── its pipe

`ProcessPoolExecutor` starts a process and then sends it a call through a queue that all its
processes share. Here a child is born with its call, so that none waits without one, and answers
through a pipe of its own, so that none can leave a lock or half an answer to the next. Seen from
the executor, it is a process all the time.
"""

import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast

from pdfingest.model import EnvironmentFailure
from pdfingest.supervise.image import Image, Newborn
from pdfingest.supervise.post_mortem import LOST
from pdfingest.supervise.wire import NUMBER, receive, send, value_of

_UNBORN = 0
"""Number by which the executor knows a process: what it had when it was started."""
_BIRTHS = 10
"""How often the birth of one child is tried."""
_PAUSE_S = 0.01
"""By so much later each of the tries, as one process may end when there are too many."""
_MAX_LEAVING = 4
"""Children of a lane that have answered and may still be on their way out."""
_END_S = 1.0
"""How long a child may take to end once it will say no more; it needs milliseconds."""
_LARGE_BYTES = 256 << 20
"""From this peak on, a lane waits until the system has taken back what its last child held."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What the executor takes in (`concurrent.futures.process._ResultItem`)."""

    work_id: int
    exit_pid: int
    result: Any
    exception: None = None


class Fork:
    """One process of an executor: unborn until its call comes, then a child of the image."""

    def __init__(self, forks: "Forks") -> None:
        self.pid = _UNBORN
        self._forks = forks
        self._newborn: Newborn | None = None
        self._work_id = 0
        self._exit_code: int | None = None
        self._looking = threading.Lock()
        self._may_linger = False

    @property
    def sentinel(self) -> int:
        """A descriptor that can be read once it has ended."""
        if self._exit_code is not None:
            return self._forks.over
        return self._newborn.exit_code if self._newborn else self._forks.never

    @property
    def answers(self) -> int:
        """A descriptor that can be read once there is an answer."""
        return self._newborn.answers if self._newborn else self._forks.silent

    @property
    def exitcode(self) -> int | None:
        """As of `multiprocessing.Process`; it comes once, whoever looks."""
        with self._looking:
            newborn = self._newborn
            if self._exit_code is None and newborn is not None and newborn.has_ended(0):
                found = os.read(newborn.exit_code, NUMBER.size)
                self._exit_code = NUMBER.unpack(found)[0] if found else LOST
            return self._exit_code

    def start(self) -> None:
        """Do nothing: it is born when its call comes."""

    def is_alive(self) -> bool:
        """Whether there is something to wait for."""
        return self._newborn is not None and self.exitcode is None

    def begin(self, call: Any) -> None:
        """Be born with a call; never raises, for that would end the executor's thread."""
        self._work_id = call.work_id
        for number in range(_BIRTHS):
            if number:  # even a sleep of nothing gives the interpreter away, while a lane waits
                time.sleep(number * _PAUSE_S)
            with suppress(OSError):
                newborn = self._forks.image.newborn()
                try:
                    send(newborn.jobs, (_folder(), *call.args))
                except OSError:
                    newborn.close()
                    raise
                self._newborn, self.pid = newborn, newborn.pid
                self._forks.image.conceive()
                return
        self._exit_code = LOST

    def answer(self) -> _Result:
        """Wait for the answer.

        Raises:
            Exception: it ended without one, or sent what is none.
        """
        answer = value_of(receive(self.answers))
        cost = None if isinstance(answer, EnvironmentFailure) else answer.cost
        self._may_linger = cost is None or cost.peak.peak_bytes < _LARGE_BYTES
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
        if (newborn := self._newborn) is not None:
            if self._exit_code is None:
                newborn.has_ended(None)
                assert self.exitcode is not None
            with self._looking:
                self._newborn = None
            newborn.close()

    def terminate(self) -> None:
        """End it, if it does not end by itself: it will answer no more."""
        if self._newborn is not None and not self._newborn.has_ended(_END_S):
            self.kill()

    def kill(self) -> None:
        """SIGKILL, if it lives."""
        if self.is_alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


class Forks:
    """Where the children of one lane come from; also what its executor takes for a context.

    Args:
        image: what they are forks of.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        self.newest = Fork(self)
        self._leaving: list[Fork] = []
        self.never, self._writer = os.pipe()
        self.silent = os.dup(self.never)
        """Two descriptors that can never be read."""
        self.over, writer = os.pipe()
        """One that always can."""
        os.close(writer)

    def executor(self) -> ProcessPoolExecutor:
        """See `birth.Births`."""
        return _Executor(self)

    def child(self, pid: int = 0) -> Fork:
        """See `birth.Births`."""
        del pid
        return self.newest

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
