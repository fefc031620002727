"""Figures of earlier runs: arithmetic on the report lines and the summary. It draws nothing."""

import json
import math
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from pdfingest.errors import NoInputError
from pdfingest.measure.flatness import Point, Trend, changes
from pdfingest.output.layout import REPORT, SUMMARY
from pdfingest.report.costs import Costs, FileCost
from pdfingest.text import counted, mib

_ROOM_BYTES = 64 << 20
"""Room between peak and limit: a limit counts what a child maps, a peak only what it uses."""
_STEP_BYTES = 64 << 20
_BINS = 10
_PERCENTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
ISOLATED = "a fresh process for each file"
"""How memory that the parent and its helpers held is named beside that of other ways."""
_UNREADABLE = (OSError, ValueError, LookupError, TypeError, OverflowError, sqlite3.ProgrammingError)
"""Exceptions of a file that is missing or is not a report."""

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Sizing:
    """Memory limit and machine that the files of a report need."""

    workers: int
    peak_bytes: int
    """Peak that 99 % of the files do not exceed; 0 if no process was started."""
    limit_bytes: int
    """Memory limit under which every file passes."""

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
    """Figures from which a report and its pictures are made; to be used in a `with` statement."""

    costs: Costs
    memory: dict[str, Any] = field(default_factory=dict[str, Any])
    """Part `memory` of `summary.json`; empty if there is no such file."""
    not_begun: int = 0
    """Sources that the newest run left to the next, because it was stopped."""
    others: Mapping[str, Sequence[Point]] = field(default_factory=dict[str, Sequence[Point]])
    """What was held in other ways of reading the files, by name, most telling first."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.costs.close()

    @property
    def held(self) -> list[Point]:
        """Files done, and bytes of memory that the parent and its helpers held."""
        samples = self.memory.get("samples", {})
        columns = (samples.get(name, []) for name in ("parent_rss_bytes", "helpers_rss_bytes"))
        sums = map(sum, zip(*columns, strict=True))
        return list(zip(samples.get("files", []), sums, strict=True))

    @property
    def trend(self) -> Trend | None:
        """Growth of that memory; None if the summary is missing, or not of this version."""
        try:
            return Trend.of_json(self.memory)
        except (KeyError, ValueError):
            return None

    @property
    def verdict(self) -> str:
        """Verdict on flatness, in words."""
        trend = self.trend
        return f"{trend.verdict}: {trend}" if trend else "unknown: summary.json does not say it"

    @property
    def counts(self) -> str:
        """Number of files, and how they ended, in words."""
        statuses = ", ".join(f"{count:,} {name}" for name, count in self.costs.statuses.items())
        failures = ", ".join(f"{kind} {n:,}" for kind, n in self.costs.failures.items())
        return f"{len(self.costs):,} files: {statuses}; failures: {failures or 'none'}"

    def sizing(self, workers: int) -> Sizing:
        """Return what this number of workers needs to ingest the files again."""
        peaks = self.costs.limited
        if not peaks:
            return Sizing(workers, 0, 0)
        return Sizing(workers, percentile(peaks, 0.99), limit_for(peaks[-1]))


def growth_heading(samples: Sequence[Point]) -> str:
    """Return a heading for a picture of the changes of samples, of which there is one at least."""
    return f"Growth of memory after the first {counted(changes(samples)[0][0], 'file')}"


def limit_for(peak_bytes: int) -> int:
    """Return a memory limit in bytes under which a file with that peak passes."""
    return math.ceil((peak_bytes + _ROOM_BYTES) / _STEP_BYTES) * _STEP_BYTES


def percentile(ordered: Sequence[Number], fraction: float) -> Number:
    """Return the value that a fraction of the values, which are ascending, does not exceed."""
    return ordered[max(math.ceil(fraction * len(ordered)) - 1, 0)]


def percentiles(ordered: Sequence[Number]) -> dict[str, Number]:
    """Return the usual percentiles of at least one value by name; the values are ascending."""
    return {name: percentile(ordered, fraction) for name, fraction in _PERCENTILES.items()}


def histogram(values: Sequence[int], bins: int = _BINS) -> list[tuple[int, int, int]]:
    """Return lower end, upper end and number of values of each bin; all bins have one width."""
    if not values:
        return []
    low, high = min(values), max(values)
    # Of whole bytes, and at least 1, also if all values are the same.
    width = max(math.ceil((high - low + 1) / bins), 1)
    counts = Counter((value - low) // width for value in values)
    last = max(counts)
    return [(low + i * width, low + (i + 1) * width, counts[i]) for i in range(last + 1)]


def read_figures(folder: str) -> Figures:
    """Read the figures of an output directory.

    Raises:
        NoInputError: the directory has no report that can be read.
        OutputError: the directory for temporary files has no room for the costs.
    """
    try:
        costs = Costs(_lines(os.path.join(folder, REPORT)))
    except _UNREADABLE as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise NoInputError(
            f"{folder} has no {REPORT} that can be read ({reason}). Name the directory that "
            "--output named; merge the parts of shards with: pdfingest compact"
        ) from error
    summary = _summary(folder)
    return Figures(costs, summary.get("memory", {}), summary.get("not_begun", 0))


def _lines(path: str) -> Iterator[FileCost]:
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in file:
            if line.endswith("\n"):  # else a run is writing it, or was killed meanwhile
                yield FileCost.of_line(json.loads(line))


def _summary(folder: str) -> dict[str, Any]:
    """Read the summary of the newest run; empty if there is none that can be read."""
    try:
        with open(os.path.join(folder, SUMMARY), encoding="utf-8") as file:
            return {**json.load(file)}  # a TypeError if it is not an object
    except (OSError, ValueError, TypeError):
        return {}
