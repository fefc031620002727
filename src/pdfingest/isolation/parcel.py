"""A value together with the descriptors that it holds, for a child that is not forked from here.

The processes of an executor are given its queues, which hold pipes. `multiprocessing` pickles a
pipe with the help of whatever starts the process; here that is a list of descriptors, which are
sent beside the pickle (SCM_RIGHTS, unix(7)). Only the parent sends pickles, and it reads none.
"""

import io
import pickle
from collections.abc import Sequence
from multiprocessing import reduction
from multiprocessing.context import set_spawning_popen
from typing import Any


class _Inherited:
    """Stand in for a descriptor in a pickle, by its place among those that come with it."""

    received: Sequence[int] = ()

    def __init__(self, index: int) -> None:
        self._index = index

    def detach(self) -> int:
        """Return the descriptor. Runs in the child."""
        return self.received[self._index]


class _Parcel:
    """Collect the descriptors that a pickle mentions.

    It poses as the `Popen` object that `multiprocessing` has at hand while it starts a process.
    """

    DupFd = _Inherited

    def __init__(self) -> None:
        self.descriptors: list[int] = []

    def duplicate_for_child(self, descriptor: int) -> int:
        """Note a descriptor and return its place."""
        self.descriptors.append(descriptor)
        return len(self.descriptors) - 1


def pack(value: Any) -> tuple[bytes, list[int]]:
    """Pickle a value that may hold queues and pipes. Runs in the parent.

    Returns:
        The pickle, and the descriptors that must be sent with it, still owned by the value.
    """
    parcel: Any = _Parcel()
    content = io.BytesIO()
    set_spawning_popen(parcel)
    try:
        reduction.dump(value, content)
    finally:
        set_spawning_popen(None)
    return content.getvalue(), parcel.descriptors


def unpack(content: bytes, descriptors: Sequence[int]) -> Any:
    """Unpickle what `pack` made. Runs in the child, which owns the descriptors from then on."""
    _Inherited.received = descriptors
    return pickle.loads(content)  # noqa: S301 - of the parent, which the child trusts
