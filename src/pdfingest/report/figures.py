"""Figures of an earlier run: arithmetic on its report lines and its summary; draws nothing."""

import json
import math
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from pdfingest.errors import NoInputError
from pdfingest.measure.flatness import Verdict
from pdfingest.output.layout import REPORT, SUMMARY
from pdfingest.report.costs import Costs, FileCost
from pdfingest.text import mib

_ROOM_BYTES = 64 << 20
"""What a child maps beyond what it uses: the limit is on what it maps, the peak is what it used."""
_STEP_BYTES = 64 << 20
_BINS = 10
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, OverflowError, sqlite3.ProgrammingError)
"""What a file raises that is not there or is no report."""

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Sizing:
    """What memory limit and machine the files of a report need."""

    workers: int
    peak_bytes: int
    """99 % of the peaks do not exceed it; 0 where no process was started."""
    limit_bytes: int
    """A memory limit under which every file passes."""

    def __str__(self) -> str:
        if not self.peak_bytes:
            return "no child was started"
        workers = self.workers
        return (
            f"p99 of the peaks is {mib(self.peak_bytes)}; --workers {workers} needs "
            f"{mib(workers * self.peak_bytes)} as a rule. For the largest too: --memory-limit "
            f"{self.limit_bytes >> 20}M, which is {mib(workers * self.limit_bytes)} for {workers}"
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a report and its pictures are made of. Close it, or use it in a `with` statement."""

    costs: Costs
    memory: dict[str, Any] = field(default_factory=dict[str, Any])
    """The part of `summary.json`; empty if there is none."""
    not_begun: int = 0
    """Sources that the newest run left for the next, as it was stopped; 0 without a summary."""
    reused: Sequence[tuple[int, int]] = ()
    """The control of a bench: files done, and memory held in bytes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.costs.__exit__(kind, error, traceback)

    @property
    def held(self) -> list[tuple[int, int]]:
        """Files done, and memory of what outlives a file in bytes."""
        samples = self.memory.get("samples", {})
        columns = (samples.get(name, []) for name in ("parent_rss_bytes", "helpers_rss_bytes"))
        sums = map(sum, zip(*columns, strict=True))
        return list(zip(samples.get("files", []), sums, strict=True))

    @property
    def verdict(self) -> str:
        """The verdict on flatness, in words."""
        memory = self.memory
        if not memory:
            return "not told: summary.json is missing"
        if memory["verdict"] == Verdict.INCONCLUSIVE and not memory["bytes_per_file_high"]:
            return f"inconclusive: {memory['files']:,} files are too few to tell"
        return (
            f"{memory['verdict']}: {memory['bytes_per_file']:+,.1f} bytes per file "
            f"({memory['bytes_per_file_low']:+,.1f} to {memory['bytes_per_file_high']:+,.1f})"
        )

    @property
    def counts(self) -> str:
        """Number of files, and how they ended, in words."""
        statuses = ", ".join(f"{count:,} {name}" for name, count in self.costs.statuses.items())
        failures = ", ".join(f"{kind} {n:,}" for kind, n in self.costs.failures.items())
        return f"{len(self.costs):,} files: {statuses}; failures: {failures or 'none'}"

    def sizing(self, workers: int) -> Sizing:
        """What this number of workers needs to ingest the files again."""
        peaks = self.costs.peaks
        if not peaks:
            return Sizing(workers, 0, 0)
        return Sizing(workers, percentile(peaks, 0.99), limit_for(peaks[-1]))


def limit_for(peak_bytes: int) -> int:
    """A memory limit under which a file of that peak passes."""
    return math.ceil((peak_bytes + _ROOM_BYTES) / _STEP_BYTES) * _STEP_BYTES


def percentile(ordered: Sequence[Number], fraction: float) -> Number:
    """The value that this fraction of the values, which are in order, does not exceed."""
    return ordered[max(math.ceil(fraction * len(ordered)) - 1, 0)]


def histogram(values: Sequence[int], bins: int = _BINS) -> list[tuple[int, int, int]]:
    """Lower end, upper end and number of the values in bins of one width."""
    if not values:
        return []
    low, high = min(values), max(values)
    width = max(math.ceil((high - low + 1) / bins), 1)
    counts = Counter((value - low) // width for value in values)
    last = max(counts)
    return [(low + i * width, low + (i + 1) * width, counts[i]) for i in range(last + 1)]


def read_figures(folder: str) -> Figures:
    """The figures of an output directory.

    Raises:
        NoInputError: no run wrote there.
        OutputError: the directory for temporary files has no room for them.
    """
    try:
        costs = Costs(_lines(os.path.join(folder, REPORT)))
    except _UNREADABLE as error:
        raise NoInputError(
            f"{folder} has no {REPORT} that can be read ({error}). Name what --output named; "
            "merge the parts of shards with: pdfingest compact"
        ) from error
    summary = _summary(folder)
    return Figures(costs, summary.get("memory", {}), summary.get("not_begun", 0))


def _lines(path: str) -> Iterator[FileCost]:
    """The lines of a report, in order."""
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            if line.endswith("\n"):  # else a run is writing it, or was killed while it did
                yield FileCost.of_line(json.loads(line))


def _summary(folder: str) -> dict[str, Any]:
    """What the newest run says of itself; empty if it says nothing."""
    try:
        with open(os.path.join(folder, SUMMARY), encoding="utf-8") as file:
            return {**json.load(file)}  # a TypeError where it is no object
    except (OSError, ValueError, TypeError):
        return {}
