"""The records of jobs in the form that a client accepts: JSONL, JSON, text, Markdown, or a zip.

    store ─▶ pieces of JSONL ─▶ lines ─▶ the form that was asked for ─▶ client

Owns which forms there are, how one is chosen (RFC 9110, 12.5.1), and how it is made. All of them
are made piece by piece, so that a long result takes no more memory than its longest record.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from pdfingest.service.problems import Problem

Pieces: TypeAlias = Iterable[bytes]
"""Bytes of JSONL, cut anywhere."""

_MOST_LINE_BYTES = 64 << 20
"""Longest record of which the text is taken out, as that takes a multiple of it in memory."""
_ACCEPTED = re.compile(r"\s*(?P<type>[\w.+*-]+/[\w.+*-]+)\s*(?:;(?P<parameters>[^,]*))?", re.ASCII)
_QUALITY = re.compile(r"(?:^|;)\s*q\s*=\s*(?P<q>[01](?:\.\d{0,3})?)\s*(?:;|$)", re.ASCII)


class Rendition(StrEnum):
    """Forms of a result, by their media types; the first is that of a client that does not say."""

    JSONL = "application/jsonl"
    JSON = "application/json"
    TEXT = "text/plain"
    MARKDOWN = "text/markdown"

    @property
    def suffix(self) -> str:
        """Suffix of a file of this form."""
        return {"JSONL": ".jsonl", "JSON": ".json", "TEXT": ".txt", "MARKDOWN": ".md"}[self.name]


class Collection(StrEnum):
    """Forms of several results."""

    JSONL = "application/jsonl"
    ZIP = "application/zip"


_OTHER_NAMES = {
    "application/x-ndjson": "application/jsonl",
    "application/ndjson": "application/jsonl",
    "application/x-jsonlines": "application/jsonl",
}


def chosen(accept: str, offered: Sequence[str]) -> str:
    """Return the media type that a client likes best.

    Args:
        accept: the header `Accept`; empty accepts all.
        offered: media types, the first of which is the one of a client that does not care.

    Raises:
        Problem: 406, it accepts none of them.
    """
    likes = dict(_likes(accept))
    if not likes:
        return offered[0]
    found = [(_liking(each, likes), -number, each) for number, each in enumerate(offered)]
    best, _, media_type = max(found)
    if best <= 0:
        raise Problem(406, "Not Acceptable", f"There is {', '.join(offered)}.")
    return media_type


def _likes(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.split(","):
        if match := _ACCEPTED.fullmatch(part):
            quality = _QUALITY.search(match["parameters"] or "")
            name = match["type"].lower()
            yield _OTHER_NAMES.get(name, name), float(quality["q"]) if quality else 1.0


def _liking(media_type: str, likes: Mapping[str, float]) -> float:
    """Return how much a type is liked: by the most exact of the words that cover it."""
    family = f"{media_type.partition('/')[0]}/*"
    return next((likes[each] for each in (media_type, family, "*/*") if each in likes), 0.0)


def rendered(rendition: Rendition, pieces: Pieces, job: Mapping[str, Any]) -> Iterator[bytes]:
    """Render one result.

    Args:
        rendition: the form.
        pieces: the records.
        job: the document of the job, which JSON has beside the records.

    Yields:
        The result. Pages of text are separated by a form feed, as `pdftotext` does it, and those of
        Markdown by an empty line.
    """
    match rendition:
        case Rendition.JSONL:
            return iter(pieces)
        case Rendition.JSON:
            return _json(pieces, job)
        case Rendition.TEXT:
            return _texts(pieces, "\f")
        case Rendition.MARKDOWN:
            return _texts(pieces, "\n\n")


def _json(pieces: Pieces, job: Mapping[str, Any]) -> Iterator[bytes]:
    yield b'{"job": %s, "records": [' % json.dumps(job).encode()
    between = b""
    for line in _lines(pieces):
        yield between + line.rstrip(b"\n")
        between = b",\n"
    yield b"]}\n"


def _texts(pieces: Pieces, between: str) -> Iterator[bytes]:
    begun = False
    for line in _lines(pieces):
        text = str(json.loads(line)["text"])
        yield (between if begun else "").encode() + text.encode()
        begun = True
    yield b"\n"


def _lines(pieces: Pieces) -> Iterator[bytes]:
    """Cut pieces into lines; the answer breaks off at one that is too long, so that it is seen."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        if b"\n" in piece:
            *lines, last = rest.split(b"\n")
            yield from (bytes(line) + b"\n" for line in lines)
            rest = last
        if len(rest) > _MOST_LINE_BYTES:
            raise ValueError("a record is too long for this form; JSONL has it")
    if rest:
        yield bytes(rest)


def zipped(files: Iterable[tuple[str, Pieces]]) -> Iterator[bytes]:
    """Make a zip of files, piece by piece.

    Args:
        files: name and content of each.
    """
    out = _Outlet()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in files:
            with archive.open(name, "w", force_zip64=True) as entry:
                for piece in pieces:
                    entry.write(piece)
                    yield out.taken()
            yield out.taken()
    yield out.taken()


class _Outlet(io.RawIOBase):
    """A file that is written once, from the beginning to the end, and taken away meanwhile."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes."""
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """Give what was written since the last time."""
        taken, self._written = bytes(self._written), bytearray()
        return taken
