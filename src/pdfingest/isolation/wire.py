"""Messages through a pipe: a length, and as many bytes.

What the bytes are is the business of both ends: a job is a pickle, as its child trusts the parent;
an answer is JSON (`answer`), as the parent does not trust the child.
"""

import os
import select
import struct
import time

REQUEST = b"c"
"""What the parent says to the zygote, with the ends of pipes of a child to be born."""
NUMBER = struct.Struct("=q")
"""What the zygote says: a pid, or 0 where no process is to be had; and an exit code."""
_LENGTH = struct.Struct("=Q")
_MOST_BYTES = 64 << 20
"""Longest message that is believed: the numbers of some million lost pages."""


def send(pipe: int, content: bytes) -> None:
    """Send a message, all of it. Blocks while the pipe is full.

    Raises:
        OSError: nobody reads.
    """
    message = memoryview(_LENGTH.pack(len(content)) + content)
    while message:
        message = message[os.write(pipe, message) :]


def send_within(pipe: int, content: bytes, seconds: float) -> None:
    """Send a message to a process that may be stuck.

    Raises:
        TimeoutError: it did not read all of it in that time.
        OSError: nobody reads.
    """
    os.set_blocking(pipe, False)
    message = memoryview(_LENGTH.pack(len(content)) + content)
    deadline_s = time.monotonic() + seconds
    while message:
        try:
            message = message[os.write(pipe, message) :]
        except BlockingIOError:
            room = select.poll()
            room.register(pipe, select.POLLOUT)
            if not room.poll(max(1000 * (deadline_s - time.monotonic()), 0)):
                raise TimeoutError("the other side does not read") from None


def receive(pipe: int) -> bytes:
    """Wait for a message.

    Raises:
        EOFError: the other side is gone.
        ValueError: what came is no message.
    """
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    if length > _MOST_BYTES:
        raise ValueError(f"a message of {length:,} bytes")
    return _exactly(pipe, length)


def _exactly(pipe: int, length: int) -> bytes:
    """Read exactly `length` bytes."""
    found = os.read(pipe, length)
    if len(found) == length:
        return found
    pieces = bytearray(found)
    while len(pieces) < length:
        piece = os.read(pipe, length - len(pieces))
        if not piece:
            raise EOFError("the other side is gone")
        pieces += piece
    return bytes(pieces)
