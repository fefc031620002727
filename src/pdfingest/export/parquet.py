"""Records as Parquet: files of row groups that are bounded in bytes, compressed with zstd."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO

from pdfingest.export.arrow import ArrowTable, tables
from pdfingest.export.libraries import library
from pdfingest.export.newest import Records
from pdfingest.export.shards import Shards

_ROW_GROUP_BYTES = 16 << 20
"""Bytes of the lines of a row group, which the writer holds twice, as lines and as columns."""


def write_parquet(records: Records, shards: Shards) -> None:
    """Write records to Parquet files; none if there are no records.

    Raises:
        RecordsError: a line is not a record.
        EngineUnavailableError: the extra `parquet` is not installed.
        OSError: a file cannot be written.
    """
    parquet = library("pyarrow.parquet")
    groups = tables(records, min(_ROW_GROUP_BYTES, shards.most_bytes))
    first = next(groups, None)
    if first is None:
        return

    @contextmanager
    def opened(file: BinaryIO) -> Generator[Callable[[ArrowTable], Any], None, None]:
        with parquet.ParquetWriter(file, first.schema, compression="zstd") as writer:
            yield lambda table: writer.write_table(table, row_group_size=len(table))

    shards.write(((group, len(group)) for group in chain([first], groups)), opened)
