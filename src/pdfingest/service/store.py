"""Store: the files of the service, by key: uploads, and results once they are whole.

A directory that all parts see, or an object store. A result appears in one step: whoever opens it
gets all of it or nothing. `contents` says which keys there are.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol

from pdfingest.errors import UsageError
from pdfingest.service.address import is_address, parse_folder
from pdfingest.service.directory_store import DirectoryStore
from pdfingest.service.object_store import ObjectStore


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
        """Delete files of the service that were last changed longer ago than `age_s` seconds.

        The time is that of the store, whose clock may differ from the one of this machine. Nothing
        is deleted that has not one of the service's own names.

        Returns:
            How many were deleted.

        Raises:
            OutputError: the store cannot be read or written.
        """


def open_store(place: str) -> Store:
    """Open the store at a place, or make it, if the place is empty or not there yet.

    A store of an earlier version, which had no mark, gets one.

    Args:
        place: a directory, or the address of a folder in an object store.

    Raises:
        UsageError: the place holds something else; it is no place; a newer version made the store;
            or it is an object store, and the library for that is not installed.
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
