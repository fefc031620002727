"""Figures of an earlier run: arithmetic on its report lines and its summary; draws nothing."""

import json
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pdfingest.errors import NoInputError
from pdfingest.flatness import Verdict
from pdfingest.layout import REPORT, SUMMARY
from pdfingest.text import mib

MOST_POINTS = 10_000
"""More files than this are not drawn one by one."""
_ROOM_BYTES = 64 << 20
"""What a child maps beyond what it uses: the limit is on what it maps, the peak is what it used."""
_STEP_BYTES = 64 << 20
_BINS = 10


@dataclass(frozen=True, slots=True)
class FileCost:
    """What one source cost; its newest report line for which a child was started."""

    source: str
    status: str
    failure: str
    message: str
    size_bytes: int
    pages: int
    pages_failed: int
    peak_bytes: int
    baseline_bytes: int
    wall_s: float
    cpu_s: float

    @property
    def own_bytes(self) -> int:
        """What the file itself took."""
        return max(self.peak_bytes - self.baseline_bytes, 0)


@dataclass(frozen=True, slots=True)
class Figures:
    """All that pictures need."""

    files: Sequence[FileCost]
    memory: dict[str, Any] = field(default_factory=dict[str, Any])
    """The part of `summary.json`; empty if there is none."""
    reused: Sequence[tuple[int, int]] = ()
    """The control of a bench: files done, and memory held in bytes."""

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
    def failures(self) -> list[tuple[str, int]]:
        """Files by kind of failure, the most frequent first."""
        return Counter(each.failure for each in self.files if each.failure).most_common()

    def top(self, number: int) -> list[FileCost]:
        """The files with the highest peaks."""
        return sorted(self.files, key=lambda each: -each.peak_bytes)[:number]

    def drawn(self) -> list[FileCost]:
        """The files that a picture shows one by one: failures and peaks, then evenly the rest."""
        if len(self.files) <= MOST_POINTS:
            return [*self.files]
        ranked = sorted(self.files, key=lambda each: (not each.failure, -each.peak_bytes))
        first, rest = ranked[: MOST_POINTS // 2], ranked[MOST_POINTS // 2 :]
        stride = math.ceil(len(rest) / (MOST_POINTS // 2))
        return [*first, *rest[::stride]]

    def sizing(self, workers: int) -> str:
        """What memory limit and machine these files need, in words."""
        peaks = sorted(each.peak_bytes for each in self.files if each.peak_bytes)
        if not peaks:
            return "no child was started"
        usual, limit = percentile(peaks, 0.99), limit_for(peaks[-1])
        return (
            f"p99 of the peaks is {mib(usual)}; {workers} workers need {mib(workers * usual)} as a "
            f"rule. For the largest too: --memory-limit {limit >> 20}M, which is "
            f"{mib(workers * limit)} for {workers}"
        )


def limit_for(peak_bytes: int) -> int:
    """A memory limit under which a file of that peak passes."""
    return math.ceil((peak_bytes + _ROOM_BYTES) / _STEP_BYTES) * _STEP_BYTES


def percentile(ordered: Sequence[int], fraction: float) -> int:
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
    """
    newest: dict[str, FileCost] = {}
    try:
        with open(os.path.join(folder, REPORT), "rb") as file:
            for line in file:
                cost = _cost(json.loads(line))
                known = newest.get(cost.source)
                # A line without a peak tells nothing, if there is one that does.
                if known is None or cost.peak_bytes or cost.failure:
                    newest[cost.source] = cost
    except (OSError, ValueError, KeyError) as error:
        raise NoInputError(
            f"{folder} has no {REPORT} that can be read ({error}). Name what --output named; "
            "merge the parts of shards with: pdfingest compact"
        ) from error
    return Figures([*newest.values()], _memory(folder))


def _cost(line: dict[str, Any]) -> FileCost:
    """A report line."""
    return FileCost(
        line["source"],
        line["status"],
        line["failure"],
        line["message"],
        line["bytes"],
        line["pages"],
        line["pages_failed"],
        line["peak_rss_bytes"],
        line["baseline_rss_bytes"],
        line["wall_s"],
        line["cpu_s"],
    )


def _memory(folder: str) -> dict[str, Any]:
    """What the summary says of the run's memory; empty if there is none."""
    try:
        with open(os.path.join(folder, SUMMARY), encoding="utf-8") as file:
            memory: dict[str, Any] = json.load(file).get("memory", {})
            return memory
    except (OSError, ValueError):
        return {}
