"""The failure kind and the message of a file, by the type of what an engine raises."""

import pytest

from pdfingest import EncryptedError, FailureKind, MalformedError
from pdfingest.child.diagnosis import ChangedError, NotPdfError, TooLargeError, diagnose


class TornError(MalformedError):
    """What another package makes of one of ours."""


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (MalformedError("no xref"), "malformed", "no xref"),
        (TornError("no trailer"), "malformed", "no trailer"),
        (EncryptedError(), "encrypted", "no password opens it; none given"),
        (EncryptedError("by a certificate", by_password=False), "encrypted", "by a certificate"),
        (TooLargeError("it has 9 pages"), "too_large", "it has 9 pages"),
        (NotPdfError("it is empty"), "not_pdf", "it is empty"),
        (ChangedError(), "changed", "it was changed while it was read"),
        (FileNotFoundError(2, "gone"), "unreadable", "FileNotFoundError: [Errno 2] gone"),
        (PermissionError("no"), "engine_error", "PermissionError: no"),
        (MemoryError(), "memory_limit", "MemoryError"),
        (ZeroDivisionError("by 0"), "engine_error", "ZeroDivisionError: by 0"),
        (KeyboardInterrupt(), "engine_error", "KeyboardInterrupt"),
    ],
    ids=repr,
)
def test_the_type_decides_on_the_kind(error: BaseException, kind: str, message: str) -> None:
    assert diagnose(error, was_read=True, passwords=0) == (FailureKind(kind), message)


def test_a_file_that_may_not_be_read_is_unreadable() -> None:
    kind, _ = diagnose(PermissionError("no"), was_read=False, passwords=0)
    assert kind is FailureKind.UNREADABLE


def test_the_passwords_that_were_tried_are_counted() -> None:
    _, message = diagnose(EncryptedError(), was_read=True, passwords=2)
    assert message == "no password opens it; 2 tried"


def test_a_message_is_cut_to_a_line_of_a_report() -> None:
    for error in (MalformedError("x" * 10_000), ValueError("x" * 10_000)):
        assert len(diagnose(error, was_read=True, passwords=0)[1]) == 500
