"""Sampler: what a run's processes hold, while it goes on; a bounded table however long it takes.

The table is thinned by doubling the stride (systematic sampling): when it is full, every second
sample goes, and from then on the pause is twice as long. What stays is evenly spaced in time, so a
slope over it is that over all.
"""

import gc
import time
from array import array
from dataclasses import astuple, replace

from pdfingest.measure.flatness import Sample
from pdfingest.measure.memory import look

_PAUSE_S = 0.1
_SHARE = 50
"""A sample is followed by a pause of this many times what it cost: 2 % of the time at the most."""
MOST = 512
"""Samples that are kept at the most."""


class Sampler:
    """Takes samples of this process and all below it. Runs in the parent."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._due_s = self._began_s
        self._pause_s = _PAUSE_S
        # Columns of plain numbers, made at their full length: the table itself must not grow.
        self._table = array("d", bytes(8 * len(Sample.__dataclass_fields__) * MOST))
        self._length = 0

    def tick(self, files: int) -> None:
        """Take a sample if it is time for one; call it often.

        Args:
            files: sources done so far.
        """
        if time.monotonic() >= self._due_s:
            self.sample(files)

    def sample(self, files: int) -> None:
        """Take a sample now."""
        began_s, cpu_s = time.monotonic(), time.thread_time()
        # Interpreters keep up to 2,000 dead tuples of each length for reuse, until a collection: a
        # growth that ends, but at 1 KiB a file. The command line freezes what it has loaded, so
        # that this takes 0.3 ms.
        gc.collect()
        row = astuple(replace(look(), files=files, at_s=began_s - self._began_s))
        if self._length == MOST:
            self._thin()
        width = len(row)
        self._table[self._length * width : (self._length + 1) * width] = array("d", row)
        self._length += 1
        # What it cost is CPU time: on a busy machine it takes long, but is not dear.
        self._due_s = began_s + max(self._pause_s, _SHARE * (time.thread_time() - cpu_s))

    def _thin(self) -> None:
        """Let every second sample go."""
        width = len(self._table) // MOST
        for index in range(0, MOST, 2):
            row = self._table[index * width : (index + 1) * width]
            self._table[index // 2 * width : (index // 2 + 1) * width] = row
        self._length = MOST // 2
        self._pause_s *= 2

    @property
    def samples(self) -> list[Sample]:
        """All that are kept, in the order of time."""
        width = len(self._table) // MOST
        rows = (self._table[i * width : (i + 1) * width] for i in range(self._length))
        return [replace(Sample(*map(int, row)), at_s=row[-1]) for row in rows]
