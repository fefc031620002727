"""What a child says is believed as far as it is a value."""

import os
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from pdfingest.model import Cost, EnvironmentFailure, Extracted, Failed, FailureKind, Halted, Peak
from pdfingest.supervise.wire import _LENGTH, _MOST_BYTES, receive, send, value_of

COST = Cost(7, 1.5, 2.5, 0.5, Peak(3, 2, "VmHWM"), 2, "SIGSEGV")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.mark.parametrize(
    "value",
    [
        Extracted(COST, "ab", "pdfium", 3, 100, 1, (2, 5), FailureKind.CRASHED, "it died", 6),
        Extracted(COST, "ab", "pdfium", 3, 100, 1, tuple(range(100_000))),
        Failed(FailureKind.ENCRYPTED, "no password", COST),
        Halted("no memory", COST),
        EnvironmentFailure("spool", "the disk is full"),
    ],
)
def test_what_is_sent_arrives(pipe: tuple[int, int], value: object) -> None:
    reader, writer = pipe
    sending = threading.Thread(target=send, args=(writer, value))
    sending.start()
    assert value_of(receive(reader)) == value
    sending.join()


class Evil:
    """Runs a function where it is unpickled."""

    def __init__(self, function: object, *args: object) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "value",
    [
        Evil(os.system, "touch evil"),
        Evil(eval, "open('evil', 'w')"),
        (Halted("", COST), Evil(os.mkdir, "evil")),
        Failed(FailureKind.CRASHED, Evil(os.mkdir, "evil")),  # type: ignore[arg-type]
        Evil(getattr, Cost, "__init__"),
    ],
)
def test_a_child_that_was_taken_over_cannot_make_its_parent_run_anything(
    pipe: tuple[int, int], value: object, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    send(pipe[1], value)
    with pytest.raises(pickle.UnpicklingError, match="in an answer"):
        value_of(receive(pipe[0]))
    assert os.listdir() == []


def test_what_the_module_of_the_values_has_imported_is_no_value() -> None:
    forged = pickle.dumps(Evil(Cost)).replace(b"Cost", b"dataclass")
    forged = forged.replace(b"\x8c\x04dataclass", b"\x8c\x09dataclass")
    with pytest.raises(pickle.UnpicklingError, match="in an answer"):
        value_of(forged)


def test_a_torn_message_is_the_end(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], _LENGTH.pack(100) + b"half")
    os.close(pipe[1])
    with pytest.raises(EOFError):
        receive(pipe[0])


def test_a_length_that_no_answer_has_is_not_waited_for(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], _LENGTH.pack(_MOST_BYTES + 1))
    with pytest.raises(ValueError, match="a message of"):
        receive(pipe[0])
