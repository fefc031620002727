"""Shards: the files of an export, each of which ends once it has its size."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeAlias, TypeVar

from pdfingest.export.destination import shard_name

Piece = TypeVar("Piece")
Opened: TypeAlias = Callable[[BinaryIO], AbstractContextManager[Callable[[Piece], Any]]]
"""Begins a format in a file, gives what writes a piece, and ends the format."""


@dataclass(slots=True)
class Shards:
    """The files that an export has written into a directory, which is empty at first."""

    folder: str
    name: str
    """What the names of the files begin with."""
    ending: str
    most_bytes: int
    """Size at which a file gets no more pieces."""
    files: int = 0
    size_bytes: int = 0
    """Size of all files that are finished."""
    records: int = 0

    def write(self, pieces: Iterator[tuple[Piece, int]], opened: Opened[Piece]) -> None:
        """Write all pieces in their order; no file is without one.

        Args:
            pieces: what is written as a whole, a line or a row group, and how many records it has.
            opened: the format of the files.

        Raises:
            OSError: a file cannot be written.
        """
        following = next(pieces, None)
        while following is not None:
            with self._file() as file, opened(file) as write:
                while following is not None and file.tell() < self.most_bytes:
                    piece, records = following
                    write(piece)
                    self.records += records
                    following = next(pieces, None)

    @contextmanager
    def _file(self) -> Generator[BinaryIO, None, None]:
        """Open the next file, and bring it to the disk when the block ends."""
        path = os.path.join(self.folder, shard_name(self.name, self.files, self.ending))
        with open(path, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            self.size_bytes += file.tell()
        self.files += 1
