"""An upload on its way to the disk: counted, hashed, checked, and deleted again if it fails.

    socket ─▶ multipart parser ─▶ 256 KiB ─▶ thread: SHA-256, write ─▶ scratch

Owns the file until a ticket takes it. However long it is, no more of it than that is in memory, and
the event loop never writes.
"""

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
from anyio import to_thread
from fastapi import Request

from pdfingest.service.body import pieces, too_large
from pdfingest.service.form import Form
from pdfingest.service.problems import Problem, no_room
from pdfingest.service.ticket import new_id

_WRITE_BYTES = 256 << 10
_MAGIC, _MAGIC_WITHIN = b"%PDF-", 1024
FORM_BYTES = 1 << 20
"""Bytes that a form may have beside its file, boundaries and an epilogue included."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has come as a whole."""

    path: str
    """Where the file is, until it is moved or deleted."""
    name: str
    """What the client calls the file, as one printable line; never a path."""
    size_bytes: int
    sha256: str
    fields: dict[str, list[str]]
    """The other parts of the form by name."""


class _Incoming:
    """A file of at most `most` bytes that is still coming; created once it looks like a PDF."""

    def __init__(self, path: str, most: int) -> None:
        self._path, self._most = path, most
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self._file = -1
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Hash, in hex, of what was written."""
        return self._hash.hexdigest()

    def take(self, data: memoryview) -> None:
        """Take bytes of the file, which the next `flush` may write."""
        self.size_bytes += len(data)
        if self.size_bytes > self._most:
            raise too_large(self._most)
        self._buffer += data

    async def flush(self, *, last: bool = False) -> None:
        """Write what has come, if it is the last or enough to be worth a thread."""
        if self._file < 0 and (last or len(self._buffer) >= _MAGIC_WITHIN):
            if _MAGIC not in self._buffer[:_MAGIC_WITHIN]:
                raise Problem(415, "not a PDF", "The first KiB of the file does not hold %PDF-.")
            await to_thread.run_sync(self._open)
        if last or len(self._buffer) >= _WRITE_BYTES:
            await to_thread.run_sync(self._write)

    def discard(self) -> None:
        """Close the file, and delete it unless it was moved."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            with suppress(FileNotFoundError):
                os.unlink(self._path)

    def _open(self) -> None:
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            raise no_room() from None

    def _write(self) -> None:
        self._hash.update(self._buffer)
        rest = memoryview(self._buffer)
        try:
            while rest:  # a disk that is nearly full takes a part
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            raise no_room() from None
        finally:
            rest.release()
        self._buffer = bytearray()


@asynccontextmanager
async def receive_upload(request: Request, scratch: str, most: int) -> AsyncGenerator[Upload]:
    """Receive the one file of a multipart form; it is deleted after the block unless it was moved.

    Args:
        request: the request, whose body is still to be read.
        scratch: directory for the file.
        most: bytes that the file may have.

    Raises:
        Problem: 400, 408, 413, 415, 422 or 507.
    """
    path = os.path.join(scratch, f"{new_id()}.part")
    file = _Incoming(path, most)
    form = Form(request.headers.get("content-type", ""), file.take)
    try:
        async for piece in pieces(request, most + FORM_BYTES):
            form.feed(piece)
            await file.flush()
        form.close()
        await file.flush(last=True)
        yield Upload(path, form.name, file.size_bytes, file.sha256, form.fields)
    finally:
        # A client that went away has cancelled this request, and its file must go all the same.
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(file.discard)
