"""The records of a source under another name, for another source of the same content.

Nothing is decoded, so a record may be of any size. A quote within a JSON string has a backslash
before it, so what is looked for, which has quotes of its own, can only be structure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from pdfingest.exchange.record import encode, record_id


def renamed(pieces: Iterable[bytes], old: str, new: str, sha256: str) -> Iterator[bytes]:
    """Rename the source in records.

    Args:
        pieces: lines of records, cut anywhere.
        old: name of the source in them.
        new: name that it is to have.
        sha256: hash of its content.

    Yields:
        The same records as if the source had been read under its new name, cut anywhere.
    """
    return _replaced(
        pieces,
        {
            _head(old, sha256): _head(new, sha256),
            _names(old): _names(new),
        },
    )


def _head(name: str, sha256: str) -> bytes:
    return encode({"id": record_id(name, sha256)})[: -len('"}\n')]


def _names(name: str) -> bytes:
    metadata = {"source": name, "file_name": name.rpartition("/")[2]}
    return encode({"source": name, "metadata": metadata})[len("{") : -len("}}\n")]


def _replaced(pieces: Iterable[bytes], words: Mapping[bytes, bytes]) -> Iterator[bytes]:
    """Replace words in bytes that come in pieces, also where a word is cut."""
    pattern = re.compile(b"|".join(map(re.escape, words)))
    most = max(map(len, words)) - 1
    """What must be kept back, as it may be the beginning of a word."""
    rest = b""
    for piece in pieces:
        rest += piece
        end = 0
        for match in pattern.finditer(rest):
            yield rest[end : match.start()]
            yield words[match[0]]
            end = match.end()
        keep = max(end, len(rest) - most)
        yield rest[end:keep]
        rest = rest[keep:]
    yield rest
