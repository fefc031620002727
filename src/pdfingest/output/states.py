"""Newest states of the sources of an output directory, to be looked up while runs write it.

Owns which lines of the outputs count: those to which a ledger points. Works on copies of the
ledgers, which it makes anew when they have changed. Where shards wrote the directory, a source may
be in several parts, and the state that is the newest counts, as in `compact`.
"""

import heapq
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Self, TypeAlias

from pdfingest.errors import NoInputError
from pdfingest.output.layout import ledger_of, parts_of
from pdfingest.output.ledger import Ledger
from pdfingest.output.snapshot import snapshot

_Marks: TypeAlias = tuple[tuple[int, int], ...]
_COLUMNS = (
    "name, status, failure, pages, total_pages, peak_rss_bytes, finished_at, duplicate_of, "
    "records, records_at, records_bytes, report_at, report_bytes"
)
_ONE = f"SELECT {_COLUMNS} FROM source WHERE name = ?"  # noqa: S608 - made of the names above
_EACH = f"SELECT {_COLUMNS} FROM source WHERE name > ? ORDER BY name LIMIT ?"  # noqa: S608 - as above
_FILES = "SELECT DISTINCT records FROM source WHERE records <> ''"
_newest = attrgetter("finished_at")


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source ended, and where its records and its report line are, in bytes."""

    folder: str
    """Directory of the outputs."""
    name: str
    status: str
    failure: str
    pages: int
    total_pages: int
    peak_bytes: int
    finished_at: float
    """When it was read, in seconds since the epoch; its records are others if this is another."""
    duplicate_of: str
    records: str
    """Name of the file with the records; empty if there are none."""
    records_at: int
    records_bytes: int
    report_at: int
    report_bytes: int


class States:
    """The sources of an output directory, for one thread at a time; to be used in a `with`.

    Args:
        output: output directory of runs, or the directory above the parts of shards.
    """

    def __init__(self, output: str) -> None:
        self.output = output
        self._stack = ExitStack()
        self._ledgers: list[tuple[str, Ledger]] = []
        self.marks: _Marks = ()
        """What is different once a run has changed a state; empty before the first `refresh`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def refresh(self) -> None:
        """Take in what runs have committed since the last time.

        Raises:
            NoInputError: no run wrote there.
            LedgerError: a ledger cannot be read.
        """
        folders = folders_of(self.output)
        if not folders:
            raise NoInputError(f"{self.output} holds no output of a run.")
        marks = tuple(mark for each in folders for mark in _marks(each))
        if marks == self.marks:
            return
        self._stack.close()
        self.marks = ()  # in case of an error
        self._ledgers = [(each, self._stack.enter_context(snapshot(each))) for each in folders]
        self.marks = marks

    def is_compacting(self) -> bool:
        """Return whether a compaction has not come to its end: names may be of old files."""
        return any(ledger.renaming() for _, ledger in self._ledgers)

    def record_files(self) -> list[str]:
        """Return the names of the outputs that hold records of any source, in order."""
        found = {row for _, ledger in self._ledgers for row in ledger.database.execute(_FILES)}
        return sorted(name for (name,) in found)

    def get(self, name: str) -> SourceState | None:
        """Return the newest state of a source; None if there is no such source."""
        found = [
            SourceState(folder, *row)
            for folder, ledger in self._ledgers
            for row in ledger.database.execute(_ONE, (name,))
        ]
        return max(found, key=_newest, default=None)

    def walk(self, after: str = "") -> Iterator[SourceState]:
        """Yield the newest state of each source whose name comes after another, in order."""
        each = [
            map(partial(_state, folder), ledger.database.walk(_EACH, after))
            for folder, ledger in self._ledgers
        ]
        by_name = attrgetter("name")
        for _, states in groupby(heapq.merge(*each, key=by_name), by_name):
            yield max(states, key=_newest)


def folders_of(output: str) -> list[str]:
    """Return the directories of an output directory that have a ledger: itself, or its parts.

    Raises:
        OutputError: it cannot be listed.
    """
    if os.path.exists(ledger_of(output)):
        return [output]
    return parts_of(output) if os.path.isdir(output) else []


def _state(folder: str, row: tuple[Any, ...]) -> SourceState:
    return SourceState(folder, *row)


def _marks(folder: str) -> Iterator[tuple[int, int]]:
    """Yield size and time of a ledger and of its write-ahead log, which a commit changes."""
    for path in (ledger_of(folder), f"{ledger_of(folder)}-wal"):
        try:
            found = os.stat(path)
        except FileNotFoundError:
            yield 0, 0
        else:
            yield found.st_size, found.st_mtime_ns
