"""Messages of bytes and descriptors through a socket."""

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from pdfingest.isolation.wire import receive, send

pytestmark = pytest.mark.skipif(not hasattr(socket, "send_fds"), reason="needs SCM_RIGHTS")

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Two ends of a socket: one that reads, one that writes."""
    reader, writer = socket.socketpair()
    with reader, writer:
        yield reader, writer


@pytest.mark.parametrize("content", [b"", b"x", bytes(4088), bytes(4089), bytes(1 << 20)])
@pytest.mark.parametrize("count", [0, 1, 16])
def test_what_is_sent_arrives_with_its_descriptors(ends: Ends, content: bytes, count: int) -> None:
    own = [os.open(os.devnull, os.O_RDONLY) for _ in range(count)]
    sending = threading.Thread(target=send, args=(ends[1], content, own))
    sending.start()
    received, descriptors = receive(ends[0])
    sending.join()
    assert received == content
    assert len(set(descriptors)) == count
    for descriptor in own + descriptors:
        assert os.path.sameopenfile(descriptor, own[0])
    for descriptor in own + descriptors:
        os.close(descriptor)


@pytest.mark.parametrize("cut", [0, 4, 8, 50])
def test_a_torn_message_is_the_end(ends: Ends, cut: int) -> None:
    other, copy = socket.socketpair()
    with other, copy:
        send(copy, b"x" * 100, [])
        ends[1].sendall(other.recv(200)[:cut])
    ends[1].close()
    with pytest.raises(EOFError):
        receive(ends[0])


def test_who_does_not_read_is_not_waited_for(ends: Ends) -> None:
    ends[1].settimeout(0.05)
    with pytest.raises(TimeoutError):
        send(ends[1], bytes(1 << 24), [])


def test_who_has_gone_is_told(ends: Ends) -> None:
    ends[0].close()
    with pytest.raises(OSError, match="Broken pipe"):
        send(ends[1], b"x", [])
