"""What stops a run, and the exit code that each of these exceptions carries.

Owns the exit codes of the program. Does not own the failure of one file: that is a value
(`outcome.Failed`), never an exception, because a run must outlive any file.
"""

import errno
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line; part of the contract with users.

    129, 130 and 143 are the shell's convention of 128 plus the number of the signal.
    """

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    NO_INPUT = 3
    ENVIRONMENT = 4
    GATE = 5
    BUG = 70
    BUSY = 75
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class PdfingestError(Exception):
    """Base of everything that stops a run. The message says what, where, and what to do next."""

    exit_code = ExitCode.BUG


class UsageError(PdfingestError):
    """An option or an input is wrong or cannot be understood."""

    exit_code = ExitCode.USAGE


class OptionError(UsageError):
    """One option has a wrong value, or several options do not go together.

    The library names options by the fields of `IngestOptions`. A caller that took the values from
    somewhere else, such as the command line, raises the error again with the names used there.

    Args:
        names: the option, or the options that do not go together.
        reason: what is wrong and what to do, as sentences that follow the names.
    """

    def __init__(self, names: Sequence[str], reason: str) -> None:
        super().__init__(f"{' and '.join(names)}: {reason}")
        self.names = tuple(names)
        self.reason = reason

    def renamed(self, name_of: Callable[[str], str]) -> "OptionError":
        """Return the same error with each name replaced by what `name_of` returns for it."""
        return OptionError([name_of(name) for name in self.names], self.reason)


class NoInputError(PdfingestError):
    """No input matched a PDF."""

    exit_code = ExitCode.NO_INPUT


class RecordsError(PdfingestError):
    """Records of an earlier run cannot be read: a line is damaged, or a file is not as it was."""

    exit_code = ExitCode.ENVIRONMENT


class OutputError(PdfingestError):
    """The output cannot be written: no permission, no space left, or its reader is gone."""

    exit_code = ExitCode.ENVIRONMENT


class StoreError(OutputError):
    """The store of the service does not have a file, or takes none, or is away."""


class ReaderGoneError(OutputError):
    """The program that reads stdout has ended, as `head` does once it has enough lines."""


class EngineUnavailableError(PdfingestError):
    """An engine or an extra is unknown, not installed, or cannot be imported."""

    exit_code = ExitCode.ENVIRONMENT


class SandboxError(PdfingestError):
    """The sandbox is required, but this machine lacks a part of it or refuses it."""

    exit_code = ExitCode.ENVIRONMENT


class ListingError(PdfingestError):
    """A folder of an object store cannot be listed."""

    exit_code = ExitCode.ENVIRONMENT


class InputGoneError(PdfingestError):
    """So many sources of earlier runs are gone that a disk may be missing."""

    exit_code = ExitCode.ENVIRONMENT


class ResourceError(PdfingestError):
    """The system refuses what a run needs: a process, a thread, a descriptor, or memory."""

    exit_code = ExitCode.ENVIRONMENT


class LedgerError(PdfingestError):
    """The ledger cannot be read or written, is damaged, or is not a pdfingest ledger."""

    exit_code = ExitCode.ENVIRONMENT


class OutputBusyError(PdfingestError):
    """Another program is working on the output directory."""

    exit_code = ExitCode.BUSY


@contextmanager
def resources_told() -> Generator[None, None, None]:
    """Turn the system's refusal of a resource into an error that says what the user can do.

    Raises:
        ResourceError: no process, thread, descriptor or memory is left.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _SCARCE:
            raise
        raise ResourceError(f"{error.strerror}. {_SCARCE[error.errno]}") from error
    except RuntimeError as error:
        if "thread" not in str(error):  # Python gives no other sign that there is none left
            raise
        raise ResourceError(f"{error}. {_SCARCE[errno.EAGAIN]}") from error


_SCARCE = {
    errno.EAGAIN: "Use fewer --workers, or raise the limit on processes and threads (ulimit -u).",
    errno.ENOMEM: "Use fewer --workers, or a machine with more memory.",
    errno.EMFILE: "Use fewer --workers, or raise the limit on open files (ulimit -n).",
    errno.ENFILE: "The whole system has too many files open: end the programs that hold them.",
}
