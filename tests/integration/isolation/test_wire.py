"""Messages through a pipe."""

import os
import threading
from collections.abc import Iterator

import pytest

from pdfingest.isolation.wire import _LENGTH, _MOST_BYTES, receive, send, send_within


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.mark.parametrize("content", [b"", b"x", bytes(1 << 20)])
def test_what_is_sent_arrives(pipe: tuple[int, int], content: bytes) -> None:
    reader, writer = pipe
    sending = threading.Thread(target=send, args=(writer, content))
    sending.start()
    assert receive(reader) == content
    sending.join()
    sending = threading.Thread(target=send_within, args=(writer, content, 30))
    sending.start()
    assert receive(reader) == content
    sending.join()


def test_a_torn_message_is_the_end(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], _LENGTH.pack(100) + b"half")
    os.close(pipe[1])
    with pytest.raises(EOFError):
        receive(pipe[0])


def test_a_length_that_no_answer_has_is_not_waited_for(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], _LENGTH.pack(_MOST_BYTES + 1))
    with pytest.raises(ValueError, match="a message of"):
        receive(pipe[0])


def test_who_does_not_read_is_not_waited_for(pipe: tuple[int, int]) -> None:
    with pytest.raises(TimeoutError):
        send_within(pipe[1], bytes(1 << 20), 0.05)
