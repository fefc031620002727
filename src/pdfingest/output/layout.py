"""The output directory: the names of what is in it, and what it means if it cannot be written."""

import errno
import os
from collections.abc import Generator
from contextlib import contextmanager

from pdfingest.errors import OutputError, ReaderGoneError

RECORDS = {"page": "pages.jsonl", "document": "documents.jsonl"}
"""The file of the records, by unit."""
REPORT = "report.jsonl"
SUMMARY = "summary.json"
PICTURES = "report.html"

_PRIVATE = ".pdfingest"


def private(output: str, name: str = "") -> str:
    """A path in the private directory of an output directory."""
    return os.path.join(output, _PRIVATE, name)


def ledger_of(output: str) -> str:
    """The ledger of an output directory; absent until a first run."""
    return private(output, "ledger.sqlite3")


def sync_folder(folder: str) -> None:
    """Bring the names in a directory to the disk."""
    if os.name == "posix":  # Windows cannot open a directory
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def parts_of(output: str) -> list[str]:
    """The parts that shards have written below an output directory, in order."""
    with told(output):
        return sorted(
            entry.path
            for entry in os.scandir(output)
            if entry.name.startswith("part-") and os.path.exists(ledger_of(entry.path))
        )


_CURE = "Free some space, check its permissions, or name another --output."
_RAISE = "Raise the limit on open files: ulimit -n."


@contextmanager
def told(output: str) -> Generator[None, None, None]:
    """Turn what the operating system says of the output into what the user can do.

    Raises:
        OutputError: in place of an OSError.
    """
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError("the program that reads stdout has gone away") from error
    except OSError as error:
        cure = _RAISE if error.errno == errno.EMFILE else _CURE
        raise OutputError(f"cannot write to {output}: {error.strerror or error}. {cure}") from error
