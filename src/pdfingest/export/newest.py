"""The records of earlier runs in their newest state, in order of their sources.

What a later run replaced stays in the record files until `compact`; which bytes count is known to
the ledger, or to those of shards. They are read as snapshots, so a run may hold the directory
meanwhile: its records count up to its last commit. No record is held beside the one that is read.
"""

import json
import os
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from pdfingest.errors import LedgerError, NoInputError, OptionError, RecordsError
from pdfingest.export.index import Extent, indexed, not_a_record
from pdfingest.export.typed import Record
from pdfingest.model import Unit
from pdfingest.output.layout import RECORDS
from pdfingest.output.states import States, folders_of

_TEXTS = ("id", "text", "source")
"""Keys that no record lacks, whatever version wrote it, beside `metadata`."""
_TRIES = 20
_PAUSE_S = 0.1


class Line(NamedTuple):
    """One line of a record file, and what is known of it beside its content."""

    path: str
    """Path of its file."""
    content: bytes
    """The line with its end."""
    at: int
    """Where it begins in its file, in bytes."""
    added_s: float
    """When its source was ingested, in seconds since the epoch."""


class Lines(NamedTuple):
    """Lines of one source, or of a part of it, that follow each other."""

    file: BinaryIO
    extent: Extent
    added_s: float
    """When the source was ingested, in seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Records:
    """Records in their newest state, by source in the order of bytes, then by page and chunk.

    They can be iterated once.
    """

    file_name: str
    """Name of the file with the records, such as `pages.jsonl`."""
    lines: Iterable[Lines]

    @property
    def name(self) -> str:
        """What the records are, such as `pages`: the name of their file without its ending."""
        return self.file_name.partition(".")[0]

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines.

        Raises:
            RecordsError: a file does not hold what its ledger says, or cannot be read.
        """
        for file, extent, added_s in self.lines:
            with _read_errors(file.name):
                file.seek(extent.at)
            at, end = extent.at, extent.at + extent.length
            while at < end:
                with _read_errors(file.name):
                    content = file.readline()
                if not content.endswith(b"\n") or at + len(content) > end:
                    raise RecordsError(
                        f"{file.name} does not hold what its ledger says. Bring it back, or "
                        "ingest again with --force."
                    )
                yield Line(file.name, content, at, added_s)
                at += len(content)

    def decoded(self) -> Iterator[tuple[Record, float]]:
        """Yield each record, and when its source was ingested.

        Raises:
            RecordsError: a line is not a record, or as above.
        """
        for line in self:
            yield self.record_of(line), line.added_s

    def record_of(self, line: Line) -> Record:
        """Decode a line.

        Raises:
            RecordsError: it is not a record.
        """
        try:
            return _record(line.content)
        except (ValueError, LookupError, TypeError) as error:
            raise not_a_record(line.path, line.at, error) from error


def _record(line: bytes) -> Record:
    """Decode a record; raise a ValueError, LookupError or TypeError if the line is not one."""
    decoded: Any = json.loads(line)
    if not isinstance(decoded["metadata"], dict):
        raise TypeError("metadata is not an object")
    for key in _TEXTS:
        if not isinstance(decoded[key], str):
            raise TypeError(f"{key} is not a text")
    record: Record = decoded
    return record


@contextmanager
def newest(path: str, unit: Unit | None = None) -> Generator[Records, None, None]:
    """Open the records of an output directory, or of a file with records, in their newest state.

    Args:
        path: the directory or the file.
        unit: which records to take of a directory that has several kinds.

    Raises:
        NoInputError: there are none.
        OptionError: there are several kinds, and `unit` names none.
        RecordsError: a file cannot be read.
        LedgerError: the ledger cannot be read.
        OutputError: the directory for temporary files has no room.
    """
    folder, name = os.path.split(path)
    if not os.path.isdir(path) and name in RECORDS.values() and folders_of(folder or "."):
        path, unit = folder or ".", _unit_of(name)
    if not os.path.isdir(path):
        opened = _of_file(path)
    elif folders_of(path):
        opened = _of_ledgers(path, unit)
    else:
        there = [name for name in RECORDS.values() if os.path.exists(os.path.join(path, name))]
        opened = _of_file(os.path.join(path, _chosen(path, there, unit)))
    with opened as records:
        yield records


@contextmanager
def _of_file(path: str) -> Generator[Records, None, None]:
    """Open a file of records that no ledger tells of."""
    if not os.path.exists(path):
        raise NoInputError(f"there is no {path}. Name what --output named, or a file of records.")
    with ExitStack() as stack:
        with _read_errors(path):
            file = stack.enter_context(open(path, "rb"))
            added_s = os.fstat(file.fileno()).st_mtime
            extents = stack.enter_context(indexed(file))
        lines = (Lines(file, extent, added_s) for extent in extents)
        yield Records(os.path.basename(path), lines)


@contextmanager
def _of_ledgers(output: str, unit: Unit | None) -> Generator[Records, None, None]:
    """Open the records of which the ledger of an output directory tells, or those of its parts."""
    for _ in range(_TRIES):
        # First the files, then the ledgers: if a compaction replaces them in between, they are not
        # the files of these names any more, and all is opened again.
        with ExitStack() as stack:
            files = stack.enter_context(_opened(folders_of(output)))
            states = stack.enter_context(States(output))
            states.refresh()
            if not states.is_compacting() and all(map(_has_its_name, files.values())):
                name = _chosen(output, states.record_files(), unit)
                yield Records(name, _lines(states, files, name))
                return
        time.sleep(_PAUSE_S)
    raise LedgerError(
        f"a compaction of {output} did not come to its end. Run: pdfingest compact {output}"
    )


@contextmanager
def _opened(folders: Sequence[str]) -> Generator[dict[str, BinaryIO], None, None]:
    """Open the record files of directories that are there, by their paths."""
    with ExitStack() as stack:
        files: dict[str, BinaryIO] = {}
        for folder in folders:
            for name in RECORDS.values():
                path = os.path.join(folder, name)
                if os.path.exists(path):
                    with _read_errors(path):
                        files[path] = stack.enter_context(open(path, "rb"))
        yield files


def _has_its_name(file: BinaryIO) -> bool:
    """Return whether the file is still the one that its path leads to."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(file.name))
    except FileNotFoundError:
        return False


def _lines(states: States, files: Mapping[str, BinaryIO], name: str) -> Iterator[Lines]:
    """Yield where the newest records of each source are, of those in files of one name."""
    for state in states.walk():
        if state.records != name:
            continue
        path = os.path.join(state.folder, name)
        if path not in files:
            raise RecordsError(
                f"{state.folder} lacks {name}, of which its ledger tells. Bring it back, or ingest "
                "again with --force."
            )
        extent = Extent(state.records_at, state.records_bytes)
        yield Lines(files[path], extent, state.finished_at)


def _chosen(output: str, there: list[str], unit: Unit | None) -> str:
    """Return the name of the record file to take, of those that have records."""
    wanted = [name for name in there if unit is None or name == RECORDS[unit]]
    if len(wanted) == 1:
        return wanted[0]
    if wanted:
        raise OptionError(["unit"], f"{output} has records in {' and '.join(wanted)}: choose one.")
    kind = f"records of the unit {unit}" if there and unit else "records"
    raise NoInputError(f"{output} holds no {kind}. Name what --output of a run named.")


def _unit_of(name: str) -> Unit:
    return next(Unit(unit) for unit, each in RECORDS.items() if each == name)


@contextmanager
def _read_errors(path: str) -> Generator[None, None, None]:
    """Turn an OSError of reading into an error that says what to do."""
    try:
        yield
    except OSError as error:
        raise RecordsError(
            f"cannot read {path}: {error.strerror or error}. Check its permissions and its disk."
        ) from error
