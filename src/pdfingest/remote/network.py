"""The process that talks to object stores and web servers: `python -m pdfingest.remote.network`.

    list PLACE    ─▶ an object a line, then an empty list
    heads         ◀─ places, a line each; ─▶ an object a line, in any order
    get           ◀─ [number, place, path, most bytes]; ─▶ [number, bytes, kind, message]

Lines are JSON. It ends when its stdin does, or when it has listed all. It keeps the variables of
the environment, with the keys of the stores in them, and it opens no PDF.
"""

# pyright: basic
# Obstore is an extra; mypy checks this file strictly.

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from pdfingest.errors import UsageError
from pdfingest.model import FailureKind
from pdfingest.remote.address import Address, first_line, open_folder, retries
from pdfingest.remote.place import DISK, Listed, Unlisted, Web, as_shown, parse_place
from pdfingest.text import mib

AT_ONCE = 16
"""Requests under way at a time."""
_PIECE_BYTES = 1 << 20
_BATCH = 1000
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+")
"""Paths of URLs that are the same to whoever writes them."""
_writing = threading.Lock()


def main() -> None:
    """Do what the arguments say: what to do, seconds for a request, and a place to list."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what a stop means
    import_module("obstore.store")  # two threads that import it at once may see half of it
    what, timeout_s = sys.argv[1], float(sys.argv[2])
    if what == "list":
        _list(sys.argv[3], timeout_s)
        return
    if what == "heads":
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for line in sys.stdin:
                pool.submit(_head, timeout_s, json.loads(line))
        return
    pool = ThreadPoolExecutor(AT_ONCE)
    for line in sys.stdin:
        pool.submit(_get, timeout_s, json.loads(line))
    os._exit(0)  # nobody waits any more for what is on its way


def _list(text: str, timeout_s: float) -> None:
    """Say which objects are in a folder, and then that these are all, or why not."""
    folder = parse_place(text)
    assert isinstance(folder, Address), "the web has no folders"
    prefix = str(folder).rstrip("/")
    try:
        for batch in open_folder(folder, timeout_s).list(chunk_size=_BATCH):
            for found in batch:
                _say(_listed(f"{prefix}/{found['path']}", found))
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        _say(_told(error))
    else:
        _say([])


def _head(timeout_s: float, text: str) -> None:
    """Say what is known of an object, or what went wrong."""
    try:
        store, key = _object(text, timeout_s)
        _say(_listed(text, store.head(key)))
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        _say(Unlisted(text, *_told(error)))


def _get(timeout_s: float, request: Any) -> None:
    """Bring an object to a path, and say how that ended."""
    number, text, path, most = request
    length = 0
    try:
        store, key = _object(text, timeout_s)
        pieces = store.get(key).stream(min_chunk_size=_PIECE_BYTES)
        with _new_file(path) as file:
            for piece in _bounded(pieces, most):
                length += len(piece)
                with _disk():
                    file.write(piece)
        _say([number, length, "", ""])
    except Exception as error:  # noqa: BLE001 - each store has errors of its own
        _say([number, length, *_told(error)])


def _object(text: str, timeout_s: float) -> tuple[Any, str]:
    """Return the store of an object, and its key in it."""
    place = parse_place(text)
    if isinstance(place, Web):
        return _web(place, timeout_s)
    return open_folder(Address(place.scheme, place.bucket), timeout_s), place.key


def _web(place: Web, timeout_s: float) -> tuple[Any, str]:
    """Return what gets a file from the web, and the key of the file for it.

    One client serves all files of a host, as to make one takes 3 ms and a connection of its own.
    But it writes the path anew, so a path that could be written otherwise has one for itself.
    """
    url = urlsplit(place.url)
    if _PLAIN.fullmatch(url.path) and url.query == url.fragment == "":
        return _client(f"{url.scheme}://{url.netloc}/", timeout_s), url.path[1:]
    return _client.__wrapped__(place.url, timeout_s), ""


@cache
def _client(url: str, timeout_s: float) -> Any:
    from obstore.store import HTTPStore  # noqa: PLC0415 - an extra

    options: Any = {"timeout": f"{timeout_s:g}s", "allow_http": True}
    return HTTPStore.from_url(url, client_options=options, retry_config=retries(timeout_s))


class _TooMuchError(Exception):
    """A file is larger than it may be."""


class _DiskError(Exception):
    """This machine has no room."""


def _bounded(pieces: Iterable[Any], most: int) -> Iterator[Any]:
    """Yield pieces of bytes, as long as they are not too many."""
    length = 0
    for piece in pieces:
        length += len(piece)
        if length > most:
            raise _TooMuchError(f"it is larger than {mib(most)}")
        yield piece


def _new_file(path: str) -> BinaryIO:
    with _disk():
        return open(os.open(path, _NEW, 0o600), "wb")


@contextmanager
def _disk() -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise _DiskError(error.strerror or str(error)) from error


def _told(error: Exception) -> tuple[str, str]:
    """Return what kind of failure an error is, and its message."""
    from obstore import exceptions  # noqa: PLC0415 - an extra

    match error:
        case FileNotFoundError():
            return FailureKind.UNREADABLE, "there is no such object (404)"
        case exceptions.PermissionDeniedError() | exceptions.UnauthenticatedError():
            return FailureKind.UNREADABLE, "it may not be read (401 or 403)"
        case _TooMuchError():
            return FailureKind.TOO_LARGE, f"{error}; see --scratch"
        case _DiskError():
            return DISK, str(error)
        case UsageError():
            return FailureKind.UNREADABLE, str(error)
        case _:
            return FailureKind.STORE, as_shown(first_line(error))


def _listed(text: str, found: Mapping[str, Any]) -> Listed:
    """Return what a store says of an object."""
    date = found["last_modified"]
    mark = found["version"] or found["e_tag"] or ""
    return Listed(text, found["size"], date.timestamp() if date else 0.0, mark)


def _say(line: Sequence[object]) -> None:
    """Write a line, whole, whichever thread writes it."""
    with _writing:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
