"""Whether memory grows with the number of files done: arithmetic, without processes or clocks.

The slope is the Theil-Sen estimator: the median of the slopes between all pairs of points, which
tolerates wild values in up to 29 % of them. Its interval is that of Sen (1968,
doi:10.1080/01621459.1968.10480934). Both are taken over medians of blocks: resident memory moves in
steps, and a sample is much like the one before it, which would make the interval far too narrow.
`scipy` gives the same figures (a test compares them), but is 100 MB that a run does not need.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from statistics import NormalDist, median

THRESHOLD_BYTES = 512
"""Growth per file below which memory counts as flat: half a GB over a million files."""
CONFIDENCE = 0.99
WARM_UP = 0.25
"""Share of the files that is left out: what an allocator and caches take at first is no leak."""
WARM_UP_FILES = 250
"""Least number of files that is left out: the parent grows by some 200 KiB during them."""
BLOCKS = 16
LEAST_FILES = 500
"""Least number of files of a verdict: fewer cannot tell a leak from a warm-up."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes of a run hold at one moment, seen from outside the children."""

    parent_rss_bytes: int
    """Resident set of the parent."""
    helpers_rss_bytes: int = 0
    """Resident sets of the parent's direct children, which outlive a file: the zygotes."""
    tree_pss_bytes: int = 0
    """Proportional sets of all processes, in which shared pages count once; 0 if not known."""
    descriptors: int = 0
    """Open descriptors of the parent."""
    threads: int = 0
    children: int = 0
    """Number of processes that extract, or wait for a job."""
    files: int = 0
    """Number of sources done."""
    at_s: float = 0.0
    """Seconds since the run began."""

    @property
    def held_bytes(self) -> int:
        """Memory of the processes that outlive a file."""
        return self.parent_rss_bytes + self.helpers_rss_bytes

    @property
    def tree_bytes(self) -> int:
        """Memory of all processes, or of those that outlive a file if no more is known."""
        return self.tree_pss_bytes or self.held_bytes


class Verdict(StrEnum):
    """What the interval of the slope says about memory."""

    FLAT = "flat"
    """The whole interval lies below the threshold."""
    LEAK = "leak"
    """The whole interval lies at or above the threshold."""
    INCONCLUSIVE = "inconclusive"
    """The threshold lies within the interval, or there are too few files."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth of memory over the files of a run."""

    verdict: Verdict
    slope: float = 0.0
    """Growth in bytes per file."""
    low: float = 0.0
    high: float = 0.0
    """With `low`, the interval that holds the slope at `CONFIDENCE`."""
    files: int = 0
    """Number of files that the slope is taken over, without the warm-up."""

    def __str__(self) -> str:
        if self.low == self.high == 0.0 and self.verdict is Verdict.INCONCLUSIVE:
            return f"{self.files:,} files are too few to tell (it takes {LEAST_FILES:,})"
        return (
            f"{self.slope:+,.1f} bytes per file ({CONFIDENCE:.0%} interval {self.low:+,.1f} to "
            f"{self.high:+,.1f}, limit {THRESHOLD_BYTES})"
        )


def judge(samples: Sequence[tuple[int, int]]) -> Trend:
    """Return the trend of memory over the files of a run.

    Args:
        samples: number of files done and bytes held, in the order of time.
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
    """Return the medians of files and of bytes in up to `BLOCKS` blocks of equally many files."""
    if not samples:
        return []
    first, last = samples[0][0], samples[-1][0]
    blocks: dict[int, list[tuple[int, int]]] = {}
    for files, held in samples:
        block = min((files - first) * BLOCKS // max(last - first, 1), BLOCKS - 1)
        blocks.setdefault(block, []).append((files, held))
    medians = (tuple(map(median, zip(*block, strict=True))) for block in blocks.values())
    return [(files, held) for files, held in medians]


def theil_sen(points: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return the slope of points, and the lower and the upper end of its interval.

    Args:
        points: at least two pairs of x and y, no two with the same x.
    """
    slopes = sorted((d - b) / (c - a) for (a, b), (c, d) in combinations(points, 2))
    n, pairs = len(points), len(slopes)
    spread = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(round((pairs - spread) / 2) - 1, 0)
    high = min(round((pairs + spread) / 2), pairs - 1)
    return median(slopes), slopes[low], slopes[high]
