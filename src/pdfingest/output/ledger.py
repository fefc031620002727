"""The ledger: what is committed, and what became of every source. SQLite, in the output directory.

It owns two things. The committed lengths of the outputs: whatever stands behind them was written
by a run that died before its commit, and goes. And the newest state of each source: its content by
hash, the options by digest, where its records and its report line stand. It does not own the plan
of a run (`plan`), which lives beside it on the same connection.

A commit is a group of sources: first the outputs reach the disk, then the ledger does, so that it
never names a byte that is not there. Between two commits lies at least `_PAUSE_S`, and nine times
what a commit took, so that commits cost a tenth of the time at most, on slow disks too.
"""

import json
import os
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeAlias

from pdfingest.errors import LedgerError
from pdfingest.model import Extracted, Failed, FailureKind, Finished, Gone, Unchanged

Sync: TypeAlias = Callable[[], Mapping[str, int]]
"""Brings the outputs to the disk; gives their lengths in bytes, by name."""

_APPLICATION_ID = 0x70646669
"""`pdfi`, in the header of the file (PRAGMA application_id)."""
_PAUSE_S = 0.5
_BUSY_S = 5.0
"""How long another program may hold the ledger, for a look or a backup, before a run gives up."""
_PAGE_ROWS = 1000
"""Rows that are held at a time."""

_MIGRATIONS = (
    """
    CREATE TABLE output (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE run (number INTEGER PRIMARY KEY, started_at REAL NOT NULL, exit_code INTEGER);
    CREATE TABLE renaming (name TEXT PRIMARY KEY) WITHOUT ROWID;
    CREATE TABLE source (
        name TEXT PRIMARY KEY,
        path BLOB NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        sha256 TEXT NOT NULL, options_digest TEXT NOT NULL,
        status TEXT NOT NULL, failure TEXT NOT NULL, engine TEXT NOT NULL,
        pages INTEGER NOT NULL, chars INTEGER NOT NULL, needs_ocr_pages INTEGER NOT NULL,
        failed_pages TEXT NOT NULL, peak_rss_bytes INTEGER NOT NULL, finished_at REAL NOT NULL,
        records TEXT NOT NULL, records_at INTEGER NOT NULL, records_bytes INTEGER NOT NULL,
        report_at INTEGER NOT NULL, report_bytes INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE source ADD COLUMN total_pages INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE source ADD COLUMN duplicate_of TEXT NOT NULL DEFAULT '';
    UPDATE source SET total_pages = pages  -- and of a list such as [3, 5], its length
        + (failed_pages <> '[]') + length(failed_pages) - length(replace(failed_pages, ',', ''));
    CREATE INDEX source_content ON source (substr(sha256, 1, 16));
    CREATE TABLE input (name TEXT PRIMARY KEY, sources INTEGER NOT NULL) WITHOUT ROWID;
    """,
)
"""The n-th, counted from 0, takes a ledger of version n to n + 1 (PRAGMA user_version)."""

_STATE = f"INSERT OR {{}} INTO source VALUES ({', '.join('?' * 22)})"  # noqa: S608 - marks
_SEEN = "UPDATE source SET path = ?, size_bytes = ?, mtime_ns = ? WHERE name = ?"
_SETTLED = "UPDATE planned SET unchanged = 1 WHERE name = ?"
# A source that this run takes up counts once it has been; until then, what is known may be past.
# The plus keeps SQLite from putting :sha256 for sha256 in the first term, which then fits no index.
_ORIGINAL = """
SELECT name FROM source WHERE substr(sha256, 1, 16) = substr(:sha256, 1, 16) AND +sha256 = :sha256
AND name <> :name AND options_digest = :digest AND records <> '' AND duplicate_of = '' AND (
    finished_at >= :began_at
    OR NOT EXISTS (SELECT 1 FROM planned WHERE planned.name = source.name AND NOT unchanged)
) ORDER BY records_at, name LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the records and the report line of a source stand in the outputs, in bytes."""

    records: str = ""
    """Name of the file; empty if there are no records."""
    records_at: int = 0
    records_bytes: int = 0
    report_at: int = 0
    report_bytes: int = 0


class Ledger:
    """The ledger at a path, or with an empty path a private one that nothing outlives.

    Raises:
        LedgerError: it cannot be read or written, is damaged, is no ledger, or is of a newer
            version of this program. It is left as it is.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._due_s = 0.0
        self._run = 0
        self._began_at = 0.0
        with self.told():
            self.database = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._open()
            except BaseException:
                self.database.close()
                raise

    def _open(self) -> None:
        """Check that it is ours and whole, and bring it to our version."""
        execute = self.database.execute
        # EXCLUSIVE makes the write-ahead log work without shared memory: on network disks too.
        execute("PRAGMA locking_mode = EXCLUSIVE")
        version = self._pragma("user_version")
        tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if self._pragma("application_id") != _APPLICATION_ID and (version or tables):
            raise LedgerError(f"{self.path} is not a ledger of pdfingest. {self._cure()}")
        if version > len(_MIGRATIONS):
            raise LedgerError(
                f"{self.path} was written by a newer pdfingest. Update this one, or name another "
                "--output."
            )
        if (found := execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise LedgerError(f"{self.path} is damaged: {found}. {self._cure()}")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = FULL")
        # KiB; the 2 MiB of the default fill over 10,000 files, which looks like a leak. A run is as
        # fast with these.
        execute("PRAGMA cache_size = -64")
        for step in _MIGRATIONS[version:]:
            version += 1
            self.database.executescript(
                f"BEGIN; {step} PRAGMA user_version = {version};"
                f"PRAGMA application_id = {_APPLICATION_ID}; COMMIT;"
            )

    def _pragma(self, name: str) -> int:
        """A number in the header of the file."""
        return int(self.database.execute(f"PRAGMA {name}").fetchone()[0])

    def _cure(self) -> str:
        """What to do about a ledger that cannot be used."""
        folder = os.path.dirname(os.path.dirname(self.path))
        return f"Restore it from a copy, move {folder} away, or name another --output."

    @contextmanager
    def told(self) -> Generator[None, None, None]:
        """Turn what SQLite says into what the user can do."""
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "").removeprefix("SQLITE_")
            where = self.path or "the plan, in the directory for temporary files"
            cure = "Free some space, check its permissions, or name another --output."
            if code.startswith(("BUSY", "LOCKED")):
                cure = "Another program has it open: close that one and run again."
            elif code.startswith(("NOTADB", "CORRUPT")):
                cure = self._cure()
            raise LedgerError(f"{where} cannot be used: {error}. {cure}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # What is not committed is forgotten, and the next run cuts it off the outputs.
        self.database.close()

    # The journal

    def lengths(self) -> dict[str, int]:
        """Committed length of each output in bytes."""
        with self.told():
            return dict(self.database.execute("SELECT name, bytes FROM output"))

    def begin_run(self, sync: Sync) -> None:
        """A run takes over the outputs as they are now."""
        with self.told():
            sql = "INSERT INTO run (started_at) VALUES (?)"
            self._began_at = time.time()
            self._run = self._change(sql, self._began_at).lastrowid or 0
        self.commit(sync)

    def end_run(self, exit_code: int, sync: Sync) -> None:
        """The run came to its end."""
        with self.told():
            self._change("UPDATE run SET exit_code = ? WHERE number = ?", exit_code, self._run)
        self.commit(sync)

    def was_interrupted(self) -> bool:
        """Whether the newest run did not come to its end, or was stopped before it."""
        row = self.database.execute(
            "SELECT exit_code FROM run ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return row is not None and (row[0] is None or row[0] > 128)  # noqa: PLR2004 - a signal

    @property
    def due(self) -> bool:
        """Whether there is something to commit, and its time has come."""
        return self.database.in_transaction and time.monotonic() >= self._due_s

    def commit(self, sync: Sync) -> None:
        """Commit what was noted, once the outputs have reached the disk."""
        began_s = time.monotonic()
        lengths = sync()
        with self.told():
            for name, length in lengths.items():
                self._change("INSERT OR REPLACE INTO output VALUES (?, ?)", name, length)
            if self.database.in_transaction:
                self.database.execute("COMMIT")
        self._due_s = time.monotonic() + max(_PAUSE_S, 9 * (time.monotonic() - began_s))

    def begin_renaming(self, lengths: Mapping[str, int]) -> None:
        """Commit to new files in the place of these outputs, which only need their names yet."""
        with self.told():
            for name in lengths:
                self._change("INSERT INTO renaming VALUES (?)", name)
        self.commit(lambda: lengths)

    def renaming(self) -> list[str]:
        """Outputs that a commit has replaced, but that may still have the old content."""
        with self.told():
            return [name for (name,) in self.database.execute("SELECT name FROM renaming")]

    def end_renaming(self) -> None:
        """All have it."""
        with self.told():
            self._change("DELETE FROM renaming")
            self.database.execute("COMMIT")

    def _change(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """One change of the group that the next commit makes."""
        if not self.database.in_transaction:
            self.database.execute("BEGIN IMMEDIATE")
        return self.database.execute(sql, values)

    # What became of every source

    def original_of(self, finished: Finished, digest: str) -> str:
        """Find a source with records of the same content, by the same options.

        Returns:
            The first of them in the outputs; empty if there is none, or if this one has no records.
        """
        if not isinstance(finished.outcome, Extracted):
            return ""
        with self.told():
            asked = {
                "sha256": finished.outcome.sha256,
                "name": finished.source.name,
                "digest": digest,
                "began_at": self._began_at,
            }
            row = self.database.execute(_ORIGINAL, asked).fetchone()
        return str(row[0]) if row else ""

    def note(self, finished: Finished, place: Place, digest: str) -> None:
        """Note the state of a source as it is now; it counts from the next commit on."""
        source, outcome = finished.source, finished.outcome
        identity = os.fsencode(source.path), source.size_bytes, source.mtime_ns
        with self.told():
            match outcome:
                case Gone():
                    self._change("DELETE FROM source WHERE name = ?", source.name)
                case Unchanged():
                    if outcome.cost.started_at:  # a child found the same content at a new time
                        self._change(_SEEN, *identity, source.name)
                        self._change(_SETTLED, source.name)
                case Extracted() | Failed():
                    # Nobody looked at what was cancelled: what was known of it stands.
                    cancelled = outcome.failure is FailureKind.CANCELLED
                    self._change(
                        _STATE.format("IGNORE" if cancelled else "REPLACE"),
                        source.name,
                        *identity,
                        outcome.sha256,
                        digest,
                        *_ending(outcome),
                        outcome.cost.peak.peak_bytes,
                        time.time(),
                        *(place.records, place.records_at, place.records_bytes),
                        *(place.report_at, place.report_bytes),
                        *(outcome.total_pages, finished.duplicate_of),
                    )

    def earlier(self, name: str) -> Unchanged:
        """The outcome of a source that was ingested before and is still the same."""
        row = self.database.execute(
            "SELECT sha256, engine, pages, chars, needs_ocr_pages, failed_pages, total_pages, "
            "peak_rss_bytes FROM source WHERE name = ?",
            (name,),
        ).fetchone()
        sha256, engine, pages, chars, needs_ocr_pages, failed_pages, *rest = row
        lost = tuple(json.loads(failed_pages))
        return Unchanged(sha256, engine, pages, chars, needs_ocr_pages, lost, *rest)

    def sources(self) -> int:
        """Number of sources that earlier runs have ingested or failed at."""
        with self.told():
            return int(self.database.execute("SELECT count(*) FROM source").fetchone()[0])

    def unplanned(self) -> Iterator[tuple[str, str]]:
        """Names and paths of sources of earlier runs that the plan of this one does not have."""
        name = ""
        while rows := self.database.execute(
            "SELECT name, path FROM source WHERE name > ? "
            "AND name NOT IN (SELECT name FROM planned) ORDER BY name LIMIT ?",
            (name, _PAGE_ROWS),
        ).fetchall():
            for name, path in rows:
                yield name, os.fsdecode(path)

    # What each input gave

    def inputs(self) -> dict[str, int]:
        """Number of sources that each input gave to an earlier run, by the input's path."""
        with self.told():
            return dict(self.database.execute("SELECT name, sources FROM input"))

    def note_inputs(self, given: Mapping[str, int]) -> None:
        """Note how many sources each input has given."""
        with self.told():
            for name, sources in given.items():
                self._change("INSERT OR REPLACE INTO input VALUES (?, ?)", name, sources)

    def live_bytes(self) -> int:
        """Bytes of the outputs that a compaction would keep, those not committed yet included."""
        with self.told():
            sql = "SELECT total(records_bytes + report_bytes) FROM source"
            return int(self.database.execute(sql).fetchone()[0])


def _ending(outcome: Extracted | Failed) -> tuple[str | int, ...]:
    """How a source ended, as columns from `status` to `failed_pages`."""
    counts = outcome.pages, outcome.chars, outcome.needs_ocr_pages
    failed_pages = json.dumps(outcome.failed_pages)
    failure = str(outcome.failure or "")
    return outcome.status.value, failure, outcome.engine, *counts, failed_pages
