"""An export: the newest records of an output directory, written in the shape of another tool."""

import gzip
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from pdfingest.errors import NoInputError, OptionError
from pdfingest.exchange.record import encode
from pdfingest.export.destination import check, replaced
from pdfingest.export.libraries import library
from pdfingest.export.newest import Records, newest
from pdfingest.export.parquet import write_parquet
from pdfingest.export.shapes import SHAPES, Shape
from pdfingest.export.shards import Shards
from pdfingest.export.target import SHARD_BYTES, Target
from pdfingest.model import Unit


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote."""

    path: str
    records: int
    files: int
    size_bytes: int


def export(
    directory: str,
    target: Target,
    path: str = "",
    unit: Unit | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> Exported:
    """Write the newest records of an output directory in the shape of another tool.

    Args:
        directory: output directory of earlier runs, or a file of records. A run may hold it: its
            records count up to its last commit.
        target: the tool.
        path: directory to write; an export that is there is replaced as a whole. By default the
            name of the tool, in the output directory.
        unit: which records, of a directory that has several kinds.
        shard_bytes: size at which a file is full.

    Raises:
        NoInputError: there are no records.
        OptionError: several kinds of records and no `unit`, something else at `path`, or no
            `path` for what is a file.
        OutputBusyError: another export writes to `path`.
        OutputError: `path` cannot be written.
        RecordsError: the records cannot be read.
        LedgerError: the ledger cannot be read.
        EngineUnavailableError: the extra `parquet` is not installed.
    """
    if not path and os.path.isfile(directory):
        raise OptionError(["output"], f"must be named, as {directory} is a file.")
    path = path or os.path.join(directory, target)
    if target is Target.PARQUET:
        library("pyarrow.parquet")  # what is missing is told before the work begins
    check(path)
    with newest(directory, unit) as records, replaced(path) as folder:
        shards = Shards(folder, records.name, _ENDINGS.get(target, ".jsonl"), shard_bytes)
        if target is Target.PARQUET:
            write_parquet(records, shards)
        else:
            opened = _gzipped if target is Target.DOLMA else _plain
            shards.write(_lines(records, SHAPES[target]), opened)
        if not shards.records:
            is_folder = os.path.isdir(directory)
            place = os.path.join(directory, records.file_name) if is_folder else directory
            raise NoInputError(f"{place} holds no records.")
    return Exported(path, shards.records, shards.files, shards.size_bytes)


def _lines(records: Records, shape: Shape) -> Iterator[tuple[bytes, int]]:
    for record, added_s in records.decoded():
        yield encode(shape(record, added_s)), 1


@contextmanager
def _plain(file: BinaryIO) -> Generator[Callable[[bytes], int], None, None]:
    """Write lines as they are."""
    yield file.write


@contextmanager
def _gzipped(file: BinaryIO) -> Generator[Callable[[bytes], int], None, None]:
    """Write lines that are compressed, without the time, so that a rerun gives the same bytes."""
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as compressed:
        yield compressed.write


_ENDINGS = {Target.PARQUET: ".parquet", Target.DOLMA: ".jsonl.gz"}
