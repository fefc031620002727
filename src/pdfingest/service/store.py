"""The store: the files of the service by key, which are uploads, and results that are whole.

Owns what a store promises, and which kind a place has: a directory that all parts see
(`directory_store`), or a folder of an object store (`object_store`). Does not own the keys
(`contents`). A file appears in one step: whoever opens it gets all of it or nothing.
"""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Protocol

from pdfingest.errors import UsageError
from pdfingest.remote.address import is_address, parse_folder
from pdfingest.service.directory_store import DirectoryStore
from pdfingest.service.object_store import ObjectStore


class Store(Protocol):
    """Files by key. Its methods wait for the disk or the network; they are safe for threads."""

    @property
    @abstractmethod
    def scratch(self) -> str:
        """Directory of this machine for files before they are put; in the store if it can."""

    @abstractmethod
    def put(self, key: str, path: str) -> None:
        """Move the file at `path` into the store in one step; a file of the same key is replaced.

        Raises:
            StoreError: the store has no room, or is away.
        """

    @abstractmethod
    def fetch(self, key: str, path: str) -> str:
        """Make a file available on this machine.

        Returns:
            The path of the file, which is `path` if a copy had to be made.

        Raises:
            FileNotFoundError: there is no such file.
            StoreError: the store is away.
        """

    @abstractmethod
    def read(self, key: str) -> Iterator[bytes]:
        """Read a file piece by piece.

        Raises:
            FileNotFoundError: there is no such file; raised at once, not at the first piece.
            StoreError: the store is away.
        """

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete a file, if it is there."""

    @abstractmethod
    def expire(self, age_s: float, is_open: Callable[[str], bool]) -> int:
        """Delete files of the service that were last changed longer ago than `age_s` seconds.

        The time is that of the store, whose clock may differ from the one of this machine. Files
        that do not have one of the service's own names are kept.

        Args:
            age_s: the age.
            is_open: tells whether a ticket has not ended; then its upload is kept.

        Returns:
            Number of files that were deleted.

        Raises:
            StoreError: the store cannot be read or written.
        """

    @abstractmethod
    def check(self) -> None:
        """Check that the store can be written.

        Raises:
            StoreError: it has no room, or is away.
        """

    @abstractmethod
    def close(self) -> None:
        """Delete what this program has in `scratch`, if that is not in the store."""


def open_store(place: str) -> Store:
    """Open the store at a place, or make one if the place is empty or not there yet.

    A store of an earlier version, which had no mark, gets one.

    Args:
        place: a directory, or the address of a folder in an object store.

    Raises:
        UsageError: the place holds something else; it is not a place; a newer version made the
            store; or it is an object store, and the library for that is not installed.
        OutputError: the store cannot be made or looked at.
    """
    if not is_address(place):
        return DirectoryStore(place)
    try:
        return ObjectStore(parse_folder(place))
    except ValueError as error:
        raise UsageError(
            f"PDFINGEST_STORE: {place} is refused: {error}. Give a directory, or the address of a "
            "folder."
        ) from error
