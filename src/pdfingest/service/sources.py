"""Where the file of a job is: in the store, or where a client said that it is, if it may say so."""

import os
from collections.abc import Sequence

from pdfingest.errors import OutputError, UsageError
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store

_UPLOADS = "uploads/"


class SourceError(Exception):
    """The source that was named cannot be had: not allowed, not there. The message says which."""


def is_allowed(source: str, prefixes: Sequence[str]) -> bool:
    """Whether a client may name this source: below one of the prefixes, links resolved."""
    if "://" in source:
        parts = source.split("/")
        clean = "\0" not in source and ".." not in parts and "." not in parts
        return clean and any(source.startswith(_folder(prefix)) for prefix in prefixes)
    if not os.path.isabs(source) or "\0" in source:
        return False
    path = os.path.realpath(source)
    folders = (os.path.realpath(prefix) for prefix in prefixes if "://" not in prefix)
    return any(path.startswith(_folder(folder)) for folder in folders)


def _folder(prefix: str) -> str:
    """A prefix as that of what is in it: `/data` is none of `/data2/a.pdf`."""
    return prefix if prefix.endswith("/") else f"{prefix}/"


def fetch(source: str, path: str, store: Store, settings: Settings) -> str:
    """Have the file of a job at hand; its path, which is `path` where it had to be copied.

    Raises:
        OutputError: the store does not have it.
        SourceError: it was named, and cannot be had.
        UsageError: it needs a library that is missing.
    """
    if source.startswith(_UPLOADS):
        try:
            return store.fetch(source, path)
        except OSError as error:
            raise OutputError(f"cannot fetch {source}: {error}.") from error
    if not is_allowed(source, settings.prefixes):
        raise SourceError(f"{source} is not below PDFINGEST_SOURCE_PREFIXES of the worker")
    try:
        if "://" in source:
            return _download(source, path)
        os.stat(source)
    except OSError as error:
        raise SourceError(f"{type(error).__name__}: {error}") from error
    return source


def _download(source: str, path: str) -> str:
    """An object of any store, copied."""
    try:
        import obstore  # noqa: PLC0415 - an extra
        from obstore.store import from_url  # noqa: PLC0415 - as above
    except ModuleNotFoundError as error:
        cure = "Run: pip install 'pdfingest[cloud]'"
        raise UsageError(f"{source} needs the library obstore. {cure}") from error
    folder, _, name = source.rpartition("/")
    with open(path, "wb") as file:
        file.writelines(obstore.get(from_url(folder), name).stream())
    return path
