"""Whether memory grows with the number of files done: arithmetic, without processes or clocks.

The slope is the Theil-Sen estimator: the median of the slopes between all pairs of points, which
tolerates wild values in up to 29 % of them. Its interval is that of Sen (1968,
doi:10.1080/01621459.1968.10480934). Both are taken over medians of blocks: resident memory moves in
steps, and a sample is much like the one before it, which would make the interval far too narrow.
`scipy` gives the same figures (a test compares them), but is 100 MB that a run does not need.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import combinations
from typing import Any, Self, TypeAlias

from pdfingest.text import counted

Point: TypeAlias = tuple[int, int]
"""Number of files done, and bytes of memory that outlive a file."""

THRESHOLD_BYTES = 512
"""Growth per file below which memory counts as flat: half a GB over a million files."""
CONFIDENCE = 0.99
WARM_UP = 0.25
"""Share of the files that is left out: what an allocator and caches take at first is no leak."""
WARM_UP_FILES = 250
"""Least number of files that is left out: the heap of the parent grows by 300 KiB during them."""
BLOCKS = 16
_LEAST_BLOCKS = 8
"""Least number of blocks with samples in them; fewer have no interval worth the name."""
LEAST_FILES = 500
"""Least number of files of a verdict: fewer cannot tell a leak from a warm-up."""
_STEP_FILES = 100
"""What is foreseen is rounded up to this."""


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
    GROWS = "grows"
    """The whole interval lies at or above the threshold."""
    INCONCLUSIVE = "inconclusive"
    """The threshold lies within the interval, or there are too few files."""


@dataclass(frozen=True, slots=True)
class Trend:
    """Growth of memory over the files of a run."""

    verdict: Verdict = Verdict.INCONCLUSIVE
    bytes_per_file: float = 0.0
    """Slope of the memory."""
    bytes_per_file_low: float = 0.0
    bytes_per_file_high: float = 0.0
    """With the lower end, the interval that holds the slope at `CONFIDENCE`."""
    files: int = 0
    """Number of files that the slope is taken over, without the warm-up; all if too few."""
    grown_bytes: int = 0
    """Growth over these files, from the median of their first block to that of their last."""
    files_to_go: int = 0
    """How many more files a verdict takes, as far as that can be foreseen; 0 if there is one."""

    def __str__(self) -> str:
        if not self.bytes_per_file_high and self.verdict is Verdict.INCONCLUSIVE:
            grown = f"{self.grown_bytes / 1024:+,.0f} KiB over {counted(self.files, 'file')}"
            return f"{grown}; {self.files_to_go:,} more would tell"
        more = f"; {self.files_to_go:,} more would tell" if self.files_to_go else ""
        return (
            f"{self.bytes_per_file:+,.0f} bytes a file over {self.files:,} files ({CONFIDENCE:.0%} "
            f"interval {self.bytes_per_file_low:+,.0f} to {self.bytes_per_file_high:+,.0f}, limit "
            f"{THRESHOLD_BYTES}){more}"
        )

    @classmethod
    def of_json(cls, trend: Mapping[str, Any]) -> Self:
        """Return the trend that a JSON document has.

        Raises:
            KeyError, ValueError: another version of this program wrote it.
        """
        names = [each.name for each in fields(cls)]
        return cls(Verdict(trend["verdict"]), *[trend[name] for name in names[1:]])

    def to_json(self) -> dict[str, Any]:
        """Return the trend as all JSON documents have it."""
        return {
            "verdict": self.verdict.value,
            "bytes_per_file": round(self.bytes_per_file, 1),
            "bytes_per_file_low": round(self.bytes_per_file_low, 1),
            "bytes_per_file_high": round(self.bytes_per_file_high, 1),
            "threshold_bytes_per_file": THRESHOLD_BYTES,
            "files": self.files,
            "grown_bytes": self.grown_bytes,
            "files_to_go": self.files_to_go,
        }


def judge(samples: Sequence[Point]) -> Trend:
    """Return the trend of memory over the files of a run.

    Args:
        samples: number of files done and bytes held, in the order of time.
    """
    settled = _settled(samples)
    blocks = _blocks(settled)
    if len(blocks) < _LEAST_BLOCKS:
        return _too_few(samples)
    slope, low, high = theil_sen(blocks)
    files = settled[-1][0] - settled[0][0]
    grown_bytes = round(blocks[-1][1] - blocks[0][1])
    if high < THRESHOLD_BYTES:
        return Trend(Verdict.FLAT, slope, low, high, files, grown_bytes)
    if low >= THRESHOLD_BYTES:
        return Trend(Verdict.GROWS, slope, low, high, files, grown_bytes)
    # If memory grows no more, it takes that many until the same growth is below the threshold. If
    # it seems to grow, nothing can be foreseen: as many again.
    share = high / THRESHOLD_BYTES - 1 if slope < THRESHOLD_BYTES else 1.0
    return Trend(
        Verdict.INCONCLUSIVE, slope, low, high, files, grown_bytes, _rounded_up(files * share)
    )


def _too_few(samples: Sequence[Point]) -> Trend:
    """Return the trend of samples that cannot be judged, with how many more files it takes."""
    total = _files(samples)
    if total < LEAST_FILES:
        missing = LEAST_FILES - total
    else:  # a quick machine looks only now and then
        spacing = total / max(len(samples) - 1, 1)
        missing = _rounded_up(2 * _LEAST_BLOCKS * spacing / (1 - WARM_UP) - total)
    grown_bytes = samples[-1][1] - samples[0][1] if samples else 0
    return Trend(files=total, grown_bytes=grown_bytes, files_to_go=missing)


def _rounded_up(files: float) -> int:
    return max(math.ceil(files / _STEP_FILES), 1) * _STEP_FILES


def _files(samples: Sequence[Point]) -> int:
    """Return how many files the samples are of: a run may begin behind unchanged ones."""
    return samples[-1][0] - samples[0][0] if samples else 0


def _settled(samples: Sequence[Point]) -> list[Point]:
    """Return the samples behind the warm-up, which are judged; none of too few files."""
    if (total := _files(samples)) < LEAST_FILES:
        return []
    begin = samples[0][0] + max(WARM_UP * total, WARM_UP_FILES)
    return [(files, held) for files, held in samples if files > begin]


def changes(samples: Sequence[Point]) -> list[Point]:
    """Return files done and change of memory in bytes, for all samples that are judged.

    The change counts from the median of the first of the blocks that the slope is taken over, as a
    single sample may be a wild one. Of too few files, all samples are returned.

    Args:
        samples: number of files done and bytes held, in the order of time.
    """
    shown = _settled(samples) or [*samples]
    blocks = _blocks(shown)
    return [(files, round(held - blocks[0][1])) for files, held in shown]


def _blocks(samples: Sequence[Point]) -> list[tuple[float, float]]:
    """Return the medians of files and of bytes in up to `BLOCKS` blocks of equally many files."""
    if not samples:
        return []
    from statistics import median  # noqa: PLC0415 - as in `theil_sen`

    first, last = samples[0][0], samples[-1][0]
    blocks: dict[int, list[Point]] = {}
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
    from statistics import NormalDist, median  # noqa: PLC0415 - 4 ms of a start

    slopes = sorted((d - b) / (c - a) for (a, b), (c, d) in combinations(points, 2))
    n, pairs = len(points), len(slopes)
    spread = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(round((pairs - spread) / 2) - 1, 0)
    high = min(round((pairs + spread) / 2), pairs - 1)
    return median(slopes), slopes[low], slopes[high]
