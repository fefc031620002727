"""The rounds of a bench: the same files in the same order, isolated and, as the control, reused.

    isolated   as `run` does it: a fresh process for every file, outputs and ledger included
    reused     as a server does it: one process that parses file after file and stays

The control takes the same limits, but no sandbox and no records, so its speed is the lower bound.
It is started again where it dies or hangs: what such a file costs a server is not in the figures.
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
from pdfingest.measure.flatness import Trend, judge
from pdfingest.measure.memory import PeakMeter
from pdfingest.model import Cost, Extracted, Finished, Job, Sandbox, Source, Stop
from pdfingest.options import IngestOptions
from pdfingest.output.summary import Summary
from pdfingest.run.discover import Found, discover
from pdfingest.run.pipeline import ingest_found
from pdfingest.run.work import job_template

_WAIT_S = 0.1
"""How soon a request to stop is seen."""


@dataclass(frozen=True, slots=True)
class Round:
    """One way through the files."""

    name: str
    files: int
    failed: int
    """Files that gave no record."""
    deaths: int
    """Times that the reused process died or had to be killed."""
    lanes: int
    wall_s: float
    points: Sequence[tuple[int, int]]
    """Files done, and memory of what outlives a file in bytes, in the order of time."""

    @property
    def trend(self) -> Trend:
        """Growth of that memory."""
        return judge(self.points)

    @property
    def highest_bytes(self) -> int:
        """The most that was held."""
        return max((held for _, held in self.points), default=0)

    @property
    def lane_ms(self) -> float:
        """Milliseconds that a lane takes for a file."""
        return 1000 * self.wall_s * self.lanes / max(self.files, 1)

    def to_json(self) -> dict[str, Any]:
        """The round as `--json` has it."""
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
    """The files to go through, at most so many.

    Raises:
        NoInputError: there is none.
    """
    readable = (source for source, _ in discover(inputs) if not source.error)
    if not (sources := list(islice(readable, files))):
        raise NoInputError("no PDF found. Leave the inputs out to use files that bench makes.")
    return sources


class Leak(Listener):
    """A parent that keeps some bytes of every file, so that the test can be seen to fail."""

    def __init__(self, leak_bytes: int, files: int) -> None:
        self._leak_bytes = leak_bytes
        # From the system, not from the heap: what the start of the program left free there would
        # hide the first MiB.
        self._kept = mmap(-1, max(leak_bytes * files, 1))

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Keep them; touched, as memory that is not touched is not resident."""
        self._kept.write(b"\1" * self._leak_bytes)


def isolated(
    sources: Sequence[Source],
    files: int,
    options: IngestOptions,
    listeners: Sequence[Listener],
    stop: Stop,
) -> Round:
    """The files as `run` does them, cycled until there are so many."""
    summary = ingest_found(_cycled(sources, files), options, listeners, stop)
    points = [(sample.files, sample.held_bytes) for sample in summary.samples]
    done, wall_s = summary.finished, summary.wall_s
    return Round("isolated", done, summary.failed, 0, options.workers, wall_s, points)


def _cycled(sources: Sequence[Source], files: int) -> Iterator[Found]:
    """Sources again and again, each time under another name."""
    for number in range(files):
        again, index = divmod(number, len(sources))
        # No stat: by that, the copies would be known as one file.
        yield replace(sources[index], name=f"{again:06}/{sources[index].name}"), None


def reused(
    sources: Sequence[Source], files: int, options: IngestOptions, folder: str, stop: Stop
) -> Round:
    """The files in one process, started again where it ends.

    Args:
        sources: cycled until there are so many.
        files: how many.
        options: engine, limits and time limit.
        folder: for what the process writes.
        stop: ends the round early.
    """
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
        if done < files and not stop.requested:  # the file that it died on is lost
            done, failed, deaths = done + 1, failed + 1, deaths + 1
    wall_s = perf_counter() - began_s
    playback.close()
    return Round("reused", done, failed, deaths, 1, wall_s, _thinned(points))


def _thinned(points: Sequence[tuple[int, int]], most: int = 1000) -> list[tuple[int, int]]:
    """Evenly so many of the points, the last included."""
    stride = -(-len(points) // most) or 1
    return [*points[(len(points) - 1) % stride :: stride]]


@dataclass(frozen=True, slots=True)
class _Control:
    """Starts the processes that are reused."""

    sources: Sequence[Source]
    files: int
    job: Job
    timeout_s: float
    stop: Stop

    def serve(self, begin: int) -> Iterator[tuple[int, int, bool]]:
        """What one process says: files done, memory held, whether the file gave records."""
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
        except EOFError:
            pass
        finally:
            process.kill()
            process.join()
            ours.close()


def _recorder_of(job: Job) -> str:
    """Return the path of the flight recorder, which the extraction of a file needs."""
    return f"{job.spool}.notes"


def _serve(
    pipe: "Connection[Any, Any]",
    sources: list[Source],
    begin: int,
    files: int,
    job: Job,
) -> None:
    """One file after the other. Runs in the process that is reused."""
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
