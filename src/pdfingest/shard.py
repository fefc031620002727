"""Shards: stable parts of all sources, for jobs that run as an array of equal tasks."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from pdfingest import values

_ARRAYS = (
    ("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", ""),
    ("JOB_COMPLETION_INDEX", "", ""),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", ""),
)
"""For each scheduler, the variables with a task's index, the number of tasks, and the index of the
first task; empty where the scheduler sets none. In order: Cloud Run jobs, Kubernetes indexed jobs,
Slurm job arrays, AWS Batch array jobs."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` parts of the sources; `index` is 0-based.

    Raises:
        ValueError: the index is out of bounds; the text is a reason, as in `values`.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            must = f"an index from 0 to {self.count - 1}" if self.count > 0 else "a number above 0"
            raise ValueError(f"must have {must}, not '{self.index}/{self.count}'.")

    @classmethod
    def parse(cls, text: str, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the shard that `I/N`, `auto` or `auto/N` stands for.

        Args:
            text: `auto` takes the index, and without `N` the number of shards as well, from the
                variables that the scheduler of an array of tasks sets.
            environment: holds these variables.

        Raises:
            ValueError: the text cannot be understood, or the variables are missing or wrong.
        """
        index, _, count = text.partition("/")
        if index != "auto":
            if index.isdecimal() and count.isdecimal():
                return cls(int(index), int(count))
            raise ValueError(
                f"must be I/N such as 0/8, or auto, or auto/N, not {values.shown(text)}."
            )
        for index_name, count_name, first_name in _ARRAYS:
            if index_name in environment:
                count = count or environment.get(count_name, "")
                first = environment.get(first_name, "0")
                if not count:
                    raise ValueError(
                        f"is auto, but {index_name} does not come with the number of tasks. "
                        "Give it: auto/N."
                    )
                numbers = environment[index_name], first, count  # Slurm arrays may begin anywhere
                if not all(number.isdecimal() for number in numbers):
                    raise ValueError(
                        f"is auto, but {index_name}, the index of the first task or the number "
                        "of tasks is not a whole number. Give I/N."
                    )
                return cls(int(numbers[0]) - int(first), int(count))
        names = ", ".join(name for name, _, _ in _ARRAYS)
        raise ValueError(f"is auto, but none of {names} is set. Give I/N.")

    def takes(self, name: str) -> bool:
        """Return whether the source of this name belongs to the shard.

        The SHA-256 of the name modulo `count` decides, so a source stays in its shard whatever
        other sources come or go.
        """
        digest = hashlib.sha256(name.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index

    @property
    def part(self) -> str:
        """Name of the directory that holds the shard's outputs, below the output directory."""
        return f"part-{self.index:05}-of-{self.count:05}"


def as_shard(value: Any) -> Shard:
    """Check a `Shard` or its text, as the checks in `values` do."""
    return value if isinstance(value, Shard) else Shard.parse(values.text(value))


def is_array_task(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether a scheduler says that this process is one of several equal tasks."""
    return any(
        index in environment and environment.get(count, "1") != "1" for index, count, _ in _ARRAYS
    )
