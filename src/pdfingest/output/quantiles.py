"""Percentiles of a stream of values, in little memory however many there are."""

import math
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Quantiles:
    """Percentiles of a stream to within 1 %, in a table that grows with the logarithm of its range.

    Values are counted in buckets whose bounds grow by a constant ratio, the idea of DDSketch
    (Masson, Rim and Lee 2019, doi:10.14778/3352063.3352135).
    """

    _buckets: Counter[int] = field(default_factory=Counter[int])
    largest: float = 0.0
    """Largest value, exactly; 0 if there are none."""

    _RATIO = 1.02

    def add(self, value: float) -> None:
        """Count one value; values of 0 and below are left out."""
        if value > 0:
            self._buckets[math.ceil(math.log(value, self._RATIO))] += 1
            self.largest = max(self.largest, value)

    def at(self, fraction: float) -> float:
        """Return the value that this fraction of the values does not exceed; 0 without any."""
        rank = fraction * self._buckets.total()
        for bucket in sorted(self._buckets):
            rank -= self._buckets[bucket]
            if rank <= 0:
                middle = 2 * self._RATIO**bucket / (1 + self._RATIO)
                return min(middle, self.largest)
        return self.largest

    def to_json(self, digits: int) -> dict[str, float]:
        """Return the usual percentiles as `summary.json` has them.

        Args:
            digits: decimals that are kept; with 0, the values are whole numbers.
        """
        values = {"p50": self.at(0.50), "p95": self.at(0.95), "p99": self.at(0.99)}
        values["max"] = self.largest
        return {
            name: round(value, digits) if digits else int(value) for name, value in values.items()
        }
