"""The rounds of a bench: the same files in the same order, isolated and, as the control, reused.

    isolated   as in `run`: a fresh process for every file, with outputs and ledger
    reused     as in a server: one process that parses file after file and stays

The control has the same limits, but no sandbox and no records, so its time is a lower bound. It is
started again when it dies or hangs: what such a file costs a server is not in the figures.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from mmap import mmap
from multiprocessing.connection import Connection, Pipe
from time import perf_counter
from typing import Any

from pdfingest.child import limits
from pdfingest.child.extraction import Extraction
from pdfingest.engines.registry import find_engines
from pdfingest.errors import NoInputError
from pdfingest.events import Listener
from pdfingest.exchange.recorder import Playback, Recorder
from pdfingest.isolation.spawn import Spawned
from pdfingest.job import Job, Sandbox
from pdfingest.measure.flatness import Trend, judge
from pdfingest.measure.memory import PeakMeter
from pdfingest.model import Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import Cost, Extracted, Finished
from pdfingest.output.summary import Summary
from pdfingest.run.discover import Found, discover
from pdfingest.run.pipeline import ingest_found
from pdfingest.run.work import job_template
from pdfingest.stop import Stop

_WAIT_S = 0.1
"""Longest time until a request to stop is seen."""


@dataclass(frozen=True, slots=True)
class Round:
    """Figures of one way through the files."""

    name: str
    files: int
    failed: int
    """Number of files that yielded no record."""
    deaths: int
    """How often the reused process died or had to be killed."""
    lanes: int
    wall_s: float
    points: Sequence[tuple[int, int]]
    """Files done, and bytes of memory that outlive a file, in the order of time."""

    @property
    def trend(self) -> Trend:
        """Growth of the memory that outlives a file."""
        return judge(self.points)

    @property
    def highest_bytes(self) -> int:
        """Most bytes of memory that outlived a file."""
        return max((held for _, held in self.points), default=0)

    @property
    def lane_ms(self) -> float:
        """Milliseconds that a lane took for a file."""
        return 1000 * self.wall_s * self.lanes / max(self.files, 1)

    def to_json(self) -> dict[str, Any]:
        """Return the round as `--json` writes it."""
        trend = self.trend
        return {
            "files": self.files,
            "failed": self.failed,
            "deaths": self.deaths,
            "lanes": self.lanes,
            "wall_s": round(self.wall_s, 3),
            "files_per_s": round(self.files / max(self.wall_s, 1e-9), 1),
            "lane_ms_per_file": round(self.lane_ms, 3),
            "highest_bytes": self.highest_bytes,
            "verdict": trend.verdict.value,
            "bytes_per_file": round(trend.slope, 1),
            "bytes_per_file_low": round(trend.low, 1),
            "bytes_per_file_high": round(trend.high, 1),
            "points": [list(point) for point in self.points],
        }


def find_sources(inputs: Sequence[str], files: int) -> list[Source]:
    """Return the PDFs to read, at most `files` of them.

    Raises:
        NoInputError: no input is a PDF that can be read.
    """
    readable = (source for source, _ in discover(inputs) if not source.error)
    if not (sources := list(islice(readable, files))):
        raise NoInputError("no PDF found. Leave the inputs out to use files that bench makes.")
    return sources


class Leak(Listener):
    """Leaks some bytes in the parent for every file, so that the test can be seen to fail."""

    def __init__(self, leak_bytes: int, files: int) -> None:
        self._leak_bytes = leak_bytes
        # Mapped, not taken from the heap, where what the start of the program left free would hide
        # the first MiB of the leak.
        self._kept = mmap(-1, max(leak_bytes * files, 1))

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Leak the bytes of a file; they are written, because untouched memory is not resident."""
        self._kept.write(b"\1" * self._leak_bytes)


def isolated(
    sources: Sequence[Source],
    files: int,
    options: IngestOptions,
    listeners: Sequence[Listener],
    stop: Stop,
) -> Round:
    """Read the files as `run` does, beginning again until `files` of them are read."""
    summary = ingest_found(_cycled(sources, files), options, listeners, stop)
    points = [(sample.files, sample.held_bytes) for sample in summary.samples]
    done, wall_s = summary.finished, summary.wall_s
    return Round("isolated", done, summary.failed, 0, options.workers, wall_s, points)


def _cycled(sources: Sequence[Source], files: int) -> Iterator[Found]:
    """Yield the sources again and again, each time under another name."""
    for number in range(files):
        again, index = divmod(number, len(sources))
        # Without a stat, by which discovery would take the copies for one file.
        yield replace(sources[index], name=f"{again:06}/{sources[index].name}"), None


def reused(
    sources: Sequence[Source], files: int, options: IngestOptions, folder: str, stop: Stop
) -> Round:
    """Read the files in one process, which is started again when it ends."""
    job = replace(
        job_template(options, find_engines(options.engine), ()),
        limits=replace(options.limits(), memory_bytes=options.budget_bytes()),
        spool=os.path.join(folder, "spool"),
        sandbox=Sandbox.OFF,  # what a process gives up for one file, it cannot use for the next
    )
    playback = Playback(_recorder_of(job))
    control = _Control(sources, files, job, options.timeout_s, stop)
    points: list[tuple[int, int]] = []
    done = failed = deaths = 0
    began_s = perf_counter()
    while done < files and not stop.requested:
        for ended, held_bytes, ok in control.serve(done):
            points.append((ended, held_bytes))
            failed += not ok
            done = ended
        if done < files and not stop.requested:  # the file on which it died is lost
            done, failed, deaths = done + 1, failed + 1, deaths + 1
    wall_s = perf_counter() - began_s
    playback.close()  # it made the file into which the processes record
    return Round("reused", done, failed, deaths, 1, wall_s, _thinned(points))


def _thinned(points: Sequence[tuple[int, int]], most: int = 1000) -> list[tuple[int, int]]:
    """Return at most `most` of the points, evenly spread, with the last one."""
    stride = -(-len(points) // most) or 1
    return [*points[(len(points) - 1) % stride :: stride]]


@dataclass(frozen=True, slots=True)
class _Control:
    """Starts the processes that are reused, and watches them."""

    sources: Sequence[Source]
    files: int
    job: Job
    timeout_s: float
    stop: Stop

    def serve(self, begin: int) -> Iterator[tuple[int, int, bool]]:
        """Start a process, and yield after each file: files done, bytes held, if it has records."""
        ours, theirs = Pipe(duplex=False)
        args = (theirs, list(self.sources), begin, self.files, self.job)
        process = Spawned(target=_serve, args=args)
        process.start()
        theirs.close()
        try:
            deadline_s = perf_counter() + self.timeout_s
            while not self.stop.requested and perf_counter() < deadline_s:
                if ours.poll(_WAIT_S):
                    yield ours.recv()
                    deadline_s = perf_counter() + self.timeout_s
        except EOFError:  # the process is done, or has died
            pass
        finally:
            process.kill()  # it may hang in a file, or in a pipe that nobody reads any more
            process.join()
            ours.close()


def _recorder_of(job: Job) -> str:
    return f"{job.spool}.notes"


def _serve(
    pipe: "Connection[Any, Any]", sources: list[Source], begin: int, files: int, job: Job
) -> None:
    """Read one file after the other. Runs in the process that is reused."""
    meter = PeakMeter()
    limits.apply(job.limits)
    for number in range(begin, files):
        each = replace(job, source=sources[number % len(sources)])
        notes = Recorder(_recorder_of(job), number)
        outcome = Extraction(each, notes, Cost).run()
        notes.close()
        with suppress(FileNotFoundError):
            os.unlink(each.spool)
        pipe.send((number + 1, meter.resident_bytes(), isinstance(outcome, Extracted)))
