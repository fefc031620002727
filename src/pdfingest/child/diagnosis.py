"""What an exception says of the file: the failure kind by its type, and never by its text."""

from pdfingest.engines.engine import EncryptedError, FileError
from pdfingest.model import FailureKind

_MESSAGE_CHARS = 500


class TooLargeError(FileError):
    """The file exceeds one of its limits."""

    kind = FailureKind.TOO_LARGE


class NotPdfError(FileError):
    """The file is surely not a PDF."""

    kind = FailureKind.NOT_PDF


class ChangedError(FileError):
    """The file was changed while it was read."""

    kind = FailureKind.CHANGED

    def __init__(self) -> None:
        super().__init__("it was changed while it was read")


def diagnose(error: BaseException, *, was_read: bool, passwords: int) -> tuple[FailureKind, str]:
    """Return the failure kind of an exception, and a message for the user.

    Args:
        error: what was raised while the file was read.
        was_read: whether the child could read the file, so that a permission that is missing later
            is for something else.
        passwords: how many passwords were tried on the file.
    """
    if isinstance(error, FileError):
        message = str(error)[:_MESSAGE_CHARS]
        if isinstance(error, EncryptedError) and error.by_password:
            message += f"; {passwords} tried" if passwords else "; none given"
        return error.kind, message
    match error:
        case PermissionError() if was_read:
            kind = FailureKind.ENGINE_ERROR
        case OSError():
            kind = FailureKind.UNREADABLE
        case MemoryError():
            kind = FailureKind.MEMORY_LIMIT
        case _:
            kind = FailureKind.ENGINE_ERROR
    return kind, f"{type(error).__name__}: {error}".removesuffix(": ")[:_MESSAGE_CHARS]
