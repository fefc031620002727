"""What discovery finds: a source, and what tells a later state of it from this one."""

import os
import time
from typing import NamedTuple, TypeAlias

from pdfingest.model import Source

_FINE_NS = 50_000_000  # file systems with fractions of a second have ticks of some 10 ms at most
_COARSE_NS = 2_000_000_000  # FAT keeps times in steps of 2 s


class State(NamedTuple):
    """What is known of a file that has not been opened."""

    mtime_ns: int
    """When it was modified, or a number that changes with it."""
    is_settled: bool
    """Whether any later change is sure to have another number.

    This is the problem of the "racily clean" file, known from git: a change within the same tick of
    the file system's clock leaves no trace in its time.
    """
    device: str | None
    inode: str | None
    """With the device, what two names of one file have in common; None if that is not known."""


Found: TypeAlias = tuple[Source, State | None]
"""A source and the state of its file; None if there is none."""
UNKNOWN = State(0, is_settled=False, device=None, inode=None)
"""The state of what may have changed."""


def state_of(stat: os.stat_result) -> State:
    """Return the state of a file on this machine."""
    tick_ns = _FINE_NS if stat.st_mtime_ns % 1_000_000_000 else _COARSE_NS
    is_settled = time.time_ns() - stat.st_mtime_ns > tick_ns
    # As text, since an inode number may exceed SQLite's integers.
    identity = (str(stat.st_dev), str(stat.st_ino)) if stat.st_ino else (None, None)
    return State(stat.st_mtime_ns, is_settled, *identity)
