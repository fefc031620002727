"""Files on their way here, brought by a process of its own. Runs in the parent.

The process is started with the first file, and again where it has ended or hangs; what it was on
then is begun anew, once.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeAlias

from pdfingest.model import FailureKind
from pdfingest.remote.process import start

_TRIES = 2
_GRACE_S = 5.0
"""How much longer than its time a file may take, for the process to say so itself."""
_Lines: TypeAlias = "SimpleQueue[str | None]"


class Arrived(NamedTuple):
    """How one download ended."""

    number: int
    size_bytes: int
    kind: str
    """Empty if the file is there; else a kind of failure, or `place.DISK`."""
    message: str


@dataclass(slots=True)
class _Wanted:
    """A file that was asked for."""

    place: str
    path: str
    most_bytes: int
    begun_s: float
    tries: int = 1


class Downloads:
    """Brings files here, as many at a time as are begun.

    Args:
        timeout_s: seconds that one file may take.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._wanted: dict[int, _Wanted] = {}
        self._process: subprocess.Popen[str] | None = None
        self._lines: _Lines = SimpleQueue()

    def __len__(self) -> int:
        return len(self._wanted)

    def begin(self, number: int, place: str, path: str, most_bytes: int) -> None:
        """Begin to bring a file.

        Args:
            number: by which it is known until it has arrived.
            place: where it is.
            path: of the copy.
            most_bytes: size that it may have.

        Raises:
            EngineUnavailableError: obstore is not installed.
            OSError: there is no process or descriptor to be had.
        """
        self._wanted[number] = _Wanted(place, path, most_bytes, time.monotonic())
        self._ask(number)

    def arrived(self) -> Iterator[Arrived]:
        """Yield what has ended since the last call; does not wait."""
        with suppress(Empty):
            while (line := self._lines.get_nowait()) is not None:
                arrived = _read(line)
                if self._wanted.pop(arrived.number, None):
                    yield arrived
            yield from self._again("the process that downloads has ended")
        late_s = time.monotonic() - self._timeout_s - _GRACE_S
        late = [number for number, each in self._wanted.items() if each.begun_s < late_s]
        for number in late:
            del self._wanted[number]
            message = f"its download took longer than {self._timeout_s:g} s"
            yield Arrived(number, 0, FailureKind.TIMEOUT, message)
        if late:
            yield from self._again("")

    def close(self) -> None:
        """End the process, whatever it is on."""
        self._wanted.clear()
        self._end()

    def _ask(self, number: int) -> None:
        """Have the process bring a file; where it has just ended, its end is seen later."""
        if self._process is None:
            self._process, self._lines = start("get", f"{self._timeout_s:g}"), SimpleQueue()
            reader = threading.Thread(
                target=_read_on, args=(self._process, self._lines), daemon=True
            )
            reader.start()
        wanted, stdin = self._wanted[number], self._process.stdin
        assert stdin is not None
        with suppress(BrokenPipeError):
            stdin.write(json.dumps([number, wanted.place, wanted.path, wanted.most_bytes]) + "\n")
            stdin.flush()

    def _again(self, message: str) -> Iterator[Arrived]:
        """Begin anew, in a new process, what the old one was on; give up what it ended before.

        Args:
            message: why; empty if it is not the fault of what is left.
        """
        self._end()
        for number, wanted in list(self._wanted.items()):
            wanted.tries += bool(message)
            wanted.begun_s = time.monotonic()
            if wanted.tries <= _TRIES:
                self._ask(number)
            else:
                del self._wanted[number]
                yield Arrived(number, 0, FailureKind.STORE, message)

    def _end(self) -> None:
        process, self._process, self._lines = self._process, None, SimpleQueue()
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()


def _read_on(process: "subprocess.Popen[str]", lines: _Lines) -> None:
    """Queue the lines that the process writes, and None at their end. Runs in a thread."""
    with suppress(ValueError, OSError):  # the pipe is closed
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


def _read(line: str) -> Arrived:
    number, size_bytes, kind, message = json.loads(line)
    return Arrived(number, size_bytes, kind, message)
