"""The gate `--max-peak`: which sources took more memory than they may."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pdfingest.text import mib, printable

SHOWN_PEAKS = 20
"""Number of sources above the limit that are named, those with the highest peaks."""


@dataclass(slots=True)
class PeakGate:
    """A limit on peaks, and the sources of a run that exceed it."""

    limit_bytes: int = 0
    """Highest peak that passes; 0 if there is no gate."""
    above: int = 0
    """Number of sources whose peak exceeds the limit, or did when they were ingested."""
    _highest: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """The highest of their peaks, with the sources: a heap whose root is the lowest of them."""

    def judge(self, peak_bytes: int, source: str) -> None:
        """Count a source if its peak exceeds the limit, and keep the highest of these by name."""
        if not self.limit_bytes or peak_bytes <= self.limit_bytes:
            return
        self.above += 1
        heapq.heappush(self._highest, (peak_bytes, source))
        if len(self._highest) > SHOWN_PEAKS:
            heapq.heappop(self._highest)

    def add_above(self, sources: int, highest: Sequence[tuple[int, str]]) -> None:
        """Take in sources that are known to exceed the limit, without a look at each.

        Args:
            sources: their number.
            highest: the highest of their peaks in bytes, with the names.
        """
        for peak_bytes, source in highest:
            self.judge(peak_bytes, source)
        self.above += sources - len(highest)

    def lines(self) -> Iterator[str]:
        """Yield what the gate says against the run, as lines for the user."""
        if not self.above:
            return
        yield f"{self.above:,} files exceed --max-peak {mib(self.limit_bytes)}:"
        for peak_bytes, source in sorted(self._highest, reverse=True):
            yield f"  {mib(peak_bytes)}  {printable(source)}"
        if self.above > len(self._highest):
            yield f"  … and {self.above - len(self._highest):,} more"
