"""Where the newest record of each page is in a file of records that no ledger tells of.

Such a file is what `run --output -` wrote to a pipe, what the service gave, or what `compact` made
of the parts of shards. Nothing is known of its order, so it is read once, and the places are sorted
by a private SQLite database, which spills to the directory for temporary files.
"""

import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, NamedTuple

from pdfingest.errors import OutputError, RecordsError

_CACHE_KIB = 16_384
# A source that was ingested again with another content has lines of both. The later content counts;
# `content` has its id, which an id of a record begins with.
_TABLES = """
CREATE TABLE line (
    source TEXT, content TEXT, page INTEGER, chunk INTEGER, at INTEGER, length INTEGER,
    PRIMARY KEY (source, content, page, chunk)
) WITHOUT ROWID;
CREATE TABLE newest (source TEXT, content TEXT, PRIMARY KEY (source)) WITHOUT ROWID;
"""
_NOTE = "INSERT OR REPLACE INTO line VALUES (?, ?, ?, ?, ?, ?)"
_NOTE_NEWEST = "INSERT OR REPLACE INTO newest VALUES (?, ?)"
# A cross join: SQLite would else go through all lines, and sort them once more.
_EACH = """
SELECT at, length FROM newest CROSS JOIN line USING (source, content)
ORDER BY newest.source, page, chunk
"""


class Extent(NamedTuple):
    """Where lines are in their file, in bytes."""

    at: int
    length: int


@contextmanager
def indexed(file: BinaryIO) -> Generator[Iterator[Extent], None, None]:
    """Read a file of records, and give where the newest ones are, by source, page and chunk.

    A last line that is not ended is left out: a program is writing it, or was killed meanwhile.

    Args:
        file: at its beginning.

    Raises:
        RecordsError: a line is not a record.
        OutputError: the directory for temporary files has no room.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        with _told():
            database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            database.executescript(_TABLES)
            database.execute("BEGIN")
            database.executemany(_NOTE, _rows(file, database))
            database.execute("COMMIT")
        with closing(_each(database)) as extents:  # before the database is, if a reader stops early
            yield extents


def _rows(file: BinaryIO, database: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each line, and note whenever another content begins."""
    before = ("", "")
    for at, line in lines(file):
        try:
            record = json.loads(line)
            metadata = record["metadata"]
            content = (record["source"], record["id"].partition(":")[0])
            place = (metadata["page"], metadata.get("chunk", 0))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise not_a_record(file.name, at, error) from error
        if content != before:
            database.execute(_NOTE_NEWEST, content)
            before = content
        yield *content, *place, at, len(line)


def lines(file: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield each line that is ended, with where it begins in bytes."""
    at = 0
    for line in file:
        if line.endswith(b"\n"):
            yield at, line
        at += len(line)


def not_a_record(path: str, at: int, error: Exception) -> RecordsError:
    """Make the error of a line that cannot be read."""
    return RecordsError(
        f"{path}: the line at byte {at:,} is not a record ({type(error).__name__}: {error}). Bring "
        "the file back from a copy, or ingest again with --force."
    )


def _each(database: sqlite3.Connection) -> Generator[Extent, None, None]:
    with _told():
        yield from map(Extent._make, database.execute(_EACH))


@contextmanager
def _told() -> Generator[None, None, None]:
    """Turn an error of SQLite, which is one of the temporary directory, into what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputError(
            f"the index does not fit into the directory for temporary files: {error}. Free some "
            "space there, or name another directory in TMPDIR."
        ) from error
