"""Where the file of a ticket is: in the store, or where its client said, if it may say so.

Owns which files a client may name. The API and the worker that opens the file both ask `locate`,
as a link may have changed between them. Nothing else is opened than what `locate` returns: a
resolved path, or a key below an allowed folder of an object store. Neither is put together again
from the text of the source.
"""

import os
import stat
from dataclasses import dataclass

from pdfingest.errors import StoreError
from pdfingest.remote.address import Address, is_address, open_folder, parse_address, parse_folder
from pdfingest.run.discover import is_below
from pdfingest.service.contents import is_key
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store

_ELSEWHERE = "it is not below PDFINGEST_SOURCE_PREFIXES"
_OF_THE_SERVICE = "it is in the store of the service"


class SourceError(Exception):
    """The source is not allowed or not there. The message says why, and does not repeat it."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on this machine, below an allowed directory."""

    path: str
    """Absolute path without links."""


@dataclass(frozen=True, slots=True)
class BucketObject:
    """An object below an allowed folder of a bucket."""

    folder: Address
    key: str
    """Key of the object relative to the folder."""


def locate(source: str, settings: Settings) -> LocalFile | BucketObject:
    """Find out what a source names, and whether a client may name it; nothing is opened.

    A source is the absolute path of a file, or the address of an object: `s3://bucket/key`,
    `gs://…` or `az://…`, with the key character for character as `aws s3 ls` prints it. Nothing is
    decoded: a space is a space, and `%20` is three characters of the key. It must be below one of
    PDFINGEST_SOURCE_PREFIXES, and outside the store, where the files of other clients are. Keys
    with an empty segment, with control characters, or with a segment that is or decodes to `.` or
    `..` are refused, as are paths with a segment `..`.

    Raises:
        SourceError: the source may not be named, or could be read in two ways.
    """
    if os.path.isabs(source):
        return LocalFile(_resolve(source, settings))
    if not is_address(source):
        raise SourceError("it is neither an absolute path nor an address such as s3://bucket/key")
    try:
        address = parse_address(source)
    except ValueError as error:
        raise SourceError(str(error)) from error
    if is_address(settings.store) and parse_folder(settings.store).key_of(address):
        raise SourceError(_OF_THE_SERVICE)
    for folder in settings.prefixes:
        if isinstance(folder, Address) and (key := folder.key_of(address)):
            return BucketObject(folder, key)
    raise SourceError(_ELSEWHERE)


def fetch(source: str, path: str, store: Store, settings: Settings) -> str:
    """Make the file of a ticket available on this machine.

    Args:
        source: the key of an upload in the store, or what a client named.
        path: where a copy may be made.
        store: the store of the service.
        settings: the settings of the service.

    Returns:
        The path of the file, which is `path` if it was copied. A file of this machine is not, so
        that whoever can write below the allowed directory can still exchange a folder of its path
        for a link before the child opens it.

    Raises:
        StoreError: the store does not have the file, or a copy cannot be written.
        SourceError: a client named the file and may not, or the file may not be read.
        UsageError: the library for object stores is missing.
    """
    if is_key(source):
        try:
            return store.fetch(source, path)
        except OSError as error:
            raise StoreError(f"cannot fetch {source}: {error}.") from error
    match locate(source, settings):
        case LocalFile(found):
            return _check_file(found)
        case BucketObject(folder, key):
            return _download(folder, key, path)


def open_prefixes(settings: Settings) -> None:
    """Open all object stores that sources may be in, so that a worker that cannot does not start.

    Raises:
        UsageError: obstore is missing, or lacks the configuration that it needs.
    """
    for folder in settings.prefixes:
        if isinstance(folder, Address):
            open_folder(folder)


def _resolve(path: str, settings: Settings) -> str:
    """Resolve the links of a path, and check that it is below an allowed directory."""
    # `a/link/..` is `a` to whoever follows no links, and elsewhere to whoever does.
    if "\0" in path or os.pardir in path.replace(os.sep, "/").split("/"):
        raise SourceError("its path has a NUL or a segment `..`")
    found = os.path.realpath(path)
    if not is_address(settings.store) and is_below(found, settings.store):
        raise SourceError(_OF_THE_SERVICE)
    if not any(isinstance(each, str) and is_below(found, each) for each in settings.prefixes):
        raise SourceError(_ELSEWHERE)
    return found


def _check_file(path: str) -> str:
    """Check that a resolved path is a regular file that may be read, and return it."""
    try:
        # At a pipe an opening would wait for ever; a link has come since the path was resolved.
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise SourceError("it is not a regular file")
        os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)))
    except OSError as error:
        raise SourceError(f"{type(error).__name__}: {error.strerror}") from error
    return path


def _download(folder: Address, key: str, path: str) -> str:
    from obstore import exceptions  # noqa: PLC0415 - an extra, which is there if a folder is open

    try:
        pieces = open_folder(folder).get(key).stream()
    except FileNotFoundError as error:
        raise SourceError("there is no such object") from error
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise SourceError("the worker may not read the object") from error
    try:
        with open(path, "wb") as file:
            file.writelines(pieces)
    except OSError as error:
        raise StoreError(f"cannot copy {key} to {path}: {error}.") from error
    return path
