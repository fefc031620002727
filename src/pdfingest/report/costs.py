"""What each source of a report cost, however many sources there are.

A report has a line for each source of each run, so which line is a source's newest is known only at
the end of the report. Until then the sources are kept in a private SQLite database, which spills to
the disk when it is large: as Python objects, a million sources take half a GB.
"""

import json
import os
import sqlite3
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from operator import attrgetter
from typing import Any, Self, TypeVar

from pdfingest.errors import OutputError

T = TypeVar("T")

_CACHE_KIB = 16_384
"""Cache for the index of a million sources; twice as much makes nothing faster."""


@dataclass(frozen=True, slots=True)
class FileCost:
    """How one source ended and what it cost, according to its newest report line."""

    source: str
    status: str
    failure: str
    message: str
    size_bytes: int
    pages: int
    """Number of records that were written."""
    pages_failed: int
    peak_bytes: int
    """0 if no process was started for the source."""
    baseline_bytes: int
    wall_s: float
    cpu_s: float
    total_pages: int = 0
    """Number of pages of the document; 0 if it is not known."""
    limited_bytes: int = 0
    """What of the peak counts for the memory limit: what is beyond an image of models, or all."""
    stack: str = ""
    """Where the process was when it was killed or crashed, a line for each frame."""
    failed_pages: tuple[int, ...] = ()
    """Numbers of the lost pages, 1-based, in order."""

    @property
    def own_bytes(self) -> int:
        """Bytes of the peak beyond what the process had before it opened the file."""
        return max(self.peak_bytes - self.baseline_bytes, 0)

    @property
    def document_pages(self) -> int:
        """Number of pages of the document, as far as it is known."""
        return self.total_pages or self.pages + self.pages_failed

    @property
    def lost_pages(self) -> str:
        """Numbers of the lost pages as people write them: `3, 7-9`."""
        ranges: list[tuple[int, int]] = []
        for number in self.failed_pages:
            first, last = ranges.pop() if ranges else (number, number - 1)
            if number == last + 1:
                ranges.append((first, number))
            else:
                ranges += [(first, last), (number, number)]
        return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)

    @property
    def loss(self) -> str:
        """Message of the source, with the numbers of the lost pages if other pages were kept."""
        if self.status != "partial":
            return self.message
        noun = "page" if self.pages_failed == 1 else "pages"
        return f"{noun} {self.lost_pages} of {self.document_pages:,} lost: {self.message}"

    @classmethod
    def of_line(cls, line: dict[str, Any]) -> Self:
        """Make the costs of a decoded report line.

        Raises:
            KeyError: a key that every version of the report has is missing.
        """
        return cls(
            source=line["source"],
            status=line["status"],
            failure=line["failure"],
            message=line["message"],
            size_bytes=line["bytes"],
            pages=line["pages"],
            pages_failed=line["pages_failed"],
            peak_bytes=line["peak_rss_bytes"],
            baseline_bytes=line["baseline_rss_bytes"],
            wall_s=line["wall_s"],
            cpu_s=line["cpu_s"],
            # Lines of earlier versions lack these three.
            limited_bytes=line.get("private_peak_bytes", 0) or line["peak_rss_bytes"],
            total_pages=line.get("total_pages", 0),
            stack=line.get("stack", ""),
            failed_pages=tuple(line["failed_pages"]),
        )


_NAMES = [field.name for field in fields(FileCost)]
_COLUMNS = ", ".join(_NAMES)
_VALUES = attrgetter(*_NAMES[:-1])
_MAKE: Callable[..., FileCost] = FileCost
_NONE = "[]"
"""List of lost pages of most sources, which is not decoded, to save time."""
# `unchanged` says that the state of an earlier run still holds. That may be a failure, and the cost
# is that of the run that read the file, so such a line never replaces another.
_KEEP_NEWEST = f"""
INSERT INTO cost VALUES (?, {", ".join("?" for _ in _NAMES)})
ON CONFLICT DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES)}
WHERE excluded.status <> 'unchanged'
"""
LOST = ("failed", "partial")
"""Statuses of sources that lost some or all of their pages."""
_LOST = f"status IN {LOST}"


class Costs:
    """Costs of all sources of a report, in the order in which the report first names them.

    To be used in a `with` statement, which closes the database.

    Args:
        lines: costs in the order of the report; a later line of a source replaces an earlier one.

    Raises:
        OutputError: the directory for temporary files has no room for the database.
        sqlite3.ProgrammingError: a line has a value of a wrong type.
    """

    def __init__(self, lines: Iterable[FileCost] = ()) -> None:
        # A database without a name is private. It is in memory up to the size of its cache, and in
        # the directory for temporary files beyond it (sqlite.org/inmemorydb.html, "temp_db").
        self._database = sqlite3.connect("", isolation_level=None)
        try:
            with _told():
                self._fill(lines)
        except BaseException:
            self._database.close()
            raise

    def _fill(self, lines: Iterable[FileCost]) -> None:
        execute = self._database.execute
        execute("PRAGMA journal_mode = OFF")  # nothing here outlives a failure
        execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        execute(f"CREATE TABLE cost (key INTEGER UNIQUE, {_COLUMNS})")
        execute("BEGIN")
        self._database.executemany(_KEEP_NEWEST, _rows_of(lines))
        execute("COMMIT")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database, which deletes it."""
        self._database.close()

    def __len__(self) -> int:
        return int(next(self._rows("SELECT count(*) FROM cost"))[0])

    def __iter__(self) -> Iterator[FileCost]:
        return self._costs("ORDER BY rowid")

    def _rows(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        with _told():
            # `yield from` would close the cursor of a generator that is not read to its end, and
            # that may happen after the database is closed.
            for row in self._database.execute(sql, values):  # noqa: UP028 - its cursor
                yield row

    def _costs(self, sql: str, *values: object) -> Iterator[FileCost]:
        """Yield sources; the end of the query says which ones, and in which order."""
        return map(_cost_of, self._rows(f"SELECT {_COLUMNS} FROM cost {sql}", *values))

    @cached_property
    def peaks(self) -> "array[int]":
        """Peaks in bytes, ascending, of all sources for which a process was started."""
        return array("q", self._ascending("peak_bytes"))

    @cached_property
    def limited(self) -> "array[int]":
        """What of the peaks counts for the memory limit, in bytes, ascending."""
        return array("q", self._ascending("limited_bytes"))

    @cached_property
    def times(self) -> "array[float]":
        """Wall times in seconds, ascending, of all sources for which a process was started."""
        return array("d", self._ascending("wall_s"))

    def _ascending(self, name: str) -> Iterator[Any]:
        """Return the values above 0 of a column, ascending."""
        sql = f"SELECT {name} FROM cost WHERE {name} > 0 ORDER BY {name}"
        return (value for (value,) in self._rows(sql))

    def pages(self) -> tuple[int, int]:
        """Return the number of pages that were written, and of those that were lost."""
        rows = self._rows("SELECT total(pages), total(pages_failed) FROM cost")
        written, lost = next(rows)
        return int(written), int(lost)

    @cached_property
    def statuses(self) -> dict[str, int]:
        """Number of sources by status, the most frequent first."""
        return self._counts("status")

    @cached_property
    def failures(self) -> dict[str, int]:
        """Number of sources that lost pages by kind of failure, the most frequent first."""
        return self._counts("failure")

    def _counts(self, name: str) -> dict[str, int]:
        """Count the sources by the value of a column, without the empty value."""
        sql = f"SELECT {name}, count(*) FROM cost WHERE {name} <> '' GROUP BY 1 ORDER BY 2 DESC, 1"
        return dict(self._rows(sql))

    @property
    def lost(self) -> int:
        """Number of sources that lost pages, or all of them."""
        return sum(self.statuses.get(status, 0) for status in LOST)

    def top(self, number: int) -> list[FileCost]:
        """Return the sources with the highest peaks, the highest first."""
        return list(self._costs("WHERE peak_bytes > 0 ORDER BY peak_bytes DESC LIMIT ?", number))

    def losses(self, most: int = -1) -> Iterator[FileCost]:
        """Yield sources that lost pages, those that lost all first; -1 is no limit."""
        return self._costs(f"WHERE {_LOST} ORDER BY status, rowid LIMIT ?", most)

    def sample(self, most: int) -> list[FileCost]:
        """Return all sources, or `most` of them: losses first, then the highest peaks, then others.

        The others are a quarter of the sample, evenly spread over what is left, to show what is
        usual. Losses may take the place of any other source.
        """
        ranked = self._costs(f"ORDER BY {_LOST} DESC, peak_bytes DESC, rowid")
        return list(thinned(ranked, len(self), max(self.lost, most * 3 // 4), most))


def _rows_of(costs: Iterable[FileCost]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the database, each with a key for its source.

    The key is a hash, because an index of names would not fit into the cache: a million lines would
    take half as long again. The hash has a secret key, so that nobody can choose two names with the
    same hash; by chance two of a million sources share one in 3 of 100 million reports.
    """
    secret = os.urandom(16)
    for cost in costs:
        digest = blake2b(cost.source.encode(), digest_size=8, key=secret).digest()
        lost = json.dumps(cost.failed_pages) if cost.failed_pages else _NONE
        yield int.from_bytes(digest, signed=True), *_VALUES(cost), lost


def _cost_of(row: tuple[Any, ...]) -> FileCost:
    """Return the costs in a row of the database, whose last column is the list of lost pages."""
    return _MAKE(*row[:-1], () if row[-1] == _NONE else tuple(json.loads(row[-1])))


def thinned(values: Iterable[T], number: int, first: int, most: int) -> Iterator[T]:
    """Yield the first values and, evenly spread over the rest, as many as make `most` together.

    Args:
        values: values to choose from.
        number: how many values there are.
        first: number of values at the beginning that are all kept, up to `most`.
        most: number of values to yield, if there are as many.
    """
    rest = iter(values)
    yield from islice(rest, min(first, most))
    if (room := most - first) > 0:
        left = max(number - first, room)
        for index, value in enumerate(rest):
            if (index + 1) * room // left > index * room // left:
                yield value


@contextmanager
def _told() -> Generator[None, None, None]:
    """Turn an error of SQLite, which is one of the temporary directory, into what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputError(
            f"the report does not fit into the directory for temporary files: {error}. Free some "
            "space there, or name another directory in TMPDIR."
        ) from error
