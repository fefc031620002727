"""What parent and child say to each other: a length and a pickle, through a pipe of one child.

The parent takes the values of `model` from a child and nothing else. A child that a file has taken
over may send anything, and a pickle can name any function ("Restricting Globals" in the library
reference of pickle).
"""

import io
import os
import pickle
import struct
from typing import Any

REQUEST = b"c"
"""What the parent says to the zygote, with the ends of pipes of a child to be born."""
NUMBER = struct.Struct("=q")
"""What the zygote says: a pid, or 0 where no process is to be had; and an exit code."""
_LENGTH = struct.Struct("=Q")
_MOST_BYTES = 64 << 20
"""Longest message that is believed: the numbers of some million lost pages."""


def send(pipe: int, value: Any) -> None:
    """Send a value, all of it.

    Raises:
        OSError: nobody reads.
    """
    pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    message = _LENGTH.pack(len(pickled)) + pickled
    while message:
        message = message[os.write(pipe, message) :]


def receive(pipe: int) -> bytes:
    """Wait for a value; it is not unpickled yet.

    Raises:
        EOFError: the other side is gone.
        ValueError: what came is no message.
    """
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > _MOST_BYTES:
        raise ValueError(f"a message of {length:,} bytes")
    return _exactly(pipe, length)


def _exactly(pipe: int, length: int) -> bytes:
    """So many bytes."""
    found = os.read(pipe, length)
    while len(found) < length:
        more = os.read(pipe, length - len(found))
        if not more:
            raise EOFError("the other side is gone")
        found += more
    return found


class _Values(pickle.Unpickler):
    """Unpickles values of `model`."""

    def find_class(self, module: str, name: str) -> Any:
        """A class that `model` defines; nothing else is looked up."""
        from pdfingest import model  # noqa: PLC0415 - 20 ms that the head start is without

        found = vars(model).get(name) if module == model.__name__ else None
        if not isinstance(found, type) or found.__module__ != module:
            raise pickle.UnpicklingError(f"{module}.{name} in an answer")
        return found


def value_of(pickled: bytes) -> Any:
    """Unpickle what a child sent.

    Raises:
        pickle.UnpicklingError: it holds more than values, or is damaged.
    """
    return _Values(io.BytesIO(pickled)).load()
