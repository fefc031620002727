"""What stops a run, and the exit code that each of them carries.

Owns the exit codes of the program. Does not own the failure of one file: that is a value
(`model.Failed`), never an exception, because a run must outlive any file.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the command line; part of the contract with users.

    130 and 143 are the shell's convention of 128 plus the number of the signal.
    """

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    NO_INPUT = 3
    ENVIRONMENT = 4
    GATE = 5
    BUG = 70
    BUSY = 75
    INTERRUPTED = 130
    TERMINATED = 143


class PdfingestError(Exception):
    """Base of everything that stops a run. The message says what, where, and what to do next."""

    exit_code = ExitCode.BUG


class UsageError(PdfingestError):
    """An option or an input that cannot be understood."""

    exit_code = ExitCode.USAGE


class NoInputError(PdfingestError):
    """No input matched a PDF."""

    exit_code = ExitCode.NO_INPUT


class OutputError(PdfingestError):
    """The output cannot be written: no permission, no space, reader gone."""

    exit_code = ExitCode.ENVIRONMENT


class ReaderGoneError(OutputError):
    """The program that reads stdout has ended, as `head` does once it has enough lines."""


class EngineUnavailableError(PdfingestError):
    """The engine that was asked for is unknown, not installed, or cannot be imported."""

    exit_code = ExitCode.ENVIRONMENT


class SandboxError(PdfingestError):
    """The sandbox is required, and this machine lacks a part of it or refuses it."""

    exit_code = ExitCode.ENVIRONMENT


class LedgerError(PdfingestError):
    """The ledger cannot be read or written, is damaged, or is none."""

    exit_code = ExitCode.ENVIRONMENT


class OutputBusyError(PdfingestError):
    """Another program works on the output directory."""

    exit_code = ExitCode.BUSY
