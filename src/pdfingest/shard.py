"""Shards: a stable share of the sources, for jobs that run as an array of equal tasks."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pdfingest.errors import OptionError
from pdfingest.values import shown

_ARRAYS = (
    ("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", ""),
    ("JOB_COMPLETION_INDEX", "", ""),
    ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
    ("AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE", ""),
)
"""Variables that hold a task's index, the number of tasks, and the index of the first; empty where
there is none. Cloud Run jobs, Kubernetes indexed jobs, Slurm job arrays, AWS Batch array jobs."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` shares; `index` is 0-based."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.count:
            must = f"an index from 0 to {self.count - 1}" if self.count > 0 else "a number above 0"
            raise _wrong(f"must have {must}, not '{self.index}/{self.count}'.")

    @classmethod
    def parse(cls, text: str, environment: Mapping[str, str] = os.environ) -> Self:
        """The shard that `I/N`, `auto` or `auto/N` means.

        Args:
            text: `auto` takes the index, and the number where there is one, from the variables
                that the scheduler of an array of tasks sets.
            environment: where these variables are.

        Raises:
            OptionError: it cannot be understood, or such variables are missing.
        """
        index, _, count = text.partition("/")
        if index != "auto":
            if index.isdecimal() and count.isdecimal():
                return cls(int(index), int(count))
            raise _wrong(f"must be I/N such as 0/8, or auto, or auto/N, not {shown(text)}.")
        for index_name, count_name, first_name in _ARRAYS:
            if index_name in environment:
                count = count or environment.get(count_name, "")
                first = environment.get(first_name, "0")
                if not count:
                    raise _wrong(
                        f"is auto, but {index_name} does not come with the number of tasks. "
                        "Give it: auto/N."
                    )
                numbers = environment[index_name], first, count
                if not all(number.isdecimal() for number in numbers):
                    raise _wrong(f"is auto, but {index_name} or what goes with it is no number.")
                return cls(int(numbers[0]) - int(first), int(count))
        names = ", ".join(name for name, _, _ in _ARRAYS)
        raise _wrong(f"is auto, but none of {names} is set. Give I/N.")

    def takes(self, name: str) -> bool:
        """Whether a source of this name belongs to the shard: SHA-256 of the name, modulo N."""
        digest = hashlib.sha256(name.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index

    @property
    def part(self) -> str:
        """Name of the directory of its outputs, below the output directory."""
        return f"part-{self.index:05}-of-{self.count:05}"


def _wrong(reason: str) -> OptionError:
    """Make the error of a shard that cannot be."""
    return OptionError(["shard"], reason)


def is_array_task(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is one of several equal tasks, as far as their scheduler says so."""
    return any(
        index in environment and environment.get(count, "1") != "1" for index, count, _ in _ARRAYS
    )
