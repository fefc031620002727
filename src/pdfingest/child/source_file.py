"""The source of a job as a file: its hash, and whether it changes. Runs in the child."""

import hashlib
import os
import stat
from collections.abc import Callable

_HEADER_BYTES = 1024
"""A PDF has its header within the first KiB (ISO 32000-1, annex H, implementation note 13)."""
_CHUNK_BYTES = 1 << 20


class SourceFile:
    """A file that is hashed once, and compared with what it was then.

    Create it before the baseline of the peak is taken: the library that hashes alone is a MiB.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._identity: tuple[int, ...] = ()
        self.sha256 = ""
        self.size_bytes = 0
        self.has_header = False

    @property
    def was_read(self) -> bool:
        """Whether the file could be read to its end."""
        return bool(self._identity)

    def has_changed(self) -> bool:
        """Whether the file was written to or replaced since it was read.

        Raises:
            OSError: it is gone.
        """
        return self.was_read and _identity(os.stat(self._path)) != self._identity

    def read(self, note: Callable[[int], None]) -> None:
        """Hash the file. That also brings it into the page cache, for the engine.

        Args:
            note: called with the number of bytes hashed so far, before each further chunk.

        Raises:
            OSError: it cannot be read or is not a regular file.
        """
        # O_NONBLOCK: a named pipe that took the file's place must not hang the child.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with open(os.open(self._path, flags), "rb", buffering=0) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError("it is not a regular file")
            self.size_bytes = found.st_size
            # One buffer, no larger than the file: a fresh megabyte for each read is two mappings.
            size_bytes = max(min(found.st_size, _CHUNK_BYTES), _HEADER_BYTES)
            buffer = memoryview(bytearray(size_bytes))
            hashed_bytes = length = file.readinto(buffer)
            self.has_header = b"%PDF-" in bytes(buffer[: min(length, _HEADER_BYTES)])
            while length:
                self._digest.update(buffer[:length])
                if hashed_bytes < found.st_size:
                    note(hashed_bytes)
                length = file.readinto(buffer)
                hashed_bytes += length
            self.sha256 = self._digest.hexdigest()
        self._identity = _identity(found)


def _identity(found: os.stat_result) -> tuple[int, ...]:
    """Return what differs once a file has been written to or replaced."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
