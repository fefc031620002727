"""The output directory: names of the files in it, and errors if it cannot be written."""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager

from pdfingest.errors import OutputError, ReaderGoneError

RECORDS = {"page": "pages.jsonl", "document": "documents.jsonl", "chunk": "chunks.jsonl"}
"""Name of the file with the records, by unit."""
REPORT = "report.jsonl"
SUMMARY = "summary.json"
PICTURES = "report.html"
"""Charts of the report (`report --html`)."""

_PRIVATE = ".pdfingest"


def private(output: str, name: str = "") -> str:
    """Return a path in the part of an output directory that is not for users."""
    return os.path.join(output, _PRIVATE, name)


def ledger_of(output: str) -> str:
    """Return the path of the ledger of an output directory, which its first run creates."""
    return private(output, "ledger.sqlite3")


def sync_folder(folder: str) -> None:
    """Bring the entries of a directory to the disk, as fsync of a file does not."""
    if os.name == "posix":  # Windows cannot open a directory
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def parts_of(output: str) -> list[str]:
    """Return the directories that shards have written in an output directory, in order of names.

    Raises:
        OutputError: the directory cannot be listed.
    """
    with output_errors(output):
        return sorted(
            entry.path
            for entry in os.scandir(output)
            if entry.name.startswith("part-") and os.path.exists(ledger_of(entry.path))
        )


_CURE = "Free some space, check its permissions, or name another --output."
_RAISE = "Raise the limit on open files: ulimit -n."


@contextmanager
def output_errors(output: str) -> Generator[None, None, None]:
    """Turn each OSError of a block that writes an output into an error that says what to do.

    Raises:
        OutputError: the block raised an OSError; for a BrokenPipeError it is a ReaderGoneError.
    """
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError("the program that reads stdout has gone away") from error
    except OSError as error:
        cure = _RAISE if error.errno == errno.EMFILE else _CURE
        raise OutputError(f"cannot write to {output}: {error.strerror or error}. {cure}") from error
