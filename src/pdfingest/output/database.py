"""The SQLite file of a ledger: its connection, its version, and what its errors mean for a user.

Owns how the file is opened, checked and brought to the present version, and how statements run.
Does not own what the tables mean: that is up to `ledger`, and to the plan of a run (`run.plan`) and
`compact`, which add tables of their own to the same connection.
"""

import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from pdfingest.errors import LedgerError, resources_told

_Values: TypeAlias = Sequence[Any] | Mapping[str, Any]

_APPLICATION_ID = 0x70646669  # `pdfi`, in the header of the file (PRAGMA application_id)
_BUSY_S = 5.0  # how long a run waits for another program that looks at the file, or copies it
_PAGE_ROWS = 100  # rows that `Database.walk` holds at a time; with 1,000, heaps grow by 160 KiB
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
    -- failed_pages is a list such as [3, 5]: it has one page more than commas, unless it is empty.
    UPDATE source SET total_pages = pages
        + (failed_pages <> '[]') + length(failed_pages) - length(replace(failed_pages, ',', ''));
    CREATE INDEX source_content ON source (substr(sha256, 1, 16));
    CREATE TABLE input (name TEXT PRIMARY KEY, sources INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    -- Of many copies of one file, only the first is looked for.
    DROP INDEX source_content;
    CREATE INDEX source_content ON source (substr(sha256, 1, 16)) WHERE duplicate_of = '';
    """,
    """
    ALTER TABLE source ADD COLUMN attachments TEXT NOT NULL DEFAULT '';
    """,
    """
    ALTER TABLE source ADD COLUMN ocr_pages INTEGER NOT NULL DEFAULT 0;
    """,
)
"""Item n, counted from 0, takes a ledger of version n to n + 1 (PRAGMA user_version)."""


class Database:
    """A connection to the ledger file at a path, which is created if it does not exist.

    Args:
        path: path of the file; empty for a private database that ends with the connection.

    Raises:
        LedgerError: the file cannot be read or written, is damaged, is not a ledger, or is of a
            newer version of this program. The file is left as it is.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        with self.errors():
            self.connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._open()
            except BaseException:
                self.connection.close()
                raise

    def _open(self) -> None:
        # EXCLUSIVE lets the write-ahead log do without shared memory, which network disks lack.
        self.execute("PRAGMA locking_mode = EXCLUSIVE")
        [(application_id,)] = self.execute("PRAGMA application_id")
        [(version,)] = self.execute("PRAGMA user_version")
        [(tables,)] = self.execute("SELECT count(*) FROM sqlite_master")
        if application_id != _APPLICATION_ID and (version or tables):
            raise LedgerError(f"{self.path} is not a ledger of pdfingest. {self._cure()}")
        if version > len(_MIGRATIONS):
            raise LedgerError(
                f"{self.path} was written by a newer pdfingest. Update this one, or name another "
                "--output."
            )
        [(found,)] = self.execute("PRAGMA quick_check(1)")
        if found != "ok":
            raise LedgerError(f"{self.path} is damaged: {found}. {self._cure()}")
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        # In KiB. The default of 2 MiB fills up over 10,000 files, which looks like a leak. A run is
        # as fast with 64.
        self.execute("PRAGMA cache_size = -64")
        for step in _MIGRATIONS[version:]:
            version += 1
            self.script(
                f"BEGIN; {step} PRAGMA user_version = {version};"
                f"PRAGMA application_id = {_APPLICATION_ID}; COMMIT;"
            )

    def _cure(self) -> str:
        """Say what to do about a ledger that cannot be used."""
        folder = os.path.dirname(os.path.dirname(self.path))
        return f"Restore it from a copy, move {folder} away, or name another --output."

    @contextmanager
    def errors(self) -> Generator[None, None, None]:
        """Turn errors of SQLite into a `LedgerError` that says what to do."""
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
            elif code.startswith("CANTOPEN"):
                # SQLite does not say why. The next descriptor says whether there are no more.
                with resources_told():
                    os.close(os.open(os.devnull, os.O_RDONLY))
            raise LedgerError(f"{where} cannot be used: {error}. {cure}") from error

    def execute(self, sql: str, values: _Values = ()) -> list[Any]:
        """Run a statement, and return all its rows."""
        with self.errors():
            return self.connection.execute(sql, values).fetchall()

    def walk(self, sql: str, after: str | int) -> Iterator[Any]:
        """Yield the rows of a query that may have any number, without keeping it open.

        As long as a query is open, SQLite cannot write its write-ahead log back: in a run, which
        changes the ledger between two rows, the log would grow by 1.4 KB for each source.

        Args:
            sql: query with a unique key in its first column, in ascending order of that key, and
                with two marks: the key to go on behind, and the most rows to return.
            after: lower than any key.
        """
        while rows := self.execute(sql, (after, _PAGE_ROWS)):
            yield from rows
            after = rows[-1][0]

    def change(self, sql: str, values: _Values = ()) -> None:
        """Run a statement in the transaction that the next commit ends."""
        with self.errors():
            if not self.connection.in_transaction:
                self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute(sql, values)

    def fill(self, sql: str, values: Iterable[_Values]) -> None:
        """Run a statement once for each of any number of values, in a transaction of its own."""
        with self.errors():
            self.connection.execute("BEGIN")
            self.connection.executemany(sql, values)
            self.connection.execute("COMMIT")

    def commit(self) -> None:
        """Commit the transaction, if there is one."""
        with self.errors():
            self.connection.commit()

    def script(self, sql: str) -> None:
        """Run several statements, after a commit of what was changed before."""
        with self.errors():
            self.connection.executescript(sql)
