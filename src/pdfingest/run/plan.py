"""The plan: what a run will do. What discovery found, each file once, and what is known of it.

A database file of its own beside the ledger, on the ledger's connection, so that one statement can
compare both; it needs no journal, since a run that dies plans anew. With a private ledger it is
private too. Why not a set and a sorted list: a million sources are 300 MB of Python objects.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from pdfingest.model import Duplicates, Gone, Source, Unchanged
from pdfingest.options import IngestOptions, Order
from pdfingest.output.ledger import Ledger
from pdfingest.run.discover import is_copy

_SCHEMA = """
PRAGMA plan.journal_mode = OFF;
PRAGMA plan.synchronous = OFF;
PRAGMA plan.locking_mode = EXCLUSIVE;
PRAGMA plan.cache_size = -2000;  -- KiB; what exceeds it goes to disk
CREATE TABLE plan.planned (
    name TEXT PRIMARY KEY, path BLOB, size_bytes INTEGER, mtime_ns INTEGER, settled INTEGER,
    error TEXT, device TEXT, inode TEXT,
    chosen INTEGER DEFAULT 1, sha256 TEXT DEFAULT '', unchanged INTEGER DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE plan.queue (position INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE plan.gone (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
# Two names for one file (links, inputs that overlap) become one source, under the first of its
# names, so that the result does not depend on the order in which directories are listed.
_ONCE = """
CREATE INDEX plan.identity ON planned (device, inode, name);
DELETE FROM planned WHERE EXISTS (
    SELECT 1 FROM planned AS other
    WHERE other.device = planned.device AND other.inode = planned.inode
    AND other.name < planned.name
);
DROP INDEX plan.identity;
"""
# Ingested before with these options, and still of that size: its hash decides, unless the time of
# its last change does.
_KNOWN = """
UPDATE planned SET sha256 = coalesce((
    SELECT sha256 FROM source WHERE source.name = planned.name
    AND options_digest = ? AND status IN ('ok', 'partial')
    AND source.size_bytes = planned.size_bytes
), '') WHERE error = ''
"""
_UNCHANGED = """
UPDATE planned SET unchanged = 1 WHERE sha256 <> '' AND settled AND EXISTS (
    SELECT 1 FROM source WHERE source.name = planned.name
    AND source.mtime_ns <> 0 AND source.mtime_ns = planned.mtime_ns AND source.path = planned.path
)
"""
# What was skipped as a duplicate has its text in the records of another source: it is done anew
# unless that one stays as it is, and if duplicates are to be kept.
_SKIPPED = """
UPDATE planned SET unchanged = 0, sha256 = '' WHERE sha256 <> '' AND EXISTS (
    SELECT 1 FROM source WHERE source.name = planned.name AND duplicate_of <> '' AND records = ''
    AND NOT (? AND EXISTS (
        SELECT 1 FROM source AS original JOIN planned AS its ON its.name = original.name
        WHERE original.name = source.duplicate_of AND its.unchanged AND original.records <> ''
    ))
)
"""
# One name for two files that are both there: the records of one would replace the other's.
_CLASHES = """
SELECT planned.name, planned.path, source.path FROM planned JOIN source USING (name)
WHERE planned.path <> source.path AND planned.name > ? ORDER BY planned.name LIMIT ?
"""
_UNCHANGED_OF = """
FROM planned JOIN source USING (name) WHERE chosen AND unchanged
"""
_RETRIED = """
UPDATE planned SET chosen = name IN (
    SELECT name FROM source WHERE failure IN ({kinds})
)
"""
_ORDERS = {
    Order.NAME: "name",
    Order.SIZE: "size_bytes DESC, name",
    Order.MTIME: "mtime_ns DESC, name",
}
_PAGE_ROWS = 1000
"""Rows that are read at a time. No query stays open while a run goes on: as long as one does, the
write-ahead log of the ledger is not written back and grows, 1.4 KB for each source."""

_FINE_NS = 50_000_000
"""File systems that keep fractions of a second keep them in ticks of at most some 10 ms."""
_COARSE_NS = 2_000_000_000
"""FAT keeps times in steps of 2 s."""


class Plan:
    """Sources of one run. Fill it once, then iterate.

    Raises:
        LedgerError: no space, or the directory cannot be written.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._path = f"{ledger.path}-plan" if ledger.path else ""
        self.found = 0
        """Sources that discovery found, of all shards."""
        self.sources = 0
        """Those of them that this run takes on."""
        self.size_bytes = 0
        self.gone_sources = 0
        """Sources of earlier runs that are not there any more."""
        self._remove()  # that of a run that died
        with ledger.told():
            ledger.database.execute("ATTACH ? AS plan", (self._path,))
            ledger.database.executescript(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._remove()  # the ledger's connection closes it

    def _remove(self) -> None:
        """Remove the file."""
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)

    def fill(self, found: Iterable[tuple[Source, os.stat_result | None]]) -> None:
        """Take in what discovery found, each with its stat; None where it has none."""
        here = os.getcwd()
        with self._ledger.told():
            execute = self._ledger.database.execute
            execute("BEGIN")
            self._ledger.database.executemany(
                "INSERT OR IGNORE INTO planned "
                "(name, path, size_bytes, error, mtime_ns, settled, device, inode) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        source.name,
                        os.fsencode(os.path.join(here, source.path)),
                        source.size_bytes,
                        source.error,
                        *_times(stat),
                        *_identity(stat),
                    )
                    for source, stat in found
                ),
            )
            execute("COMMIT")
            self._ledger.database.executescript(_ONCE)
            self.found = int(execute("SELECT count(*) FROM planned").fetchone()[0])

    def settle(self, options: IngestOptions, digest: str) -> None:
        """Compare what was found with what earlier runs did, and count what this one takes on."""
        with self._ledger.told():
            execute = self._ledger.database.execute
            if options.shard is not None:
                self._ledger.database.create_function("takes", 1, options.shard.takes)
                execute("DELETE FROM planned WHERE NOT takes(name)")
            if options.retry_failed:
                marks = ", ".join("?" * len(options.retry_failed))
                execute(_RETRIED.format(kinds=marks), options.retry_failed)
            elif not options.force:
                execute(_KNOWN, (digest,))
                if not options.checksum:
                    execute(_UNCHANGED)
                execute(_SKIPPED, (options.duplicates is Duplicates.SKIP,))
            sql = "SELECT count(*), total(size_bytes) FROM planned WHERE chosen"
            row = execute(sql).fetchone()
            self.sources, self.size_bytes = int(row[0]), int(row[1])
            execute(
                "INSERT INTO queue (name) SELECT name FROM planned "  # noqa: S608 - constants
                f"WHERE chosen AND error = '' AND NOT unchanged ORDER BY {_ORDERS[options.order]}"
            )

    def unreadable(self) -> Iterator[Source]:
        """Sources that discovery could not look at: no child needs to be started for them."""
        return (source for source, _ in self._select("error <> ''"))

    def unchanged(self) -> Iterator[tuple[Source, Unchanged]]:
        """Sources whose size and time are those of an earlier run, with what came of them."""
        for source, _ in self._select("unchanged"):
            yield source, self._ledger.earlier(source.name)

    def count_unchanged(self) -> tuple[int, int]:
        """Count the sources whose size and time are those of an earlier run.

        Returns:
            All of them; those of them that have lost pages.
        """
        with self._ledger.told():
            sql = f"SELECT count(*), total(status = 'partial') {_UNCHANGED_OF}"
            row = self._ledger.database.execute(sql).fetchone()
            return int(row[0]), int(row[1])

    def unchanged_above(self, peak_bytes: int, most: int) -> tuple[int, list[tuple[int, str]]]:
        """Find unchanged sources whose peak, when they were ingested, exceeded a limit.

        Args:
            peak_bytes: the limit.
            most: how many to give.

        Returns:
            Their number; the highest peaks in bytes, with the names.
        """
        above = f"{_UNCHANGED_OF} AND peak_rss_bytes > ?"
        with self._ledger.told():
            execute = self._ledger.database.execute
            number = execute(f"SELECT count(*) {above}", (peak_bytes,)).fetchone()[0]
            highest = f"SELECT peak_rss_bytes, name {above} ORDER BY 1 DESC LIMIT ?"
            return int(number), execute(highest, (peak_bytes, most)).fetchall()

    def jobs(self) -> Iterator[tuple[Source, Unchanged | None]]:
        """Sources that need a child, each with its outcome if its hash is still the same."""
        for source, sha256 in self._queued():
            yield source, self._ledger.earlier(source.name) if sha256 else None

    def changed(self) -> Iterator[Source]:
        """Sources that are not known to be unchanged: the unreadable, then those of the jobs."""
        yield from self.unreadable()
        for source, _ in self._queued():
            yield source

    def clash(self) -> tuple[str, str, str] | None:
        """Find a source that has the name of another file, of an earlier run, that is still there.

        Returns:
            The name, the path of the source, and that of the other; None if there is none.
        """
        name = ""
        while rows := self._rows(_CLASHES, (name, _PAGE_ROWS)):
            for name, path, before in rows:
                if _are_two_files(path, before):
                    return name, os.fsdecode(path), os.fsdecode(before)
        return None

    def find_gone(self) -> None:
        """Look for the sources of earlier runs that the plan does not have."""
        with self._ledger.told():
            execute = self._ledger.database.execute
            for name, path in self._ledger.unplanned():
                if not os.path.lexists(path) and not is_copy(path):
                    execute("INSERT INTO gone VALUES (?)", (name,))
                    self.gone_sources += 1

    def gone(self) -> Iterator[tuple[Source, Gone]]:
        """Sources of earlier runs that are not there any more; see `find_gone`."""
        name = ""
        sql = (
            "SELECT name, path, size_bytes, sha256, engine FROM gone JOIN source USING (name) "
            "WHERE name > ? ORDER BY name LIMIT ?"
        )
        while rows := self._rows(sql, (name, _PAGE_ROWS)):
            for name, path, size_bytes, sha256, engine in rows:
                yield Source(name, os.fsdecode(path), size_bytes), Gone(sha256, engine)

    def _select(self, condition: str) -> Iterator[tuple[Source, str]]:
        """Some of the sources by name, each with the hash that is known of it."""
        name = ""
        sql = (
            f"SELECT {_COLUMNS} FROM planned "  # noqa: S608 - constants
            f"WHERE chosen AND {condition} AND name > ? ORDER BY name LIMIT ?"
        )
        while rows := self._rows(sql, (name, _PAGE_ROWS)):
            for row in rows:
                yield _source(row)
            name = rows[-1][0]

    def _queued(self) -> Iterator[tuple[Source, str]]:
        """The sources that need a child, in their order, each with the hash that is known of it."""
        sql = (
            f"SELECT {_COLUMNS}, position FROM queue JOIN planned USING (name) "  # noqa: S608 - constants
            "WHERE position > ? ORDER BY position LIMIT ?"
        )
        position = 0
        while rows := self._rows(sql, (position, _PAGE_ROWS)):
            for *row, _ in rows:
                yield _source(row)
            position = rows[-1][-1]

    def _rows(self, sql: str, values: tuple[str | int, ...]) -> list[Any]:
        """All rows of a query, which is over then."""
        with self._ledger.told():
            return self._ledger.database.execute(sql, values).fetchall()


_COLUMNS = "name, path, size_bytes, mtime_ns * settled, error, sha256"


def _source(row: Sequence[Any]) -> tuple[Source, str]:
    """A source and the hash that is known of it, from a row of `_COLUMNS`."""
    name, path, *rest, sha256 = row
    return Source(name, os.fsdecode(path), *rest), sha256


def _are_two_files(path: bytes, other: bytes) -> bool:
    """Whether there is something at both paths, and not the same."""
    try:
        return not os.path.samefile(path, other)
    except OSError:
        return False


def _times(stat: os.stat_result | None) -> tuple[int, bool]:
    """When a file was last modified, and whether a later change is sure to be later than that.

    The problem of the "racily clean" file, known from git: a change within the same tick of the
    file system's clock leaves no trace in its time.
    """
    if stat is None:
        return 0, False
    tick_ns = _FINE_NS if stat.st_mtime_ns % 1_000_000_000 else _COARSE_NS
    return stat.st_mtime_ns, time.time_ns() - stat.st_mtime_ns > tick_ns


def _identity(stat: os.stat_result | None) -> tuple[str | None, str | None]:
    """What tells one file from another, as text: inode numbers may exceed SQLite's integers."""
    if stat is None or not stat.st_ino:
        return None, None
    return str(stat.st_dev), str(stat.st_ino)
