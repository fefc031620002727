"""The plan: what discovery found, each file once, in a stable order, outside the parent's memory.

A private SQLite database that SQLite itself keeps on disk once it outgrows its cache and that
vanishes with its connection. Why not a set and a sorted list: a million sources are 300 MB of
Python objects.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

from pdfingest.model import Source

_SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -2000;  -- KiB; what exceeds it goes to disk
CREATE TABLE source (
    name TEXT PRIMARY KEY, path BLOB, size_bytes INTEGER, error TEXT, device TEXT, inode TEXT
) WITHOUT ROWID;
"""
# Two names for one file (links, inputs that overlap) become one source, under the first of its
# names, so that the result does not depend on the order in which directories are listed.
_ONCE = """
CREATE INDEX identity ON source (device, inode, name);
DELETE FROM source WHERE EXISTS (
    SELECT 1 FROM source AS other
    WHERE other.device = source.device AND other.inode = source.inode AND other.name < source.name
);
DROP INDEX identity;
"""


class Plan:
    """Sources of one run. Fill it once, then iterate."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.executescript(_SCHEMA)
        self.sources = 0
        self.size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._database.close()

    def fill(self, found: Iterable[tuple[Source, os.stat_result | None]]) -> None:
        """Take in what discovery found, each with its stat; None where it has none."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT OR IGNORE INTO source VALUES (?, ?, ?, ?, ?, ?)",
            (
                (s.name, os.fsencode(s.path), s.size_bytes, s.error, *_identity(st))
                for s, st in found
            ),
        )
        self._database.execute("COMMIT")
        self._database.executescript(_ONCE)
        row = self._database.execute("SELECT count(*), total(size_bytes) FROM source").fetchone()
        self.sources, self.size_bytes = int(row[0]), int(row[1])

    def __iter__(self) -> Iterator[Source]:
        return self._select("TRUE")

    def readable(self) -> Iterator[Source]:
        """Sources that discovery could look at."""
        return self._select("error = ''")

    def unreadable(self) -> Iterator[Source]:
        """Sources that no child needs to be started for."""
        return self._select("error <> ''")

    def _select(self, condition: str) -> Iterator[Source]:
        """Some of the sources, in the order of their names."""
        rows = self._database.execute(
            f"SELECT name, path, size_bytes, error FROM source WHERE {condition} ORDER BY name"  # noqa: S608 - three constants
        )
        for name, path, size_bytes, error in rows:
            yield Source(name, os.fsdecode(path), size_bytes, error)


def _identity(stat: os.stat_result | None) -> tuple[str | None, str | None]:
    """What tells one file from another, as text: inode numbers may exceed SQLite's integers."""
    if stat is None or not stat.st_ino:
        return None, None
    return str(stat.st_dev), str(stat.st_ino)
