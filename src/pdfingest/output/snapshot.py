"""Snapshots: copies of a ledger that can be read while a run holds the original.

A run holds its ledger exclusively, so that even readers have to wait for it; and SQLite cannot read
a ledger in a directory where it cannot create files. A copy has neither problem. Why not
`immutable=1`: it ignores the write-ahead log, and mixes pages of two states if a run writes.
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
# The header of a write-ahead log changes when the log starts anew
# (https://sqlite.org/walformat.html).
_HEADER_BYTES = 32


@contextmanager
def snapshot(output: str) -> Generator[Ledger, None, None]:
    """Open a copy of the ledger of an output directory, or an empty ledger if it has none.

    Raises:
        LedgerError: the ledger cannot be copied, is damaged, or is not a ledger.
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
            # The user knows the original, not the copy.
            raise LedgerError(str(error).replace(folder, output)) from error


def _copy(origin: str, copy: str) -> None:
    """Copy a database and its write-ahead log in a consistent state.

    Between two checkpoints the database does not change and the log only grows, so a copy is good
    if no checkpoint came between. A transaction of which the copied log has only a part is ignored
    by SQLite.

    Raises:
        LedgerError: there is no space, or checkpoints follow each other too fast.
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
    raise LedgerError(f"{origin} changes too fast to be copied. Try again in a moment.")


def _state(path: str) -> tuple[int, int, bytes]:
    """Return what a checkpoint changes: size and time of the database, and the log's header."""
    found = os.stat(path)
    header = b""
    with suppress(FileNotFoundError), open(f"{path}-wal", "rb") as log:
        header = log.read(_HEADER_BYTES)
    return found.st_size, found.st_mtime_ns, header
