"""A copy of a ledger to look things up in, whoever holds the original.

A run holds its ledger exclusively, so that even reading has to wait for it, and a directory that
cannot be written cannot have the files that SQLite needs for reading. The copy has neither problem.
Why not `immutable=1`: it sees nothing of the write-ahead log, and pages of two states in a ledger
that is being written.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress

from pdfingest.errors import LedgerError
from pdfingest.output.layout import ledger_of, private
from pdfingest.output.ledger import Ledger

_TRIES = 20
_PAUSE_S = 0.05
_HEADER_BYTES = 32
"""Of a write-ahead log: it changes when the log begins anew (https://sqlite.org/walformat.html)."""


@contextmanager
def snapshot(output: str) -> Generator[Ledger, None, None]:
    """Open a copy of the ledger of an output directory; an empty ledger where there is none.

    Raises:
        LedgerError: it cannot be copied, is damaged, or is not a ledger.
    """
    if not os.path.exists(ledger_of(output)):
        with Ledger("") as ledger:
            yield ledger
        return
    with tempfile.TemporaryDirectory(prefix="pdfingest-") as folder:
        os.mkdir(private(folder))
        _copy(ledger_of(output), ledger_of(folder))
        try:
            with Ledger(ledger_of(folder)) as ledger:
                yield ledger
        except LedgerError as error:
            raise LedgerError(str(error).replace(folder, output)) from error


def _copy(origin: str, copy: str) -> None:
    """Copy a database and its write-ahead log, as they were at one instant.

    Between two checkpoints a database does not change, and its log only grows; a transaction that
    is written while the log is copied does not count without its end.
    """
    try:
        for _ in range(_TRIES):
            before = _state(origin)
            shutil.copyfile(origin, copy)
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{origin}-wal", f"{copy}-wal")
            if _state(origin) == before:
                return
            with suppress(FileNotFoundError):
                os.unlink(f"{copy}-wal")
            time.sleep(_PAUSE_S)
    except OSError as error:
        raise LedgerError(f"{origin} cannot be copied to {copy}: {error.strerror}.") from error
    raise LedgerError(f"{origin} changes too fast to be copied. Try again.")


def _state(path: str) -> tuple[int, int, bytes]:
    """What a checkpoint changes: size and time of a database, and the header of its log."""
    found = os.stat(path)
    header = b""
    with suppress(FileNotFoundError), open(f"{path}-wal", "rb") as log:
        header = log.read(_HEADER_BYTES)
    return found.st_size, found.st_mtime_ns, header
