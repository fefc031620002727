"""A file as the body of a request: multipart/form-data, read from disk while it is sent.

Owns how a form is written. Does not use `files=` of httpx, which takes the length of a pipe for 0,
sends a file from its beginning wherever it stands, reads in the event loop, and does not notice a
file that changes while it is sent.
"""

import io
import os
import secrets
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import IO, TypeAlias, cast

from pdfingest.client.errors import ClientError

Pdf: TypeAlias = str | os.PathLike[str] | bytes | bytearray | IO[bytes]
"""A path, the content itself, or a file that is open for reading bytes."""
_PIECE_BYTES = 256 << 10
_NAMELESS = "document.pdf"
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""As browsers do it (WHATWG HTML, 4.10.21.8), so that a name cannot end its header."""


class Form:
    """A form with one file, which can be sent again as long as its file can be read again.

    Args:
        pdf: the file. An open file is read from where it stands to its end, and stays open.
        name: what the service calls the file; by default, the last part of its path.
        fields: the other fields, each with its values.

    Raises:
        OSError: there is no such file.
        TypeError: the file is open for text.
    """

    def __init__(self, pdf: Pdf, name: str, fields: Mapping[str, Iterable[str]]) -> None:
        self._file = _opened(pdf)
        boundary = secrets.token_hex(16)
        self._type = f"multipart/form-data; boundary={boundary}"
        parts = [_head(boundary, key) + value for key, values in fields.items() for value in values]
        file = _head(boundary, "file", name or self._file.name)
        # A name that is not UTF-8 goes as its bytes.
        self._before = "\r\n".join([*parts, file]).encode("utf-8", "surrogateescape")
        self._after = f"\r\n--{boundary}--\r\n".encode()

    @property
    def headers(self) -> dict[str, str]:
        """Type and, where it is known, length of the body."""
        length = self._file.length
        around = len(self._before) + len(self._after)
        known = {} if length is None else {"Content-Length": str(around + length)}
        return {"Content-Type": self._type, **known}

    @property
    def repeatable(self) -> bool:
        """Whether the body can be sent now, be it for the first time or again."""
        return self._file.repeatable

    def pieces(self) -> Iterator[bytes]:
        """Read the body, piece by piece, from the beginning; no piece is empty.

        Raises:
            ClientError: the file changed its length meanwhile.
        """
        yield self._before
        yield from self._file.pieces()
        yield self._after


class _File(ABC):
    """A file that is opened whenever it is sent, or that somebody else has opened."""

    def __init__(self, name: str, length: int | None) -> None:
        self.name, self.length = name, length
        self._regular, self._begun = length is not None, False

    @property
    def repeatable(self) -> bool:
        return self._regular or not self._begun  # what a pipe held is gone once it was read

    def pieces(self) -> Iterator[bytes]:
        self._begun = True
        read = 0
        with self._open() as file:
            while piece := file.read(_PIECE_BYTES):
                read += len(piece)
                if self.length is not None and read > self.length:
                    raise _changed(self.name)
                yield piece
        if self.length is not None and read < self.length:
            raise _changed(self.name)

    @abstractmethod
    def _open(self) -> AbstractContextManager[IO[bytes]]: ...


class _OnDisk(_File):
    """A file that is named by its path."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        found = os.stat(self._path)
        regular = stat.S_ISREG(found.st_mode)
        super().__init__(os.path.basename(self._path), found.st_size if regular else None)

    def _open(self) -> IO[bytes]:
        return cast("IO[bytes]", open(self._path, "rb", buffering=0))


class _Open(_File):
    """A file that is open already; the rest of it counts."""

    def __init__(self, file: IO[bytes]) -> None:
        self._opened, self._start = file, 0
        length = None
        if file.seekable():
            self._start = file.tell()
            length = file.seek(0, os.SEEK_END) - self._start
            file.seek(self._start)
        name = getattr(file, "name", None)
        super().__init__(os.path.basename(name) if isinstance(name, str) else _NAMELESS, length)

    def _open(self) -> AbstractContextManager[IO[bytes]]:
        if self._regular:
            self._opened.seek(self._start)
        return nullcontext(self._opened)


def _opened(pdf: Pdf) -> _File:
    if isinstance(pdf, str | os.PathLike):
        return _OnDisk(pdf)
    if isinstance(pdf, bytes | bytearray):
        return _Open(io.BytesIO(pdf))
    if isinstance(cast("object", pdf), io.TextIOBase):
        raise TypeError("the file is open for text. Open it with mode 'rb'.")
    return _Open(pdf)


def _head(boundary: str, field: str, name: str = "") -> str:
    file = f'; filename="{name.translate(_ESCAPES)}"' if name else ""
    kind = "Content-Type: application/pdf\r\n" if name else ""
    escaped = field.translate(_ESCAPES)
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{escaped}"{file}\r\n{kind}\r\n'


def _changed(name: str) -> ClientError:
    return ClientError("changed", f"{name} changed its length while it was sent. Send it again.")
