"""What a text names that is not a path: a folder or an object of a store, or a file on the web."""

import hashlib
import re
import time
from typing import NamedTuple

from pdfingest.errors import UsageError
from pdfingest.remote.address import Address, parse_folder
from pdfingest.text import printable

_REMOTE = re.compile(r"(?:s3|gs|az|https?)://", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/?#]*@")
_DIGEST_CHARS = 8
_COARSE_NS = 2_000_000_000
"""Age from which a date in whole seconds tells a later change from this state."""

DISK = "disk"
"""Kind of what went wrong on this machine, beside the failures of a file."""


NO_OUTPUT = (
    "must be on this machine: what a run that died wrote beyond its ledger is cut off the outputs, "
    "and no object can be cut. Copy the directory when the run has ended."
)
"""Why a place cannot be an output directory."""


class Listed(NamedTuple):
    """An object, as its store lists it."""

    place: str
    size_bytes: int
    modified_s: float
    """Its date, in seconds since 1970; 0 if it has none."""
    mark: str
    """Its version or its ETag; empty if it has neither."""


class Unlisted(NamedTuple):
    """An object that cannot be had."""

    place: str
    kind: str
    """A kind of failure."""
    message: str


class Web(NamedTuple):
    """A file on the web."""

    url: str

    def __str__(self) -> str:
        return self.url


def is_remote(text: str) -> bool:
    """Return whether a text names what is not on this machine."""
    return _REMOTE.match(text) is not None


def parse_place(text: str) -> Address | Web:
    """Read what an input names.

    Raises:
        UsageError: it is neither an address nor a URL, or could be read in two ways.
    """
    try:
        if not _WEB.match(text):
            return parse_folder(text)
        return _web(text)
    except ValueError as error:
        raise UsageError(f"input {printable(as_shown(text))}: {error}.") from None


def _web(text: str) -> Web:
    """Return what a URL names; a ValueError says what is wrong with it."""
    from urllib.parse import urlsplit  # noqa: PLC0415 - 2 ms, for few runs

    url = urlsplit(text)
    if url.username is not None or url.password is not None:
        raise ValueError("a user or a password in a URL would be written into the outputs")
    if not url.hostname:
        raise ValueError("it names no host")
    return Web(text)


def as_shown(text: str) -> str:
    """Return a place without what may be secret: the user of a URL, and what follows its `?`."""
    return _USER.sub("", text.partition("?")[0]) if _WEB.match(text) else text


def name_of(text: str, folder: str) -> str:
    """Return the name of the source at a place.

    Args:
        text: the place.
        folder: what the name is relative to; empty where the place itself is the name.
    """
    if not _WEB.match(text):
        return text.removeprefix(folder)
    from urllib.parse import unquote  # noqa: PLC0415 - 2 ms, for few runs

    shown, query = as_shown(text), text.partition("?")[2]
    mark = f"?{hashlib.sha256(query.encode()).hexdigest()[:_DIGEST_CHARS]}" if query else ""
    return (unquote(shown.rpartition("/")[2]) if folder else shown) + mark


def state_of(listed: Listed) -> tuple[int, bool]:
    """Return a number that changes with an object, in order of its date, and whether it is sure to.

    The number is the date in nanoseconds. The date of a store has whole seconds, so what tells two
    contents of one second apart stands in the place of the fraction.
    """
    whole_ns = int(listed.modified_s) * 1_000_000_000
    if listed.mark:
        digest = hashlib.sha256(listed.mark.encode()).hexdigest()
        return whole_ns + int(digest, 16) % 1_000_000_000, True
    return whole_ns, bool(whole_ns) and time.time_ns() - whole_ns > _COARSE_NS
