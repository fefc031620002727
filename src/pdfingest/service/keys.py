"""Who asks: API keys, which are kept as hashes only, and what protects a service without keys.

A key may have scopes: what it is for. One that a monitoring system has need not be one that sends
files. The file of the keys is read again when it changes, so that a key is revoked at once.

Without keys only loopback is served (`cli.serve`). Still, a web page that somebody views on the
same machine could send files here (any page may post a form to any address), or read results by a
name of its own that leads to 127.0.0.1 (DNS rebinding). So where there is no key, the names in
`Host` and `Origin` must be this machine's.
"""

import hashlib
import hmac
import ipaddress
import logging
import os
import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pdfingest.errors import UsageError
from pdfingest.service.problems import Problem

HEADER = "X-API-Key"
RESERVED = "run"
"""Name that no key may have, as metrics and logs call the tickets of runs so."""
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]{1,64}):(?P<hash>[0-9a-fA-F]{64})(?::(?P<scopes>[a-z,]+))?"
)
_MOST_BYTES = 1024
"""Bytes of a key that are hashed, so that a long header costs no more."""
_LOOK_S = 1.0
"""How often it is looked whether the file has changed."""
_log = logging.getLogger("pdfingest.api")


class Scope(StrEnum):
    """What a key is for."""

    INGEST = "ingest"
    """To send files, and to cancel and delete jobs."""
    READ = "read"
    """To see jobs and their records."""
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class _Key:
    name: str
    scopes: frozenset[Scope]


def is_loopback(host: str) -> bool:
    """Tell whether a host name or an address can only be this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Keys:
    """The API keys of a service; false where it has none.

    Args:
        path: a file with lines of `name:sha256 of the key in hex`, which `:scope,scope` may follow;
            a key without scopes has all. Empty for no keys.
        origins: origins of pages elsewhere that may ask where there are no keys; `*` for all.

    Raises:
        UsageError: the file cannot be read, one of its lines is not of that form, or it is empty.
    """

    def __init__(self, path: str, origins: Collection[str] = ()) -> None:
        self._path, self._origins = path, frozenset(origins)
        self._identity = _identity(path)
        self._keys: Mapping[bytes, _Key] = _read(path) if path else {}
        self._looked_s = time.monotonic()

    def __bool__(self) -> bool:
        return bool(self._keys)

    def owner(self, headers: Headers, scope: Scope) -> str:
        """Return the name of the key in a request; empty where the service has no keys.

        Args:
            headers: of the request, with the key in `X-API-Key` or `Authorization: Bearer`.
            scope: what the key must be for.

        Raises:
            Problem: 401, the key is missing or wrong; 403, the key is not for this, or there are no
                keys, and another site asks.
        """
        if not self._keys:
            self._check_site(headers)
            return ""
        self._refresh()
        text = headers.get(HEADER, "") or _bearer(headers.get("authorization", ""))
        key = text.encode("latin-1", "replace")[:_MOST_BYTES]
        given = hashlib.sha256(key).digest()
        # All hashes are compared, so that the time does not tell which of them was close.
        found = [each for hash_, each in self._keys.items() if hmac.compare_digest(hash_, given)]
        if not key or not found:
            raise Problem(
                401,
                "no key",
                f"Send a key of this service in {HEADER}, or as Authorization: Bearer.",
                {"WWW-Authenticate": f'ApiKey header="{HEADER}", Bearer'},
            )
        if scope not in found[0].scopes:
            raise Problem(403, "not for this key", f"The key lacks the scope `{scope}`.")
        return found[0].name

    def _refresh(self) -> None:
        """Read the file again if it has changed; while it is wrong, the keys stay as they were."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOK_S:
            return
        self._looked_s = now_s
        identity = _identity(self._path)
        if identity == self._identity:
            return
        self._identity = identity
        try:
            self._keys = _read(self._path)
        except UsageError as error:
            _log.error("the API keys stay as they were: %s", error)

    def _check_site(self, headers: Headers) -> None:
        """Refuse a request that a page of another site sends, or by another site's name."""
        host, origin = headers.get("host", ""), headers.get("origin")
        try:  # `Host: [` and `Origin: http://[:x` cannot be split
            name, port = urlsplit(f"//{host}").hostname or "", urlsplit(f"//{host}").port
            theirs = urlsplit(origin) if origin is not None else None
            same = theirs is None or (theirs.hostname, theirs.port) == (name, port)
        except ValueError:
            name, same = "", False
        is_allowed = same or bool({origin, "*"} & self._origins)
        if not is_loopback(name) or not is_allowed:
            raise Problem(403, "another site", "Without API keys, only this machine may ask.")


def _bearer(header: str) -> str:
    """Return the token of a header `Authorization`; empty if it is not `Bearer` (RFC 6750)."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _identity(path: str) -> tuple[int, ...]:
    """Return what changes when a file is changed or exchanged; empty if it cannot be looked at."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _read(path: str) -> Mapping[bytes, _Key]:
    """Read the keys by their hashes."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.partition("#")[0].strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the API keys in {path}: {error}.") from error
    keys: dict[bytes, _Key] = {}
    for number, line in enumerate(lines, 1):
        if line:
            hash_, key = _parsed(line, f"{path}, line {number}")
            keys[hash_] = key
    if not keys:
        raise UsageError(f"{path} holds no key, so nobody could use the service.")
    return keys


def _parsed(line: str, where: str) -> tuple[bytes, _Key]:
    """Read a line of the file; errors begin with where it is."""
    match = _LINE.fullmatch(line)
    if not match:
        raise UsageError(f"{where}: not `name:sha256 of the key in hex`, or that and `:scopes`.")
    if match["name"] == RESERVED:
        raise UsageError(f"{where}: `{RESERVED}` names the tickets of runs. Choose another name.")
    words = match["scopes"].split(",") if match["scopes"] else list(Scope)
    try:
        scopes = frozenset(map(Scope, words))
    except ValueError:
        raise UsageError(f"{where}: scopes are {', '.join(Scope)}, with commas between.") from None
    return bytes.fromhex(match["hash"]), _Key(match["name"], scopes)
