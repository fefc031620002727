"""Who asks: API keys, which are kept as hashes only, and what protects a service without keys.

Without keys only loopback is served (`cli.serve`). Still, a web page that somebody views on the
same machine could send files here (any page may post a form to any address), or read results by a
name of its own that leads to 127.0.0.1 (DNS rebinding). So where there is no key, the names in
`Host` and `Origin` must be this machine's.
"""

import hashlib
import hmac
import ipaddress
import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pdfingest.errors import UsageError
from pdfingest.service.problems import Problem

HEADER = "X-API-Key"
_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64}):(?P<hash>[0-9a-fA-F]{64})")
_MOST_BYTES = 1024
"""Bytes of a key that are hashed, so that a long header costs no more."""


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
        path: a file with lines of `name:sha256 of the key in hex`; empty for no keys.

    Raises:
        UsageError: the file cannot be read, one of its lines is not of that form, or it is empty.
    """

    def __init__(self, path: str) -> None:
        self._owners = _read(path) if path else {}

    def __bool__(self) -> bool:
        return bool(self._owners)

    def owner(self, headers: Headers) -> str:
        """Return the name of the key in a request; empty where the service has no keys.

        Raises:
            Problem: 401, the key is missing or wrong; 403, there are no keys, and another site
                asks.
        """
        if not self._owners:
            _check_site(headers)
            return ""
        key = headers.get(HEADER, "").encode("latin-1", "replace")[:_MOST_BYTES]
        given = hashlib.sha256(key).digest()
        # All hashes are compared, so that the time does not tell which of them was close.
        found = [name for hash_, name in self._owners.items() if hmac.compare_digest(hash_, given)]
        if not key or not found:
            raise Problem(
                401,
                "no key",
                f"Send a key of this service in {HEADER}.",
                {"WWW-Authenticate": f'ApiKey header="{HEADER}"'},
            )
        return found[0]


def _check_site(headers: Headers) -> None:
    """Refuse a request that a page of another site sends, or by another site's name."""
    host, origin = headers.get("host", ""), headers.get("origin")
    try:  # `Host: [` and `Origin: http://[:x` cannot be split
        name, port = urlsplit(f"//{host}").hostname or "", urlsplit(f"//{host}").port
        theirs = urlsplit(origin) if origin is not None else None
        same = theirs is None or (theirs.hostname, theirs.port) == (name, port)
    except ValueError:
        name, same = "", False
    if not is_loopback(name) or not same:
        raise Problem(403, "another site", "Without API keys, only this machine itself may ask.")


def _read(path: str) -> dict[bytes, str]:
    """Read the names of keys by their hashes."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.partition("#")[0].strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the API keys in {path}: {error}.") from error
    owners: dict[bytes, str] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise UsageError(f"{path}, line {number}: not `name:sha256 of the key in hex`.")
        owners[bytes.fromhex(match["hash"])] = match["name"]
    if not owners:
        raise UsageError(f"{path} holds no key, so nobody could use the service.")
    return owners
