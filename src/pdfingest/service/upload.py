"""An upload on its way to the disk: counted, hashed, looked at, and gone again if it fails.

    socket ─▶ multipart parser ─▶ 256 KiB ─▶ thread: SHA-256, write ─▶ scratch

No more of a file is in memory than that, however long it is; the event loop never writes.
"""

import hashlib
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
from anyio import to_thread
from fastapi import Request

from pdfingest.service.body import check_headers, pieces, too_large
from pdfingest.service.form import Form
from pdfingest.service.jobs import new_id
from pdfingest.service.problems import Problem, no_room

_WRITE_BYTES = 256 << 10
_MAGIC, _MAGIC_WITHIN = b"%PDF-", 1024
_FORM_BYTES = 1 << 20
"""What a form may have beside its file, boundaries and an epilogue included."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has come, whole."""

    path: str
    name: str
    """As the client calls it, cleaned; never a path."""
    size_bytes: int
    sha256: str
    fields: dict[str, list[str]]
    """The other parts of the form."""


class _Landing:
    """The file in the making.

    Args:
        path: where it goes; made with the first bytes, once they are those of a PDF.
        most: bytes that it may have.
    """

    def __init__(self, path: str, most: int) -> None:
        self._path, self._most = path, most
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self._file = -1
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of what was written."""
        return self._hash.hexdigest()

    def take(self, data: memoryview) -> None:
        """Take bytes of the file, which the next `flush` writes."""
        self.size_bytes += len(data)
        if self.size_bytes > self._most:
            raise too_large(self._most)
        self._buffer += data

    async def flush(self, *, last: bool = False) -> None:
        """Write what there is, if it is enough to be worth it, or the last."""
        if self._file < 0 and (last or len(self._buffer) >= _MAGIC_WITHIN):
            if _MAGIC not in self._buffer[:_MAGIC_WITHIN]:
                raise Problem(415, "not a PDF", "The first KiB of the file does not hold %PDF-.")
            await to_thread.run_sync(self._open)
        if last or len(self._buffer) >= _WRITE_BYTES:
            await to_thread.run_sync(self._write)

    def discard(self) -> None:
        """Close it, and delete it unless it was moved."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
            with suppress(FileNotFoundError):
                os.unlink(self._path)

    def _open(self) -> None:
        """Make the file."""
        try:
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError:
            raise no_room() from None

    def _write(self) -> None:
        """Write what there is."""
        self._hash.update(self._buffer)
        rest = memoryview(self._buffer)
        try:
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            raise no_room() from None
        finally:
            rest.release()
        self._buffer = bytearray()


def check_upload(request: Request, most: int) -> None:
    """Refuse an upload by its headers; most is what the file may have, in bytes.

    Raises:
        Problem: 413 or 415.
    """
    check_headers(request, most + _FORM_BYTES)


@asynccontextmanager
async def receive_upload(request: Request, scratch: str, most: int) -> AsyncGenerator[Upload]:
    """Receive the one file of a multipart form; at the end it is deleted, unless it was moved.

    Args:
        request: whose body is still to be read.
        scratch: directory for the file.
        most: bytes that it may have.

    Raises:
        Problem: 400, 408, 413, 415, 422 or 507.
    """
    path = os.path.join(scratch, f"{new_id()}.part")
    landing = _Landing(path, most)
    form = Form(request.headers.get("content-type", ""), landing.take)
    try:
        async for piece in pieces(request, most + _FORM_BYTES):
            form.feed(piece)
            await landing.flush()
        form.close()
        await landing.flush(last=True)
        yield Upload(path, form.name, landing.size_bytes, landing.sha256, form.fields)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(landing.discard)
