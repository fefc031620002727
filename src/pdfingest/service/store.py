"""Store: the files of the service, by key: uploads, and results once they are whole.

A directory that all parts see, or an object store. A result appears in one step: whoever opens it
gets all of it or nothing.
"""

# pyright: basic
# Obstore is an extra; mypy checks this file strictly.

import os
import re
import shutil
import tempfile
import time
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

from pdfingest.errors import OutputError, UsageError

_CHUNK_BYTES = 1 << 20
_KEY = re.compile(r"[a-z]+/[0-9a-f]{32}\.[a-z]+")
_CLOUDS = ("s3://", "gs://", "az://")


def upload_key(job_id: str) -> str:
    """Where the file of a job is."""
    return f"uploads/{job_id}.pdf"


def result_key(job_id: str) -> str:
    """Where the records of a job are."""
    return f"results/{job_id}.jsonl"


class Store(Protocol):
    """Files by key."""

    @property
    @abstractmethod
    def scratch(self) -> str:
        """A directory for files before they are put; on the same disk, where there is one."""

    @abstractmethod
    def put(self, key: str, path: str) -> None:
        """Move a file of this machine in, in one step.

        Raises:
            OutputError: there is no room, or no store.
        """

    @abstractmethod
    def fetch(self, key: str, path: str) -> str:
        """Have a file at hand: its path, which may be `path`, where a copy may be made.

        Raises:
            FileNotFoundError: there is none.
        """

    @abstractmethod
    def read(self, key: str) -> Iterator[bytes]:
        """Its content, piece by piece.

        Raises:
            FileNotFoundError: there is none; at once, not at the first piece.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete it, if it is there."""

    @abstractmethod
    def expire(self, age_s: float) -> int:
        """Delete what is older; gives how many."""


def open_store(place: str) -> Store:
    """The store at a place.

    Raises:
        UsageError: it is an object store, and the library for that is not installed.
        OutputError: the directory cannot be made.
    """
    if place.startswith(_CLOUDS):
        return ObjectStore(place)
    return DirectoryStore(place)


class DirectoryStore(Store):
    """Files in a directory."""

    def __init__(self, folder: str) -> None:
        self._folder = os.path.abspath(folder)
        try:
            for name in ("uploads", "results", "scratch"):
                os.makedirs(os.path.join(self._folder, name), mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the store {folder}: {error.strerror}.") from error

    @property
    def scratch(self) -> str:
        """For files before they are put."""
        return os.path.join(self._folder, "scratch")

    def put(self, key: str, path: str) -> None:
        """Move a file in, once it is on the disk."""
        try:
            with open(path, "rb") as file:
                os.fsync(file.fileno())
            os.replace(path, self._path(key))
        except OSError as error:
            raise OutputError(f"cannot store {key}: {error.strerror}.") from error

    def fetch(self, key: str, path: str) -> str:
        """The file itself."""
        found = self._path(key)
        os.stat(found)
        return found

    def read(self, key: str) -> Iterator[bytes]:
        """Its content, piece by piece."""
        file = open(self._path(key), "rb")  # noqa: SIM115 - closed when it is read

        def pieces() -> Iterator[bytes]:
            with file:
                while piece := file.read(_CHUNK_BYTES):
                    yield piece

        return pieces()

    def delete(self, key: str) -> None:
        """Delete it, if it is there."""
        with suppress(FileNotFoundError):
            os.unlink(self._path(key))

    def expire(self, age_s: float) -> int:
        """Delete what was not changed for so long, scratch included."""
        deleted, before = 0, time.time() - age_s
        for folder, _, names in os.walk(self._folder, topdown=False):
            for name in names:
                path = os.path.join(folder, name)
                with suppress(FileNotFoundError):
                    if os.stat(path).st_mtime < before:
                        os.unlink(path)
                        deleted += 1
            # What a worker that was killed left of its job.
            if os.path.dirname(folder) == self.scratch and os.stat(folder).st_mtime < before:
                with suppress(OSError):  # it is not empty, or gone
                    os.rmdir(folder)
        return deleted

    def _path(self, key: str) -> str:
        """Of a key, which must be one of ours: a store never opens a path that a client made."""
        if not _KEY.fullmatch(key):
            raise FileNotFoundError(key)
        return os.path.join(self._folder, key)


class ObjectStore(Store):
    """Objects in S3, GCS or Azure, by obstore, which streams: 300 MiB cost it 93 MiB."""

    def __init__(self, url: str) -> None:
        try:
            from obstore import store  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as error:
            cure = "Run: pip install 'pdfingest[cloud]'"
            raise UsageError(f"{url} needs the library obstore. {cure}") from error
        self._store: Any = store.from_url(url)
        self._scratch = tempfile.mkdtemp(prefix="pdfingest-")

    @property
    def scratch(self) -> str:
        """For files before they are put."""
        return self._scratch

    def put(self, key: str, path: str) -> None:
        """Upload a file, in parts if it is large; it appears when all are there."""
        import obstore  # noqa: PLC0415 - as above

        try:
            with open(path, "rb") as file:
                obstore.put(self._store, key, file)
        except Exception as error:  # each store has its own
            raise OutputError(f"cannot store {key}: {error}.") from error
        os.unlink(path)

    def fetch(self, key: str, path: str) -> str:
        """A copy at `path`."""
        with open(path, "wb") as file:
            file.writelines(self.read(key))
        return path

    def read(self, key: str) -> Iterator[bytes]:
        """Its content, piece by piece."""
        import obstore  # noqa: PLC0415 - as above

        found = obstore.get(self._store, key)
        return map(bytes, found.stream(min_chunk_size=_CHUNK_BYTES))

    def delete(self, key: str) -> None:
        """Delete it, if it is there."""
        import obstore  # noqa: PLC0415 - as above

        with suppress(FileNotFoundError):
            obstore.delete(self._store, key)

    def expire(self, age_s: float) -> int:
        """Delete what is older."""
        import obstore  # noqa: PLC0415 - as above

        before = time.time() - age_s
        old = [
            each["path"]
            for piece in obstore.list(self._store)
            for each in piece
            if each["last_modified"].timestamp() < before
        ]
        for key in old:
            self.delete(key)
        return len(old)

    def close(self) -> None:
        """Let go of the scratch directory."""
        shutil.rmtree(self._scratch, ignore_errors=True)
