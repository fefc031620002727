"""The plan: what a run will do. Every file that discovery found, once, and what is known of it.

Owns a database file of its own beside the ledger, attached to the ledger's connection, so that one
statement can compare both. The file needs no journal, since a run that dies plans anew. Why not a
set and a sorted list: a million sources are 300 MB of Python objects.
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Self

from pdfingest.model import Duplicates, Source
from pdfingest.options import IngestOptions, Order
from pdfingest.outcome import Gone, Unchanged
from pdfingest.output.ledger import Ledger
from pdfingest.run.discover import Found, is_copy

_SCHEMA = """
PRAGMA plan.journal_mode = OFF;
PRAGMA plan.synchronous = OFF;
PRAGMA plan.locking_mode = EXCLUSIVE;
PRAGMA plan.cache_size = -2000;  -- KiB; what exceeds it goes to disk
CREATE TABLE plan.planned (
    name TEXT PRIMARY KEY, path BLOB, size_bytes INTEGER, error TEXT,
    mtime_ns INTEGER, settled INTEGER, device TEXT, inode TEXT,
    chosen INTEGER DEFAULT 1, sha256 TEXT DEFAULT '', unchanged INTEGER DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE plan.queue (position INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE plan.gone (name TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_FOUND = """
INSERT OR IGNORE INTO planned
(name, path, size_bytes, error, mtime_ns, settled, device, inode) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
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
_CHOOSE_FAILED = """
UPDATE planned SET chosen = name IN (SELECT name FROM source WHERE failure IN ({marks}))
"""
# A source that was ingested with these options, and still has its size, is unchanged if its content
# has the same hash. Its hash need not be computed if its path and modification time are the same.
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
# A source that was skipped as a duplicate has its text in the records of its original. It is read
# anew if the original may change in this run, or if duplicates are to be kept now.
_SKIPPED = """
UPDATE planned SET unchanged = 0, sha256 = '' WHERE sha256 <> '' AND EXISTS (
    SELECT 1 FROM source WHERE source.name = planned.name AND duplicate_of <> '' AND records = ''
    AND NOT (? AND EXISTS (
        SELECT 1 FROM source AS original JOIN planned AS its ON its.name = original.name
        WHERE original.name = source.duplicate_of AND its.unchanged AND original.records <> ''
    ))
)
"""
_QUEUE = """
INSERT INTO queue (name)
SELECT name FROM planned WHERE chosen AND error = '' AND NOT unchanged ORDER BY {order}
"""
_ORDERS = {
    Order.NAME: "name",
    Order.SIZE: "size_bytes DESC, name",
    Order.MTIME: "mtime_ns DESC, name",
}
_COUNT = "SELECT count(*), total(size_bytes) FROM planned WHERE chosen"
_COUNT_UNCHANGED = """
SELECT count(*), total(status = 'partial') FROM planned JOIN source USING (name)
WHERE chosen AND unchanged
"""
_COUNT_ABOVE = """
SELECT count(*) FROM planned JOIN source USING (name)
WHERE chosen AND unchanged AND peak_rss_bytes > ?
"""
_HIGHEST_ABOVE = """
SELECT peak_rss_bytes, name FROM planned JOIN source USING (name)
WHERE chosen AND unchanged AND peak_rss_bytes > ? ORDER BY peak_rss_bytes DESC LIMIT ?
"""
# The following are for `Database.walk`. A modification time that does not tell a later change from
# the present state is given as 0.
_EACH_UNREADABLE = """
SELECT name, path, size_bytes, mtime_ns * settled, error FROM planned
WHERE chosen AND error <> '' AND name > ? ORDER BY name LIMIT ?
"""
_EACH_UNCHANGED = """
SELECT name, path, size_bytes, mtime_ns * settled, error FROM planned
WHERE chosen AND unchanged AND name > ? ORDER BY name LIMIT ?
"""
_EACH_QUEUED = """
SELECT position, name, path, size_bytes, mtime_ns * settled, error, sha256
FROM queue JOIN planned USING (name) WHERE position > ? ORDER BY position LIMIT ?
"""
# One name for two files: the records of one would replace those of the other if both still exist.
_EACH_MOVED = """
SELECT planned.name, planned.path, source.path FROM planned JOIN source USING (name)
WHERE planned.path <> source.path AND planned.name > ? ORDER BY planned.name LIMIT ?
"""
_EACH_UNPLANNED = """
SELECT name, path FROM source
WHERE name > ? AND name NOT IN (SELECT name FROM planned) ORDER BY name LIMIT ?
"""
_EACH_GONE = """
SELECT name, path, size_bytes, sha256, engine FROM gone JOIN source USING (name)
WHERE name > ? ORDER BY name LIMIT ?
"""

_FINE_NS = 50_000_000  # file systems with fractions of a second have ticks of some 10 ms at most
_COARSE_NS = 2_000_000_000  # FAT keeps times in steps of 2 s


class Plan:
    """The sources of one run. Fill and settle it once, then iterate over what it says to do.

    Raises:
        LedgerError: there is no space, or the directory of the ledger cannot be written.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database
        # The plan of a private ledger is private too: SQLite takes an empty path for that.
        self._path = f"{self._database.path}-plan" if self._database.path else ""
        self.found = 0
        """Number of sources that discovery found, those of all shards."""
        self.sources = 0
        """Number of sources of this run, the unchanged included."""
        self.size_bytes = 0
        """Their size."""
        self.gone_sources = 0
        """Number of sources of earlier runs whose files no longer exist."""
        self._remove()  # that of a run that died
        self._database.execute("ATTACH ? AS plan", (self._path,))
        self._database.script(_SCHEMA)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._remove()  # the connection of the ledger closes it

    def _remove(self) -> None:
        if self._path:
            with suppress(OSError):
                os.unlink(self._path)

    def fill(self, found: Iterable[Found]) -> None:
        """Take in what discovery found, each file under one name."""
        here = os.getcwd()
        self._database.fill(
            _FOUND,
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
        self._database.script(_ONCE)
        self.found = self._database.execute("SELECT count(*) FROM planned")[0][0]

    def settle(self, options: IngestOptions, digest: str) -> None:
        """Compare what was found with what earlier runs did, and queue what needs a child."""
        execute = self._database.execute
        if options.shard is not None:
            self._database.connection.create_function("takes", 1, options.shard.takes)
            execute("DELETE FROM planned WHERE NOT takes(name)")
        if options.retry_failed:
            marks = ", ".join("?" * len(options.retry_failed))
            execute(_CHOOSE_FAILED.format(marks=marks), options.retry_failed)
        elif not options.force:
            execute(_KNOWN, (digest,))
            if not options.checksum:
                execute(_UNCHANGED)
            execute(_SKIPPED, (options.duplicates is Duplicates.SKIP,))
        [(self.sources, size_bytes)] = execute(_COUNT)
        self.size_bytes = int(size_bytes)
        execute(_QUEUE.format(order=_ORDERS[options.order]))

    def unreadable(self) -> Iterator[Source]:
        """Yield the sources that discovery could not look at, and that need no child to fail."""
        return (_source(row) for row in self._database.walk(_EACH_UNREADABLE, ""))

    def unchanged(self) -> Iterator[tuple[Source, Unchanged]]:
        """Yield the sources with the size and time that they had in an earlier run."""
        for row in self._database.walk(_EACH_UNCHANGED, ""):
            yield _source(row), self._ledger.earlier(row[0])

    def count_unchanged(self) -> tuple[int, int]:
        """Count what `unchanged` yields: all sources, and those that lost pages."""
        [(sources, partial)] = self._database.execute(_COUNT_UNCHANGED)
        return sources, int(partial)

    def unchanged_above(self, peak_bytes: int, most: int) -> tuple[int, list[tuple[int, str]]]:
        """Find unchanged sources whose peak exceeded a limit when they were ingested.

        Args:
            peak_bytes: the limit.
            most: how many to return by name.

        Returns:
            The number of all of them, and the highest peaks in bytes with the names.
        """
        [(sources,)] = self._database.execute(_COUNT_ABOVE, (peak_bytes,))
        return sources, self._database.execute(_HIGHEST_ABOVE, (peak_bytes, most))

    def jobs(self) -> Iterator[tuple[Source, Unchanged | None]]:
        """Yield the sources that need a child, with the outcome of those that may be unchanged."""
        for _, *row, sha256 in self._database.walk(_EACH_QUEUED, 0):
            yield _source(row), self._ledger.earlier(row[0]) if sha256 else None

    def changed(self) -> Iterator[Source]:
        """Yield the sources that may have changed: the unreadable, then those that need a child."""
        yield from self.unreadable()
        for _, *row, _sha256 in self._database.walk(_EACH_QUEUED, 0):
            yield _source(row)

    def clash(self) -> tuple[str, str, str] | None:
        """Find a source with the name of another file, of an earlier run, that still exists.

        Returns:
            The name, the path of the source and the path of the other file; None if there is none.
        """
        for name, path, before in self._database.walk(_EACH_MOVED, ""):
            if _are_two_files(path, before):
                return name, os.fsdecode(path), os.fsdecode(before)
        return None

    def find_gone(self) -> None:
        """Find the sources of earlier runs that discovery did not find and that do not exist."""
        for name, path in self._database.walk(_EACH_UNPLANNED, ""):
            if not os.path.lexists(path) and not is_copy(os.fsdecode(path)):
                self._database.execute("INSERT INTO gone VALUES (?)", (name,))
                self.gone_sources += 1

    def gone(self) -> Iterator[tuple[Source, Gone]]:
        """Yield what `find_gone` found."""
        for name, path, size_bytes, sha256, engine in self._database.walk(_EACH_GONE, ""):
            yield Source(name, os.fsdecode(path), size_bytes), Gone(sha256, engine)


def _source(row: Sequence[Any]) -> Source:
    """Make a source from a row of `planned`, in the order of the fields of a source."""
    name, path, *rest = row
    return Source(name, os.fsdecode(path), *rest)


def _are_two_files(path: bytes, other: bytes) -> bool:
    """Return whether there are files at both paths, and not the same one."""
    try:
        return not os.path.samefile(path, other)
    except OSError:
        return False


def _times(stat: os.stat_result | None) -> tuple[int, bool]:
    """Return when a file was modified, and whether any later change is sure to have a later time.

    This is the problem of the "racily clean" file, known from git: a change within the same tick of
    the file system's clock leaves no trace in its time.
    """
    if stat is None:
        return 0, False
    tick_ns = _FINE_NS if stat.st_mtime_ns % 1_000_000_000 else _COARSE_NS
    return stat.st_mtime_ns, time.time_ns() - stat.st_mtime_ns > tick_ns


def _identity(stat: os.stat_result | None) -> tuple[str | None, str | None]:
    """Return device and inode as text, since an inode number may exceed SQLite's integers."""
    if stat is None or not stat.st_ino:
        return None, None
    return str(stat.st_dev), str(stat.st_ino)
