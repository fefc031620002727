"""The sampler: what the processes of a run hold, over time, in a table of bounded length.

When the table is full, every second sample is dropped, and the pause between samples doubles
(systematic sampling). So the samples stay evenly spaced over the whole run.
"""

import time
from array import array
from collections.abc import Callable
from dataclasses import astuple, replace

from pdfingest.measure.flatness import Sample
from pdfingest.measure.processes import Processes

_PAUSE_S = 0.1
_SHARE = 50
"""A sample is followed by a pause of this many times its cost: it takes 2 % of the time at most."""
MOST = 512
"""Most samples that are kept."""


class Sampler:
    """Take samples of this process and all processes below it. Runs in the parent.

    Args:
        look: returns what they hold, without files and time.
        clock: returns the time in seconds.
        cpu_clock: returns CPU time in seconds, which is what a sample costs on a busy machine too.
    """

    def __init__(
        self,
        look: Callable[[], Sample] | None = None,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._look = look or Processes().look
        self._clock, self._cpu_clock = clock, cpu_clock
        self._began_s = self._due_s = clock()
        self._pause_s = _PAUSE_S
        # Columns of plain numbers, allocated at full length: the table itself must not grow.
        self._table = array("d", bytes(8 * len(Sample.__dataclass_fields__) * MOST))
        self._length = 0

    def tick(self, files: int) -> None:
        """Take a sample if one is due, with the number of sources done so far; call it often."""
        if self._clock() >= self._due_s:
            self.sample(files)

    def sample(self, files: int) -> None:
        """Take a sample now, with the number of sources done so far."""
        began_s, cpu_s = self._clock(), self._cpu_clock()
        row = astuple(replace(self._look(), files=files, at_s=began_s - self._began_s))
        if self._length == MOST:
            self._thin()
        width = len(row)
        self._table[self._length * width : (self._length + 1) * width] = array("d", row)
        self._length += 1
        self._due_s = began_s + max(self._pause_s, _SHARE * (self._cpu_clock() - cpu_s))

    def _thin(self) -> None:
        width = len(self._table) // MOST
        for index in range(0, MOST, 2):
            row = self._table[index * width : (index + 1) * width]
            self._table[index // 2 * width : (index // 2 + 1) * width] = row
        self._length = MOST // 2
        self._pause_s *= 2

    @property
    def samples(self) -> list[Sample]:
        """All samples that are kept, in the order of time."""
        width = len(self._table) // MOST
        rows = (self._table[i * width : (i + 1) * width] for i in range(self._length))
        return [replace(Sample(*map(int, row)), at_s=row[-1]) for row in rows]
