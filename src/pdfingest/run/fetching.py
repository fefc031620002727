"""Fetching: the files of a run that are elsewhere are brought to this machine, and read here.

    jobs ─▶ elsewhere ─ downloads ─▶ scratch ─▶ supervisor ─▶ outcome, and the copy is deleted
        └─▶ here ──────────────────────────────▶

Downloads run ahead of the lanes as far as the scratch has room. A child reads the copy, and never
talks to the network.
"""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count

from pdfingest.errors import OutputError
from pdfingest.job import Job
from pdfingest.model import FailureKind, Reading, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import Failed, Finished
from pdfingest.remote.downloads import Arrived, Downloads
from pdfingest.remote.place import DISK, is_remote
from pdfingest.remote.scratch import Scratch
from pdfingest.run.supervisor import Supervisor
from pdfingest.stop import Stop
from pdfingest.text import mib

_AT_ONCE = 16
"""Downloads under way at a time."""
_AHEAD = 64
"""Files in the scratch that no lane has begun."""
_UNKNOWN = 4
"""Files of unknown size that have room at a time."""


@dataclass(slots=True)
class _Copy:
    """A file that is in the scratch, or on its way there."""

    job: Job
    path: str
    size_bytes: int
    """What it takes, or may take while that is not known."""


class Fetching:
    """Runs jobs in children of this process, wherever their sources are.

    Args:
        options: of the run.
        recorders: directory of the flight recorders.
        stop: watched all the time.
        started: told the lane's 0-based index and the source of every job that starts.
    """

    def __init__(
        self,
        options: IngestOptions,
        recorders: str,
        stop: Stop,
        started: Callable[[int, Source], None],
    ) -> None:
        self._supervisor = Supervisor(options, recorders, stop, started)
        self._room_bytes = options.scratch_bytes
        self._downloads = Downloads(options.timeout_s)
        self._scratch: Scratch | None = None
        self._numbers = count(1)
        self._coming: dict[int, _Copy] = {}
        self._here: dict[str, _Copy] = {}
        """Copies that are waiting or being read, by the name of the source."""
        self._ready: deque[Job] = deque()
        self._put_back: Job | None = None
        """The next job, for which there was no room."""
        self._failed: deque[Finished] = deque()
        self._held_bytes = 0

    def run(self, jobs: Iterator[Job]) -> Generator[Finished | None, None, None]:
        """Yield each job as it ends, and None some times a second; see `Supervisor.run`.

        Raises:
            OutputError: the scratch has no room on its disk.
            EngineUnavailableError: obstore is not installed.
        """
        with closing(self._supervisor.run(self._local(jobs))) as steps:
            for finished in steps:
                yield finished and self._whole(finished)
                while self._failed:
                    yield self._failed.popleft()
        yield from self._failed

    def reading(self) -> Iterable[Reading]:
        """Say how far each source is that a child reads, in the order of the lanes."""
        return self._supervisor.reading()

    def close(self) -> None:
        """Let go of the lanes, end all downloads, and delete the scratch."""
        self._supervisor.close()
        self._downloads.close()
        if self._scratch:
            self._scratch.close()

    def _local(self, jobs: Iterator[Job]) -> Iterator[Job | None]:
        """Yield the jobs whose files are here, and None while the next is on its way."""
        is_over = False
        while True:
            for arrived in self._downloads.arrived() if self._coming else ():
                self._take_in(arrived)
            while not is_over and not self._is_full():
                job, self._put_back = self._put_back or next(jobs, None), None
                if job is None:
                    is_over = True
                elif not is_remote(job.source.path):
                    self._ready.append(job)
                    break
                elif not self._begin(job):
                    self._put_back = job
                    break
            if self._ready:
                yield self._ready.popleft()
            elif self._coming or self._put_back:
                yield None
            elif is_over:
                return

    def _is_full(self) -> bool:
        """Whether as much is on its way or waiting as may be."""
        return len(self._coming) >= _AT_ONCE or len(self._ready) >= _AHEAD

    def _begin(self, job: Job) -> bool:
        """Begin to bring the file of a job; False if there is no room now."""
        source = job.source
        size_bytes = source.size_bytes or self._room_bytes // _UNKNOWN
        if size_bytes > self._room_bytes:
            message = f"{mib(size_bytes)} are more than {mib(self._room_bytes)}; see --scratch"
            self._failed.append(Finished(source, Failed(FailureKind.TOO_LARGE, message)))
            return True
        if self._held_bytes + size_bytes > self._room_bytes:
            return False
        self._scratch = self._scratch or Scratch()
        number = next(self._numbers)
        path = os.path.join(self._scratch.make("sources"), f"{number}.pdf")
        self._coming[number] = _Copy(job, path, size_bytes)
        self._held_bytes += size_bytes
        self._downloads.begin(number, source.path, path, size_bytes)
        return True

    def _take_in(self, arrived: Arrived) -> None:
        """Have a file read that has arrived, or note why it has not.

        Raises:
            OutputError: this machine has no room.
        """
        copy = self._coming.pop(arrived.number)
        self._held_bytes += arrived.size_bytes - copy.size_bytes
        copy.size_bytes = arrived.size_bytes
        if not arrived.kind:
            self._here[copy.job.source.name] = copy
            source = copy.job.source._replace(path=copy.path, size_bytes=copy.size_bytes)
            self._ready.append(copy.job._replace(source=source))
            return
        self._forget(copy)
        if arrived.kind == DISK:
            folder = os.path.dirname(copy.path)
            raise OutputError(
                f"{folder} has no room for a download: {arrived.message}. Free some space, name "
                "another directory in TMPDIR, or use less --scratch."
            )
        failed = Failed(FailureKind(arrived.kind), arrived.message)
        self._failed.append(Finished(copy.job.source, failed))

    def _whole(self, finished: Finished) -> Finished:
        """Return a finished source as it was planned, and delete its copy, if it has one."""
        copy = self._here.pop(finished.source.name, None)
        if copy is None:
            return finished
        self._forget(copy)
        source = finished.source._replace(path=copy.job.source.path)
        return finished._replace(source=source)

    def _forget(self, copy: _Copy) -> None:
        self._held_bytes -= copy.size_bytes
        with suppress(OSError):
            os.unlink(copy.path)
