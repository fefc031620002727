"""The index of search: full text of the newest records, in a database with SQLite's FTS5.

It is built when it is first needed, and then follows what runs change. It knows each source by the
time when it was read, so records that were superseded, or that belong to a source that is gone,
leave it before anything is searched; what is new is added for some seconds a search, so that a
client does not wait for a large directory. It holds words and places and no text.

It is a cache, in the private part of the output directory or, where that cannot be written, in the
directory for temporary files. Remove it, and it is made again. Several servers may share it.
"""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pdfingest.agents.query import separated
from pdfingest.agents.records import Place, passages, records_of
from pdfingest.errors import EngineUnavailableError, OutputError
from pdfingest.output.layout import private
from pdfingest.output.states import SourceState, States

T = TypeVar("T")

TOKENS = "tokenize = 'unicode61 remove_diacritics 2'"
"""How FTS5 tells words, as its tables take it."""
_FILE = "search.sqlite3"
_VERSION = 1
_UPDATE_S = 20.0
"""How long one search may add to the index; clients give up after a minute."""
_COMMIT_S = 1.0
_BUSY_S = 30.0
_CACHE_KIB = 16_384
# FTS5 cannot forget a row whose text it does not hold (before SQLite 3.43). So an id is never used
# twice, and rows of `words` without a passage are what is left of superseded records.
_TABLES = f"""
DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS passage; DROP TABLE IF EXISTS source;
CREATE TABLE source (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, finished_at REAL NOT NULL
);
CREATE TABLE passage (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER NOT NULL,
    at INTEGER NOT NULL, length INTEGER NOT NULL, part INTEGER NOT NULL
);
CREATE INDEX passage_source ON passage (source);
CREATE VIRTUAL TABLE words USING fts5 (text, content = '', {TOKENS});
PRAGMA user_version = {_VERSION};
"""
_FIND = """
SELECT source.name, passage.at, passage.length, passage.part
FROM words JOIN passage ON passage.id = words.rowid JOIN source ON source.id = passage.source
WHERE words MATCH :expression AND :source IN ('', source.name) ORDER BY rank LIMIT :most
"""
_EACH = "SELECT name, finished_at FROM source WHERE name > ? ORDER BY name LIMIT ?"
_IS_NEWEST = "SELECT 1 FROM source WHERE name = ? AND finished_at = ?"
_EVER = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'passage'"
_PAGE_ROWS = 1000
_REBUILT_ROWS = 10_000
"""Rows without a passage that are worth building the index anew, if they are most of it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A passage that was found."""

    source: str
    place: Place
    """Where its record is."""
    part: int
    """0-based index of the passage within the record."""


class Index:
    """The index of an output directory, for one thread at a time; to be used in a `with`.

    Args:
        output: the directory.
    """

    def __init__(self, output: str) -> None:
        self._output = output
        self._stack = ExitStack()
        self._database: sqlite3.Connection | None = None
        self._followed: object = None
        """Marks of the states that are all in the index."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def follow(self, states: States) -> tuple[int, int]:
        """Take in what has changed, as much as can be done in some seconds.

        Returns:
            The number of sources in the index, and of those that have text.

        Raises:
            EngineUnavailableError: SQLite has no FTS5.
            OutputError: the index cannot be written, or records cannot be read.
        """
        return self._with(lambda database: self._follow(database, states))

    def find(self, expression: str, source: str, most: int) -> list[Spot]:
        """Return the passages that an expression of FTS5 matches, the best first.

        Args:
            expression: a valid expression.
            source: name of the only source to search; empty for all.
            most: most passages to return.
        """
        wanted = {"expression": expression, "source": source, "most": most}
        rows = self._with(lambda database: database.execute(_FIND, wanted).fetchall())
        return [Spot(name, Place(at, length), part) for name, at, length, part in rows]

    def _with(self, use: Callable[[sqlite3.Connection], T]) -> T:
        """Use the database; one that is damaged, as by a power failure, is made again first."""
        try:
            with _told():
                return use(self._opened())
        except sqlite3.DatabaseError:
            self._stack.close()
            self._database = self._followed = None
            with suppress(OSError):
                os.unlink(private(self._output, _FILE))
            with _told():
                return use(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._database is None:
            _check_fts5()
            path = private(self._output, _FILE)
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                self._database = _connected(path)
            except (OSError, sqlite3.OperationalError):
                folder = tempfile.TemporaryDirectory(prefix="pdfingest-")
                self._database = _connected(os.path.join(self._stack.enter_context(folder), _FILE))
            self._stack.callback(self._database.close)
        return self._database

    def _follow(self, database: sqlite3.Connection, states: States) -> tuple[int, int]:
        marks = states.marks
        if self._followed != marks:
            with _rolled_back(database):
                _forget(database, states)
                if _add(database, states):
                    self._followed = marks
        [(indexed,)] = database.execute("SELECT count(*) FROM source")
        if self._followed == marks:
            return indexed, indexed
        return indexed, sum(bool(each.records) for each in states.walk())


def _connected(path: str) -> sqlite3.Connection:
    """Open the index at a path; one of another version is made anew."""
    database = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        database.execute("BEGIN IMMEDIATE")  # fails where it cannot be written
        [(version,)] = database.execute("PRAGMA user_version")
        if version != _VERSION:
            for statement in _TABLES.split(";"):
                database.execute(statement)
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database


def _check_fts5() -> None:
    """Check that SQLite has FTS5.

    Raises:
        EngineUnavailableError: it has not.
    """
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, {TOKENS})")
        except sqlite3.OperationalError as error:
            raise EngineUnavailableError(
                f"search needs FTS5, and the SQLite {sqlite3.sqlite_version} of this Python does "
                "not have it. Run the server with a Python from python.org or uv. The other tools "
                "work without."
            ) from error


def _forget(database: sqlite3.Connection, states: States) -> None:
    """Remove what was superseded, or is gone."""
    database.execute("BEGIN IMMEDIATE")
    after = ""
    while rows := database.execute(_EACH, (after, _PAGE_ROWS)).fetchall():
        after = rows[-1][0]
        for name, finished_at in rows:
            state = states.get(name)
            if state is None or not state.records or state.finished_at != finished_at:
                _remove(database, name)
    [(ever,)] = database.execute(_EVER)
    [(now,)] = database.execute("SELECT count(*) FROM passage")
    if ever - now > max(now, _REBUILT_ROWS):
        database.execute("INSERT INTO words (words) VALUES ('delete-all')")
        for table in ("passage", "source", "sqlite_sequence"):
            database.execute(f"DELETE FROM {table}")  # noqa: S608 - one of these names
    database.execute("COMMIT")


def _add(database: sqlite3.Connection, states: States) -> bool:
    """Add sources that the index lacks, for a while, and return whether it has all now.

    At least one is added, and one that another server has just added is added again.
    """
    end_s = time.monotonic() + _UPDATE_S
    commit_s = 0.0
    for state in states.walk():
        newest = (state.name, state.finished_at)
        if not state.records or database.execute(_IS_NEWEST, newest).fetchall():
            continue
        now_s = time.monotonic()
        if database.in_transaction and now_s >= commit_s:
            database.execute("COMMIT")
            if now_s >= end_s:
                return False
        if not database.in_transaction:
            database.execute("BEGIN IMMEDIATE")
            commit_s = now_s + _COMMIT_S
        _remove(database, state.name)
        _insert(database, state)
    if database.in_transaction:
        database.execute("COMMIT")
    return True


def _remove(database: sqlite3.Connection, name: str) -> None:
    found = "SELECT id FROM source WHERE name = ?"
    for (source,) in database.execute(found, (name,)).fetchall():
        database.execute("DELETE FROM passage WHERE source = ?", (source,))
        database.execute("DELETE FROM source WHERE id = ?", (source,))


def _insert(database: sqlite3.Connection, state: SourceState) -> None:
    values: tuple[Any, ...] = (state.name, state.finished_at)
    into_source = "INSERT INTO source (name, finished_at) VALUES (?, ?)"
    source = database.execute(into_source, values).lastrowid
    into_passage = "INSERT INTO passage (source, at, length, part) VALUES (?, ?, ?, ?)"
    for place, record in records_of(state):
        for part, passage in enumerate(passages(record)):
            values = (source, place.at, place.length, part)
            row = database.execute(into_passage, values).lastrowid
            values = (row, separated(passage.text))
            database.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", values)


@contextmanager
def _rolled_back(database: sqlite3.Connection) -> Generator[None, None, None]:
    """Leave no transaction open after an error."""
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            database.rollback()
        raise


@contextmanager
def _told() -> Generator[None, None, None]:
    """Turn an error that is not damage, such as a full disk, into what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputError(
            f"the index of search cannot be used: {error}. Free some space there, or try again if "
            "another server is building it."
        ) from error
