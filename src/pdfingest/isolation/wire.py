"""Messages of bytes and descriptors between the parent, the zygote, and a child that starts."""

import socket
import struct
from collections.abc import Sequence

REQUEST = b"c"
"""Asks the zygote for a child; comes with the descriptors of that child."""
NUMBER = struct.Struct("=q")
"""Form of the zygote's answers: a pid, 0 where the system gives no process, or an exit code."""
_LENGTH = struct.Struct("=Q")
_MOST_DESCRIPTORS = 16
_FIRST_BYTES = 4096
"""Length of the first read of a message; nearly all messages are shorter."""


def send(to: socket.socket, content: bytes, descriptors: Sequence[int]) -> None:
    """Send a message and its descriptors.

    Raises:
        OSError: nobody reads, or not within the time limit of the socket.
    """
    message = _LENGTH.pack(len(content)) + content
    sent = socket.send_fds(to, [message], descriptors)
    to.sendall(message[sent:])


def receive(from_: socket.socket) -> tuple[bytes, list[int]]:
    """Wait for a message and its descriptors.

    Raises:
        EOFError: the other side has closed the socket.
    """
    message, descriptors, _, _ = socket.recv_fds(from_, _FIRST_BYTES, _MOST_DESCRIPTORS)
    while len(message) < _LENGTH.size or len(message) < _LENGTH.size + _length(message):
        more = from_.recv(1 << 20)
        if not more:
            raise EOFError("the parent has closed the socket")
        message += more
    return message[_LENGTH.size :], descriptors


def receive_alone(from_: socket.socket) -> bytes:
    """Wait for a message without descriptors, and read nothing beyond it.

    Raises:
        ConnectionError: the other side has closed the socket.
        TimeoutError: it says nothing within the time limit of the socket.
    """
    return _exactly(from_, _length(_exactly(from_, _LENGTH.size)))


def _exactly(from_: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        more = from_.recv(count - len(content))
        if not more:
            raise ConnectionResetError("the other side has closed the socket")
        content += more
    return content


def _length(message: bytes) -> int:
    return int(_LENGTH.unpack_from(message)[0])
