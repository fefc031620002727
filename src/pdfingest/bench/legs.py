"""The legs of a bench: ways through the same files, in the same order, and what each one held.

isolated   as in `run`: a fresh process for every file, with outputs and ledger
leaking    the same, with a leak on purpose in the parent, which the test must see
control    as in a server: one process with many threads, which stays; see `server`
loop       one process that reads one file after the other: what isolation costs beside it
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from mmap import mmap
from typing import Any

from pdfingest.errors import NoInputError, UsageError
from pdfingest.events import Listener
from pdfingest.measure.flatness import Point, Trend, judge
from pdfingest.measure.processes import Processes
from pdfingest.model import Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import Finished
from pdfingest.output.summary import Summary
from pdfingest.remote.place import is_remote
from pdfingest.run.discover import discover
from pdfingest.run.found import Found
from pdfingest.run.pipeline import ingest_found
from pdfingest.stop import Stop
from pdfingest.text import printable

_LOOKS = 200
"""Number of looks at the memory of a leg."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Figures of one way through the files."""

    name: str
    files: int
    failed: int
    """Number of files that could not be read, or were lost when their process ended."""
    deaths: int
    """How often a process that should stay died or had to be ended."""
    lanes: int
    """Number of processes that read files at a time."""
    wall_s: float
    points: Sequence[Point]
    """Memory that outlives a file, in the order of time."""
    longest: Sequence[Point] = ()
    """Those of the process that lived longest, if there was more than one."""

    @property
    def trend(self) -> Trend:
        """Growth of the memory that outlives a file."""
        return judge(self.longest or self.points)

    @property
    def highest_bytes(self) -> int:
        """Most bytes of memory that outlived a file."""
        return max((held for _, held in self.points), default=0)

    @property
    def lane_ms(self) -> float:
        """Milliseconds that a lane took for a file."""
        return 1000 * self.wall_s * self.lanes / max(self.files, 1)

    def to_json(self) -> dict[str, Any]:
        """Return the leg as `--json` writes it."""
        return {
            "files": self.files,
            "failed": self.failed,
            "deaths": self.deaths,
            "lanes": self.lanes,
            "wall_s": round(self.wall_s, 3),
            "lane_ms_per_file": round(self.lane_ms, 3),
            "highest_bytes": self.highest_bytes,
            "memory": self.trend.to_json(),
            "points": [list(point) for point in self.points],
        }


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files of a bench: some sources, again and again."""

    sources: Sequence[Source]
    """In the order in which they are read."""
    files: int
    """How many files are read."""

    def at(self, index: int) -> Source:
        """Return the source of a file."""
        return self.sources[index % len(self.sources)]


def find_inputs(inputs: Sequence[str], files: int) -> Inputs:
    """Return the PDFs that a user named, at most `files` of them, to be read until that many are.

    Raises:
        NoInputError: no input is a PDF that can be read.
        UsageError: an input is not on this machine, as it must be for a fair comparison.
    """
    for one in inputs:
        if is_remote(one):
            raise UsageError(f"bench reads files of this machine. Copy those of {printable(one)}.")
    # By name, as inputs may overlap, and a run reads two sources of one name once.
    found: dict[str, Source] = {}
    for each in discover(inputs):
        if not each.error:
            found.setdefault(each.name, Source(each.name, each.path, each.size_bytes))
        if len(found) == files:
            break
    if not (sources := [found[name] for name in sorted(found)]):
        raise NoInputError("no PDF found. Leave the inputs out to use files that bench makes.")
    return Inputs(sources, files)


def isolated(
    inputs: Inputs,
    options: IngestOptions,
    listeners: Sequence[Listener],
    stop: Stop,
    leak_bytes: int = 0,
) -> Leg:
    """Read the files as `run` does.

    Args:
        inputs: the files.
        options: of the run.
        listeners: are told what happens.
        stop: ends it early.
        leak_bytes: what the parent is made to leak for every file.
    """
    leak, looks = _Leak(leak_bytes, inputs.files), _Looks(max(inputs.files // _LOOKS, 1))
    summary = ingest_found(_found(inputs), options, [*listeners, leak, looks], stop)
    leak.end()
    done, wall_s = summary.finished, summary.wall_s
    name = "leaking" if leak_bytes else "isolated"
    return Leg(name, done, summary.failed, 0, options.workers, wall_s, looks.points)


class _Looks(Listener):
    """Looks at the memory of a run after every so many files.

    A run looks after some time. A quick machine would have read all files before there are enough
    looks for a verdict.
    """

    def __init__(self, every: int) -> None:
        self.points: list[Point] = []
        self._every = every
        self._processes = Processes()

    def on_planned(self, sources: int, size_bytes: int) -> None:
        """Look before the first file."""
        self.points.append((0, self._processes.look().held_bytes))

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Look, if it is time."""
        if summary.finished % self._every == 0:
            self.points.append((summary.finished, self._processes.look().held_bytes))


class _Leak(Listener):
    """Leaks some bytes in the parent for every file, to show that the test sees it."""

    def __init__(self, leak_bytes: int, files: int) -> None:
        self._leak_bytes = leak_bytes
        # Mapped, not taken from the heap, where what the start of the program left free would hide
        # the first MiB of the leak.
        self._kept = mmap(-1, max(leak_bytes * files, 1))

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Leak the bytes of a file; they are written, because untouched memory is not resident."""
        self._kept.write(b"\1" * self._leak_bytes)

    def end(self) -> None:
        """Give back what was leaked."""
        self._kept.close()


def _found(inputs: Inputs) -> Iterator[Found]:
    """Yield the files, each time that a source is read under another name."""
    for index in range(inputs.files):
        source, again = inputs.at(index), index // len(inputs.sources)
        # Without a stat, by which discovery would take the copies for one file.
        yield Found(f"{again:06}/{source.name}", source.path, source.size_bytes)
