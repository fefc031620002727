"""A store in a directory, on a disk of this machine or on one that all parts of the service see.

Owns how files get in and out, and when a directory is a store. Does not own the
names in it (`contents`).
"""

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

from pdfingest.errors import OutputError, StoreError
from pdfingest.service.contents import (
    FOLDERS,
    MARK,
    QUEUE,
    READING,
    SCRATCH,
    UPLOADS,
    check_place,
    is_key,
    is_own,
    mark,
    ticket_of,
)

_CHUNK_BYTES = 1 << 20
_PROBE_BYTES = 4096
_OTHERS = frozenset({"lost+found", ".snapshot", QUEUE})
"""Names that a file system has in its root by itself, and the queue, which may be there first."""


class DirectoryStore:
    """Files in a directory; see `Store` for what the methods promise.

    Args:
        folder: the directory, which is made if it is not there.

    Raises:
        UsageError: the directory holds something else, or a newer version made the store.
        OutputError: the directory cannot be made or looked at.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.abspath(folder)
        self.scratch = os.path.join(self._folder, SCRATCH)
        try:
            os.makedirs(self._folder, exist_ok=True)
            marked = self._is_marked()
            for name in FOLDERS:
                os.makedirs(os.path.join(self._folder, name), mode=0o700, exist_ok=True)
            if not marked:
                self._mark()
        except OSError as error:
            raise OutputError(f"cannot make the store {folder}: {error.strerror}.") from error

    def put(self, key: str, path: str) -> None:
        """Move a file in, once its content is on the disk."""
        try:
            with open(path, "rb") as file:  # else a power cut may leave the name and no content
                os.fsync(file.fileno())
            os.replace(path, self._path(key))
        except OSError as error:
            raise StoreError(f"cannot store {key}: {error.strerror}.") from error

    def fetch(self, key: str, path: str) -> str:
        """Return the path of the file in the store; nothing is copied."""
        found = self._path(key)
        os.stat(found)
        return found

    def read(self, key: str) -> Iterator[bytes]:
        """Read a file piece by piece."""
        file = open(self._path(key), "rb")  # noqa: SIM115 - closed once it is read

        def pieces() -> Iterator[bytes]:
            with file:
                while piece := file.read(_CHUNK_BYTES):
                    yield piece

        return pieces()

    def delete(self, key: str) -> None:
        """Delete a file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(key))

    def expire(self, age_s: float, is_open: Callable[[str], bool]) -> int:
        """Delete files that are old, and what a killed worker left in `scratch`."""
        try:
            before = self._now() - age_s
            return sum(self._expire(name, before, is_open) for name in FOLDERS)
        except OSError as error:
            raise StoreError(
                f"cannot look through the store {self._folder}: {error.strerror}."
            ) from error

    def check(self) -> None:
        """Check that a file can be written: on a full disk it can be created all the same."""
        try:
            with tempfile.TemporaryFile(dir=self.scratch) as file:
                file.write(bytes(_PROBE_BYTES))
        except OSError as error:
            raise StoreError(f"cannot write into the store {self._folder}: {error}.") from error

    def close(self) -> None:
        """Do nothing: all is in the store."""

    def _expire(self, folder: str, before: float, is_open: Callable[[str], bool]) -> int:
        """Delete what was last changed before a time in one folder; returns how many."""
        deleted = 0
        path = os.path.join(self._folder, folder)
        _check_folder(path)
        with os.scandir(path) as entries:
            for entry in entries:
                # Another part may delete it as well, or put it where it belongs.
                with suppress(FileNotFoundError):
                    if not _is_ours(folder, entry) or _changed(entry) >= before:
                        continue
                    if folder == UPLOADS and is_open(ticket_of(entry.name)):
                        continue
                    _delete(entry)
                    deleted += 1
        return deleted

    def _now(self) -> float:
        """Return the time of whoever stamps the files: on a network drive, not this machine."""
        with tempfile.TemporaryFile(dir=self.scratch) as file:
            return os.fstat(file.fileno()).st_mtime

    def _is_marked(self) -> bool:
        """Tell whether the directory has its mark; raises if it is neither empty nor a store."""
        for name in FOLDERS:
            with suppress(FileNotFoundError):
                _check_folder(os.path.join(self._folder, name))
        # Another part may be making the store at this moment. It writes the mark before it puts the
        # first file in, so whoever has seen a file and then looks for the mark finds it.
        found = self._foreign()
        content = self._read_mark()
        check_place(content, found, self._folder)
        return content is not None

    def _read_mark(self) -> bytes | None:
        try:
            with open(os.path.join(self._folder, MARK), "rb") as file:
                return file.read(_CHUNK_BYTES)
        except FileNotFoundError:
            return None

    def _foreign(self) -> str:
        """Name something that shows that this is not a store; empty if nothing does.

        Earlier versions made exactly the three folders. A store that another part is making at this
        moment has some of them, and nothing in them yet.
        """
        names = set(os.listdir(self._folder)) - _OTHERS
        if others := names - {*FOLDERS, MARK}:
            return repr(min(others))
        if names >= set(FOLDERS):
            return ""
        return next((repr(name) for name in names - {MARK} if not self._is_empty(name)), "")

    def _is_empty(self, name: str) -> bool:
        with os.scandir(os.path.join(self._folder, name)) as entries:
            return next(entries, None) is None

    def _mark(self) -> None:
        """Write the mark in one step, so that another part sees all of it or nothing."""
        path = os.path.join(self.scratch, uuid.uuid4().hex)
        with open(path, "xb") as file:
            file.write(mark())
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, os.path.join(self._folder, MARK))

    def _path(self, key: str) -> str:
        if not is_key(key):  # a store never opens a path that a client made
            raise FileNotFoundError(key)
        return os.path.join(self._folder, key)


def _check_folder(path: str) -> None:
    """Check that one of the store's folders is a directory, and not a link to somebody else's."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise OutputError(
            f"{path} is a link, or not a directory; the store needs a directory of its own there. "
            "Move it away, or set PDFINGEST_STORE to another place."
        )


def _is_ours(folder: str, entry: os.DirEntry[str]) -> bool:
    """Tell whether this program made an entry of one of the folders, by its name and its type."""
    if not is_own(folder, entry.name):
        return False
    if entry.name.startswith(READING):
        return entry.is_dir(follow_symlinks=False)
    return entry.is_file(follow_symlinks=False)


def _changed(entry: os.DirEntry[str]) -> float:
    """Return when a file was last changed, or a folder or anything directly in it."""
    inside = os.listdir(entry.path) if entry.is_dir(follow_symlinks=False) else []
    paths = (entry.path, *(os.path.join(entry.path, name) for name in inside))
    return max(os.lstat(path).st_mtime for path in paths)


def _delete(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)
