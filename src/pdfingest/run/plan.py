"""The plan: what a run will do. Every file that discovery found, once, and what is known of it.

Owns a database file of its own beside the ledger, attached to the ledger's connection, so that one
statement can compare both. The file needs no journal, since a run that dies plans anew. Why not a
set and a sorted list: a million sources are 300 MB of Python objects.
"""

import json
import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, Self

from pdfingest.model import Duplicates, Source
from pdfingest.options import IngestOptions
from pdfingest.outcome import Attachment, Gone, Unchanged
from pdfingest.output.ledger import Ledger
from pdfingest.remote.place import as_shown, is_remote
from pdfingest.run import plan_queries as queries
from pdfingest.run.attached import MOST_SOURCES, SEPARATOR, members, top
from pdfingest.run.discover import is_copy
from pdfingest.run.found import Found


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
        self._wave = 0
        self._position = 0  # in the queue
        self.gone_sources = 0
        """Number of sources of earlier runs whose files no longer exist."""
        self._remove()  # that of a run that died
        self._database.execute("ATTACH ? AS plan", (self._path,))
        self._database.script(queries.SCHEMA)

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
        self._database.fill(
            queries.FOUND, ((name, os.fsencode(path), *rest) for name, path, *rest in found)
        )
        self._database.script(queries.ONCE)
        self.found = self._database.execute("SELECT count(*) FROM planned")[0][0]

    def settle(self, options: IngestOptions, digest: str) -> None:
        """Compare what was found with what earlier runs did, and queue what needs a child."""
        if options.shard is not None:
            self._database.connection.create_function("takes", 1, options.shard.takes)
            self._database.execute("DELETE FROM planned WHERE NOT takes(name)")
        self._settle(options, digest)

    def next_wave(self, options: IngestOptions, digest: str) -> bool:
        """Settle what `attach` has added, and go on with it; return whether there is any."""
        self._wave += 1
        if not self._database.execute(queries.HAS_WAVE, (self._wave,)):
            return False
        self._settle(options, digest)
        return True

    def _settle(self, options: IngestOptions, digest: str) -> None:
        """Settle the sources of this wave."""
        execute, wave = self._database.execute, self._wave
        if options.retry_failed:
            marks = ", ".join("?" * len(options.retry_failed))
            execute(queries.CHOOSE_FAILED.format(marks=marks), (*options.retry_failed, wave))
        elif not options.force:
            execute(queries.KNOWN, (not options.checksum, digest, wave))
            execute(queries.SKIPPED, (wave, options.duplicates is Duplicates.SKIP))
        [(self.sources, size_bytes)] = execute(queries.COUNT)
        self.size_bytes = int(size_bytes)
        execute(queries.QUEUE.format(order=queries.ORDERS[options.order]), (wave,))
        if options.attachments:
            known = queries.EACH_KNOWN.format(wave=wave, all=int(bool(options.retry_failed)))
            for row in self._database.walk(known, ""):
                self.attach(_source(row), self._ledger.attachments(row[0]))

    def attach(self, source: Source, attachments: Sequence[Attachment]) -> None:
        """Add the PDFs that are attached to a source to the next wave.

        Those of an earlier run that are not attached any more are gone.
        """
        prefix = f"{source.name}{SEPARATOR}"
        if attachments:
            [(count,)] = self._database.execute(
                queries.COUNT_ATTACHED, _range(f"{top(source)}{SEPARATOR}")
            )
            for each in members(source, attachments, MOST_SOURCES - count):
                name, inside = each.name, json.dumps(each.inside)
                while self._is_planned(name):  # a file may have such a name
                    name += "~"
                values = (name, each.size_bytes, each.error, inside, self._wave + 1)
                self._database.change(queries.ATTACHED, (*values, source.name))
        for (name,) in self._database.execute(queries.WITHIN, _range(prefix)):
            attached = prefix + name.removeprefix(prefix).partition(SEPARATOR)[0]
            if not self._is_planned(attached):
                self._database.change("INSERT OR IGNORE INTO gone VALUES (?)", (name,))

    def _is_planned(self, name: str) -> bool:
        return bool(self._database.execute(queries.IS_PLANNED, (name,)))

    def unreadable(self) -> Iterator[Source]:
        """Yield the sources that discovery could not look at, and that need no child to fail."""
        return (_source(row) for row in self._walk(queries.EACH_UNREADABLE))

    def unchanged(self) -> Iterator[tuple[Source, Unchanged]]:
        """Yield the sources with the size and time that they had in an earlier run."""
        for row in self._walk(queries.EACH_UNCHANGED):
            yield _source(row), self._ledger.earlier(row[0])

    def count_unchanged(self) -> tuple[int, int]:
        """Count what `unchanged` yields: all sources, and those that lost pages."""
        [(sources, partial)] = self._database.execute(queries.COUNT_UNCHANGED, (self._wave,))
        return sources, int(partial)

    def unchanged_above(self, peak_bytes: int, most: int) -> tuple[int, list[tuple[int, str]]]:
        """Find unchanged sources whose peak exceeded a limit when they were ingested.

        Args:
            peak_bytes: the limit.
            most: how many to return by name.

        Returns:
            The number of all of them, and the highest peaks in bytes with the names.
        """
        [(sources,)] = self._database.execute(queries.COUNT_ABOVE, (self._wave, peak_bytes))
        found = self._database.execute(queries.HIGHEST_ABOVE, (self._wave, peak_bytes, most))
        return sources, found

    def jobs(self) -> Iterator[tuple[Source, Unchanged | None]]:
        """Yield the sources that need a child, with the outcome of those that may be unchanged."""
        for position, *row, known in self._database.walk(queries.EACH_QUEUED, self._position):
            self._position = position
            yield _source(row), self._ledger.earlier(row[0]) if known else None

    def _walk(self, sql: str) -> Iterator[Any]:
        """Yield the rows of a query over this wave."""
        return self._database.walk(sql.format(wave=self._wave), "")

    def changed(self) -> Iterator[Source]:
        """Yield the sources that may have changed: the unreadable, then those that need a child."""
        yield from self.unreadable()
        for _, *row, _known in self._database.walk(queries.EACH_QUEUED, 0):
            yield _source(row)

    def clash(self) -> tuple[str, str, str] | None:
        """Find a source with the name of another file, of an earlier run, that still exists.

        Returns:
            The name, the path of the source and the path of the other file; None if there is none.
        """
        for name, path, before in self._database.walk(queries.EACH_MOVED, ""):
            if _are_two_files(path, before):
                return name, os.fsdecode(path), os.fsdecode(before)
        return None

    def find_gone(self, inputs: Collection[str]) -> None:
        """Find the sources of earlier runs that discovery did not find and that do not exist.

        Args:
            inputs: of this run; an object is gone if its folder is among them and lists it no more.
        """
        folders = tuple(each for each in inputs if is_remote(each) and each.endswith("/"))
        for name, path in self._database.walk(queries.EACH_UNPLANNED, ""):
            place = os.fsdecode(path)
            is_there = not place.startswith(folders) if is_remote(place) else os.path.lexists(path)
            if not is_there and not is_copy(place):
                self._database.execute("INSERT INTO gone VALUES (?)", (name,))
                self.gone_sources += 1

    def gone(self) -> Iterator[tuple[Source, Gone]]:
        """Yield what `find_gone` found."""
        for name, path, size_bytes, sha256, engine in self._database.walk(queries.EACH_GONE, ""):
            yield Source(name, os.fsdecode(path), size_bytes), Gone(sha256, engine)


def _source(row: Sequence[Any]) -> Source:
    """Make a source from a row of `planned`, in the order of the fields of a source."""
    name, path, size_bytes, mtime_ns, error, inside = row
    indices = tuple(json.loads(inside)) if inside else ()
    return Source(name, os.fsdecode(path), size_bytes, mtime_ns, error, indices)


def _range(prefix: str) -> tuple[str, str]:
    """Return what all names with a prefix are between, given one that ends with a slash."""
    return prefix, f"{prefix[:-1]}{chr(ord('/') + 1)}"


def _are_two_files(path: bytes, other: bytes) -> bool:
    """Return whether there are files at both paths, and not the same one."""
    places = [as_shown(os.fsdecode(each)) for each in (path, other)]
    if any(map(is_remote, places)):  # whether the other is still there is not asked
        return places[0] != places[1]
    try:
        return not os.path.samefile(path, other)
    except OSError:
        return False
