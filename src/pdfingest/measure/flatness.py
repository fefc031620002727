"""Flatness: whether memory grows with the number of files done. Arithmetic; no process, no clock.

The slope is that of Theil and Sen, the median of the slopes between all pairs, which a third of
wild values cannot move, with the interval of Sen (1968, doi:10.1080/01621459.1968.10480934). It is
taken over the medians of blocks, not over the samples: resident memory moves in steps and each
sample is much like the one before, which would make the interval far too narrow. `scipy` gives the
same figures (a test compares them), but is 100 MB that a run does not need.

What an allocator and caches take at first is no leak: the first quarter of the files is left out,
and at least 250 of them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import NormalDist, median

THRESHOLD_BYTES = 512
"""Memory is flat if it surely grows by less than this per file: half a GB over a million files."""
CONFIDENCE = 0.99
WARM_UP = 0.25
"""Part of the files that is left out at the start."""
WARM_UP_FILES = 250
"""So many are left out at the least: the parent grows by some 200 KiB while they go through."""
BLOCKS = 16
LEAST_FILES = 500
"""Fewer files do not tell a leak from a warm-up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes of a run hold at one moment, seen from outside the children."""

    parent_rss_bytes: int
    helpers_rss_bytes: int = 0
    """Of the parent's direct children, which outlive a file: the zygote."""
    tree_pss_bytes: int = 0
    """Of all processes, shared pages counted once; 0 where the kernel does not say."""
    descriptors: int = 0
    """Of the parent, as are the threads."""
    threads: int = 0
    children: int = 0
    """Processes that extract, or wait for a job."""
    files: int = 0
    """Sources done."""
    at_s: float = 0.0
    """Since the run began."""

    @property
    def held_bytes(self) -> int:
        """Memory of what outlives a file."""
        return self.parent_rss_bytes + self.helpers_rss_bytes

    @property
    def tree_bytes(self) -> int:
        """Memory of all processes, as far as the kernel says."""
        return self.tree_pss_bytes or self.held_bytes


class Verdict(StrEnum):
    """What the interval of the slope says."""

    FLAT = "flat"
    """Its upper end is below the threshold."""
    LEAK = "leak"
    """Its lower end is not."""
    INCONCLUSIVE = "inconclusive"
    """The threshold lies within, or there are too few files."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth of memory in bytes per file, with the interval that holds it at `CONFIDENCE`."""

    verdict: Verdict
    slope: float = 0.0
    low: float = 0.0
    high: float = 0.0
    files: int = 0
    """Files that it is taken over, without the warm-up."""

    def __str__(self) -> str:
        if self.low == self.high == 0.0 and self.verdict is Verdict.INCONCLUSIVE:
            return f"{self.files:,} files are too few to tell (it takes {LEAST_FILES:,})"
        return (
            f"{self.slope:+,.1f} bytes per file ({CONFIDENCE:.0%} interval {self.low:+,.1f} to "
            f"{self.high:+,.1f}, limit {THRESHOLD_BYTES})"
        )


def judge(samples: Sequence[tuple[int, int]]) -> Trend:
    """The trend of memory over files.

    Args:
        samples: files done and bytes held, in the order of time.
    """
    total = samples[-1][0] if samples else 0
    warm_up = max(WARM_UP * total, WARM_UP_FILES)
    settled = [(files, held) for files, held in samples if files > warm_up]
    blocks = _blocks(settled)
    if total < LEAST_FILES or len(blocks) < BLOCKS // 2:
        return Trend(Verdict.INCONCLUSIVE, files=total)
    slope, low, high = theil_sen(blocks)
    if high < THRESHOLD_BYTES:
        verdict = Verdict.FLAT
    elif low >= THRESHOLD_BYTES:
        verdict = Verdict.LEAK
    else:
        verdict = Verdict.INCONCLUSIVE
    return Trend(verdict, slope, low, high, settled[-1][0] - settled[0][0])


def _blocks(samples: Sequence[tuple[int, int]]) -> list[tuple[float, float]]:
    """Medians of files and of bytes in up to `BLOCKS` blocks of as many files each."""
    if not samples:
        return []
    first, last = samples[0][0], samples[-1][0]
    blocks: list[list[tuple[int, int]]] = [[] for _ in range(BLOCKS)]
    for files, held in samples:
        blocks[min((files - first) * BLOCKS // max(last - first, 1), BLOCKS - 1)].append(
            (files, held)
        )
    return [
        (median(files for files, _ in block), median(held for _, held in block))
        for block in blocks
        if block
    ]


def theil_sen(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Slope, and the lower and the upper end of its interval.

    Args:
        points: x and y, no two with the same x; at least two.
    """
    slopes = sorted((d - b) / (c - a) for (a, b), (c, d) in combinations(points, 2))
    n, pairs = len(points), len(slopes)
    spread = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(round((pairs - spread) / 2) - 1, 0)
    high = min(round((pairs + spread) / 2), pairs - 1)
    return median(slopes), slopes[low], slopes[high]
