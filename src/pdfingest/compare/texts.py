"""The records of several runs over the same files, page by page, without holding them in memory."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import BinaryIO, NamedTuple

from pdfingest.output.layout import output_errors

_CACHE_KIB = 16 << 10
_PLACES = """
CREATE TABLE place (source TEXT, page INTEGER, run INTEGER, at INTEGER,
PRIMARY KEY (source, page, run)) WITHOUT ROWID
"""


class Row(NamedTuple):
    """A page, or a document, as far as runs have it."""

    source: str
    number: int
    """1-based; 0 for a document."""
    places: dict[int, int]
    """Where its record begins, by the index of the run."""


class Texts:
    """Texts of the pages of several runs, which hold files until they are closed.

    Args:
        paths: of the record files, one of each run.

    Raises:
        OutputError: the directory for temporary files has no room, or a file cannot be read.
    """

    def __init__(self, paths: Sequence[str]) -> None:
        self._files: list[BinaryIO] = []
        # A database without a name is private, and spills to the directory for temporary files.
        self._database = sqlite3.connect("", isolation_level=None)
        try:
            self._database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._database.execute(_PLACES)
            for run, path in enumerate(paths):
                with output_errors(path):
                    self._files.append(open(path, "rb"))  # noqa: SIM115 - closed with this
                    self._note(run)
        except BaseException:
            self.close()
            raise

    def _note(self, run: int) -> None:
        """Note where the records of a run are; a later one of the same page counts."""
        self._database.execute("BEGIN")
        self._database.executemany(
            "INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)", self._rows(run)
        )
        self._database.execute("COMMIT")

    def _rows(self, run: int) -> Iterator[tuple[str, int, int, int]]:
        at = 0
        for line in self._files[run]:
            record = json.loads(line)
            yield record["source"], record["metadata"]["page"], run, at
            at += len(line)

    def __iter__(self) -> Iterator[Row]:
        """Yield the pages of all runs, by source and number."""
        rows = self._database.execute(
            "SELECT source, page, run, at FROM place ORDER BY source, page, run"
        )
        for (source, number), found in groupby(rows, itemgetter(0, 1)):
            yield Row(source, number, {run: at for _, _, run, at in found})

    def read(self, row: Row) -> dict[int, str]:
        """Return the texts of a page, or of a document, by the index of the run."""
        return {run: self._text(run, at) for run, at in row.places.items()}

    def _text(self, run: int, at: int) -> str:
        file = self._files[run]
        file.seek(at)
        record = json.loads(file.readline())
        # Heads and page numbers, which one engine tells apart and another does not.
        return "\n\n".join(filter(None, (record["text"], record["furniture"])))

    def close(self) -> None:
        """Close the files, and delete what is known of them."""
        self._database.close()
        for file in self._files:
            file.close()
