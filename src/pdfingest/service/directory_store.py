"""A store in a directory, on a disk of this machine or on one that all parts of the service see."""

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress

from pdfingest.errors import OutputError
from pdfingest.service.contents import (
    FOLDERS,
    JOB,
    MARK,
    SCRATCH,
    check_mark,
    is_key,
    is_own,
    mark,
    not_ours,
)

_CHUNK_BYTES = 1 << 20
_OF_THE_DISK = frozenset({"lost+found", ".snapshot"})
"""Names that a file system itself has in its root, so that a new volume counts as empty."""


class DirectoryStore:
    """Files in a directory; see `Store` for what the methods promise.

    Args:
        folder: the directory, which is made if it is not there.

    Raises:
        UsageError: the directory holds something else, or a newer version made the store.
        OutputError: it cannot be made or looked at.
    """

    def __init__(self, folder: str) -> None:
        self._folder = os.path.abspath(folder)
        try:
            os.makedirs(self._folder, exist_ok=True)
            marked = self._is_marked()
            for name in FOLDERS:
                os.makedirs(os.path.join(self._folder, name), mode=0o700, exist_ok=True)
            if not marked:
                self._mark()
        except OSError as error:
            raise OutputError(f"cannot make the store {folder}: {error.strerror}.") from error

    @property
    def scratch(self) -> str:
        """A directory for files before they are put."""
        return os.path.join(self._folder, SCRATCH)

    def put(self, key: str, path: str) -> None:
        """Move a file in, once it is on the disk."""
        try:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            os.replace(path, self._path(key))
        except OSError as error:
            raise OutputError(f"cannot store {key}: {error.strerror}.") from error

    def fetch(self, key: str, path: str) -> str:
        """The path of the file itself: nothing is copied."""
        found = self._path(key)
        os.stat(found)
        return found

    def read(self, key: str) -> Iterator[bytes]:
        """The content of a file, piece by piece."""
        file = open(self._path(key), "rb")  # noqa: SIM115 - closed when it is read

        def pieces() -> Iterator[bytes]:
            with file:
                while piece := file.read(_CHUNK_BYTES):
                    yield piece

        return pieces()

    def delete(self, key: str) -> None:
        """Delete a file, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(key))

    def expire(self, age_s: float) -> int:
        """Delete what is old, and what a worker that was killed left in `scratch`."""
        try:
            before = self._now() - age_s
            return sum(self._expire(name, before) for name in FOLDERS)
        except OSError as error:
            raise OutputError(
                f"cannot look through the store {self._folder}: {error.strerror}."
            ) from error

    def _expire(self, folder: str, before: float) -> int:
        """Delete what is old in one folder; gives how many."""
        deleted = 0
        path = os.path.join(self._folder, folder)
        _check_folder(path)
        with os.scandir(path) as entries:
            for entry in entries:
                # Another part may delete it as well, or put it where it belongs.
                with suppress(FileNotFoundError):
                    if _is_ours(folder, entry) and _changed(entry) < before:
                        _delete(entry)
                        deleted += 1
        return deleted

    def _now(self) -> float:
        """The time of whoever stamps the files, which on a network drive is not this machine."""
        with tempfile.TemporaryFile(dir=self.scratch) as file:
            return os.fstat(file.fileno()).st_mtime

    def _is_marked(self) -> bool:
        """Whether this is a store already; if not, it is empty or one of an earlier version.

        Raises:
            UsageError: it is neither.
            OutputError: one of the folders is a link, or a file.
        """
        for name in FOLDERS:
            with suppress(FileNotFoundError):
                _check_folder(os.path.join(self._folder, name))
        # Another part may be making the store at this moment. It writes the mark before it puts the
        # first file in, so whoever has seen a file and then looks for the mark finds it.
        found = self._foreign()
        content = self._read_mark()
        if content is not None:
            check_mark(content, self._folder)
        elif found:
            raise not_ours(self._folder, found)
        return content is not None

    def _read_mark(self) -> bytes | None:
        """Content of the mark; None if there is none."""
        try:
            with open(os.path.join(self._folder, MARK), "rb") as file:
                return file.read(_CHUNK_BYTES)
        except FileNotFoundError:
            return None

    def _foreign(self) -> str:
        """What shows that this is not a store, in words; empty if nothing does.

        Earlier versions made exactly the three folders. A store that another part is making at this
        moment has some of them, and nothing in them yet.
        """
        names = set(os.listdir(self._folder)) - _OF_THE_DISK
        if others := names - {*FOLDERS, MARK}:
            return repr(min(others))
        if names >= set(FOLDERS):
            return ""
        return next((repr(name) for name in names - {MARK} if not self._is_empty(name)), "")

    def _is_empty(self, name: str) -> bool:
        """Whether nothing is in one of the folders."""
        with os.scandir(os.path.join(self._folder, name)) as entries:
            return next(entries, None) is None

    def _mark(self) -> None:
        """Write the mark in one step, so that whoever looks sees all of it or nothing."""
        path = os.path.join(self.scratch, uuid.uuid4().hex)
        with open(path, "xb") as file:
            file.write(mark())
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, os.path.join(self._folder, MARK))

    def _path(self, key: str) -> str:
        """The path of a key: a store never opens a path that a client made.

        Raises:
            FileNotFoundError: it is not one of the service's keys.
        """
        if not is_key(key):
            raise FileNotFoundError(key)
        return os.path.join(self._folder, key)


def _check_folder(path: str) -> None:
    """See that one of the store's folders is a directory, and not a link to somebody else's.

    Raises:
        OutputError: it is a link, or a file.
        FileNotFoundError: there is nothing.
    """
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise OutputError(
            f"{path} is a link, or no directory; the store needs a directory of its own there. "
            "Move it away, or set PDFINGEST_STORE to another place."
        )


def _is_ours(folder: str, entry: os.DirEntry[str]) -> bool:
    """Whether this program made an entry of one of the folders: by its name, and no link."""
    if not is_own(folder, entry.name):
        return False
    if entry.name.startswith(JOB):
        return entry.is_dir(follow_symlinks=False)
    return entry.is_file(follow_symlinks=False)


def _changed(entry: os.DirEntry[str]) -> float:
    """When a file was last changed, or a folder and what is directly in it."""
    inside = os.listdir(entry.path) if entry.is_dir(follow_symlinks=False) else []
    paths = (entry.path, *(os.path.join(entry.path, name) for name in inside))
    return max(os.lstat(path).st_mtime for path in paths)


def _delete(entry: os.DirEntry[str]) -> None:
    """Delete a file, or a folder and what is in it."""
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)
