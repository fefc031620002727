"""What discovery finds: a file, and what tells a later state of it from this one."""

import time
from typing import NamedTuple

_FINE_NS = 50_000_000  # file systems with fractions of a second have ticks of some 10 ms at most
_COARSE_NS = 2_000_000_000  # FAT keeps times in steps of 2 s


class Found(NamedTuple):
    """A file as discovery found it, which has not opened it; the fields are those of a plan.

    A tuple, as it is the fastest to make of what Python has, and there may be millions.
    """

    name: str
    """Name of the source; see `Source`."""
    path: str
    """Where to open it, absolute; may hold surrogate escapes (PEP 383)."""
    size_bytes: int = 0
    error: str = ""
    """Why it cannot be read, where discovery already knows."""
    mtime_ns: int = 0
    """When it was modified, or a number that changes with it."""
    is_settled: bool = False
    """Whether any later change is sure to have another number."""
    identity: str | None = None
    """What two names of one file have in common; None if that is not known."""


def is_settled(mtime_ns: int) -> bool:
    """Return whether any later change of a file on this machine is sure to give it another time.

    This is the problem of the "racily clean" file, known from git: a change within the same tick of
    the file system's clock leaves no trace in its time.
    """
    tick_ns = _FINE_NS if mtime_ns % 1_000_000_000 else _COARSE_NS
    return time.time_ns() - mtime_ns > tick_ns
