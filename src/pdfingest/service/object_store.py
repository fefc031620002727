"""A store in a bucket of S3, GCS or Azure, by obstore, which streams: 300 MiB cost it 93 MiB.

Owns how objects get in and out, and when a folder of a bucket is a store. Does not own
the keys in it (`contents`).
"""

# pyright: basic
# Obstore is an extra; mypy checks this file strictly.

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from pdfingest.errors import OutputError, StoreError
from pdfingest.remote.address import Address, first_line, open_folder
from pdfingest.remote.scratch import Scratch
from pdfingest.service.contents import (
    FOLDERS,
    MARK,
    RESULTS,
    SCRATCH,
    UPLOADS,
    check_place,
    is_key,
    mark,
    ticket_of,
)

_CHUNK_BYTES = 1 << 20
_BATCH = 1000
"""Objects that are listed and deleted at a time, as many as one request of S3 can take."""
_CLOCK = f"{SCRATCH}/clock"
"""Key of an empty object whose date is the time of the store."""


class ObjectStore:
    """Objects below one key of a bucket; see `Store` for what the methods promise.

    Raises:
        UsageError: the folder holds something else, a newer version made the store, or obstore is
            missing.
        OutputError: the bucket cannot be read or written.
    """

    def __init__(self, folder: Address) -> None:
        self._folder = folder
        self._store: Any = open_folder(folder)
        self._open()
        self._scratch = Scratch()
        self.scratch = self._scratch.make("uploads")

    def put(self, key: str, path: str) -> None:
        """Upload a file, in parts if it is large; it appears when all parts are there."""
        with _told(f"cannot store {key}"), open(path, "rb") as file:
            self._store.put(key, file)
        os.unlink(path)

    def fetch(self, key: str, path: str) -> str:
        """Copy an object to `path`."""
        with _told(f"cannot fetch {key}"), open(path, "wb") as file:
            file.writelines(self.read(key))
        return path

    def read(self, key: str) -> Iterator[bytes]:
        """Read an object piece by piece."""
        if not is_key(key):
            raise FileNotFoundError(key)
        with _told(f"cannot read {key}"):
            found = self._store.get(key)
        return map(bytes, found.stream(min_chunk_size=_CHUNK_BYTES))

    def delete(self, key: str) -> None:
        """Delete an object, if it is there."""
        if is_key(key):
            self._delete([key])

    def expire(self, age_s: float, is_open: Callable[[str], bool]) -> int:
        """Delete old objects while they are listed; nothing outside the two folders is listed."""
        deleted = 0
        with _told(f"cannot look through the store {self._folder}"):
            before = self._now() - age_s
            for folder in (UPLOADS, RESULTS):
                for found in self._store.list(folder, chunk_size=_BATCH):
                    old = [
                        each["path"]
                        for each in found
                        if is_key(each["path"]) and each["last_modified"].timestamp() < before
                    ]
                    if folder == UPLOADS:
                        old = [key for key in old if not is_open(ticket_of(key))]
                    if old:
                        self._delete(old)
                        deleted += len(old)
        return deleted

    def check(self) -> None:
        """Check that the bucket takes an object."""
        with _told(f"cannot write into the store {self._folder}"):
            self._store.put(_CLOCK, b"")

    def close(self) -> None:
        """Delete the folder of this machine in which uploads were."""
        self._scratch.close()

    def _delete(self, keys: Sequence[str]) -> None:
        """Delete objects, in one request where the store can."""
        # GCS and Azure complain of an object that somebody else has just deleted, and may leave
        # others of the batch, which are still old at the next look.
        with suppress(FileNotFoundError):
            self._store.delete(keys)

    def _now(self) -> float:
        """Return the time of the store, by which objects are dated; this machine's may be wrong."""
        self._store.put(_CLOCK, b"")
        return float(self._store.head(_CLOCK)["last_modified"].timestamp())

    def _open(self) -> None:
        """Check that the folder is a store, or make one if it is empty; raises as the class."""
        try:
            content = self._read_mark()
            found = "" if content else self._foreign()
            # Another part may have made the store meanwhile, and put the first file in.
            content = content or self._read_mark()
            if content is None and not found:
                self._store.put(MARK, mark())
        except Exception as error:  # each store has its own
            raise OutputError(
                f"cannot look into the store {self._folder}: {first_line(error)}. Check that the "
                "bucket is there, and that its objects may be listed, read, written and deleted."
            ) from error
        check_place(content, found, str(self._folder))

    def _read_mark(self) -> bytes | None:
        try:
            return bytes(self._store.get(MARK).bytes())
        except FileNotFoundError:
            return None

    def _foreign(self) -> str:
        """Name an object that shows that this is not a store; empty if there is none.

        Earlier versions had no mark, but uploads and results, and nothing else. Uploads alone may
        be another program's. A large bucket of others is recognised by its first keys, since the
        listing is read no further.
        """
        from obstore.exceptions import InvalidPathError  # noqa: PLC0415 - an extra

        upload, has_results = "", False
        try:
            for found in self._store.list(chunk_size=_BATCH):
                for key in (each["path"] for each in found if not _is_folder(each)):
                    if key.startswith(f"{RESULTS}/") and is_key(key):
                        has_results = True
                    elif is_key(key):
                        upload = upload or repr(key)
                    elif key != _CLOCK:
                        return repr(key)
        except InvalidPathError:  # such as `a//b`, at which the listing ends
            return "an object whose key has an empty segment, dots or control characters"
        return "" if has_results else upload


@contextmanager
def _told(what: str) -> Generator[None, None, None]:
    """Turn what obstore raises, which each store has of its own, into a `StoreError`."""
    try:
        yield
    except (FileNotFoundError, StoreError):
        raise
    except Exception as error:
        raise StoreError(f"{what}: {first_line(error)}.") from error


def _is_folder(found: Mapping[str, Any]) -> bool:
    """Tell whether an object only stands for a folder: consoles make an empty one of its name."""
    return not found["size"] and found["path"] in {"", *FOLDERS}
