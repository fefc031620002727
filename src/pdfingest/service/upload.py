"""Uploads on their way to the disk: counted, hashed, checked, and deleted again if they fail.

    socket ─▶ multipart parser ─▶ 256 KiB ─▶ thread: SHA-256, write ─▶ scratch

Owns the files of a form until tickets take them. However long they are, no more of them than that
is in memory, and the event loop never writes.
"""

import hashlib
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import anyio
from anyio import to_thread
from fastapi import Request

from pdfingest.service.body import pieces, too_large
from pdfingest.service.form import MOST_FILES, Form
from pdfingest.service.problems import Problem, no_room
from pdfingest.service.ticket import new_id

_WRITE_BYTES = 256 << 10
_MAGIC, _MAGIC_WITHIN = b"%PDF-", 1024
_IN_VAIN_BYTES = 4 << 20
"""Bytes of a form that are read though none of its files was a PDF so far: another may follow."""
FORM_BYTES = 1 << 20
"""Bytes that a form may have beside its files, boundaries and an epilogue included."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that has come as a whole."""

    path: str
    """Where the file is, until it is moved or deleted."""
    name: str
    """What the client calls the file, as one printable line; never a path."""
    size_bytes: int
    sha256: str
    problem: Problem | None = None
    """Why it is refused, and not on the disk; None if it is there."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a form held."""

    uploads: Callable[[], list[Upload]]
    """Gives the files, of which the last is written by this; it raises 507 if it cannot."""
    fields: dict[str, list[str]]
    """The other parts of the form by name."""
    discard: Callable[[], None]
    """Deletes the files that were not moved."""


class _Incoming:
    """The files of a form, of at most `most` bytes together, one after the other."""

    def __init__(self, scratch: str, most: int) -> None:
        self._scratch, self._most = scratch, most
        self._total_bytes = 0
        self._files: list[_File] = []
        self._ended = 0
        """How many of them are written to their end."""

    def __bool__(self) -> bool:
        return bool(self._files)

    def begin(self, name: str) -> None:
        """Begin a file, at which the one before it has ended."""
        self._files.append(_File(os.path.join(self._scratch, f"{new_id()}.part"), name))

    def take(self, data: memoryview) -> None:
        """Take bytes of the file, which the next `flush` may write."""
        self._total_bytes += len(data)
        if self._total_bytes > self._most:
            raise too_large(self._most)
        self._files[-1].take(data)

    async def flush(self) -> None:
        """Write what has come, as far as it is worth a thread."""
        for file in self._files[self._ended : -1]:
            await to_thread.run_sync(file.end)
            self._ended += 1
        if self._files and self._files[-1].is_heavy():
            await to_thread.run_sync(self._files[-1].write)

    def give_up(self) -> None:
        """Raise the problem of the first file if all are refused, and much has come for nothing."""
        refused = [each.problem for each in self._files if each.problem]
        if self._total_bytes > _IN_VAIN_BYTES and len(refused) == len(self._files):
            raise refused[0]

    def uploads(self) -> list[Upload]:
        """Return all files, of which the last is written to its end."""
        for file in self._files[self._ended :]:
            file.end()
        return [each.upload() for each in self._files]

    def discard(self) -> None:
        """Delete the files that were not moved, once."""
        while self._files:
            self._files.pop().discard()


class _File:
    """A file that is still coming; created once it looks like a PDF."""

    def __init__(self, path: str, name: str) -> None:
        self._path, self._name = path, name
        self._buffer = bytearray()
        self._hash = hashlib.sha256()
        self._file = -1
        self._size_bytes = 0
        self.problem: Problem | None = None
        """Why it is refused."""

    def upload(self) -> Upload:
        """Return the file as a whole."""
        digest = self._hash.hexdigest()
        return Upload(self._path, self._name, self._size_bytes, digest, self.problem)

    def take(self, data: memoryview) -> None:
        """Take bytes, unless the file is refused already."""
        self._size_bytes += len(data)
        if self.problem is None:
            self._buffer += data

    def is_heavy(self) -> bool:
        """Tell whether what has come is enough to be worth a thread; refuses what is no PDF."""
        if self._file < 0 and len(self._buffer) >= _MAGIC_WITHIN:
            self._check()
        return len(self._buffer) >= _WRITE_BYTES

    def end(self) -> None:
        """Write what is left."""
        if self._file < 0:
            self._check()
        if self.problem is None:
            self.write()
        self._close()

    def discard(self) -> None:
        """Close the file, and delete it unless it was moved."""
        self._close()
        with suppress(FileNotFoundError):
            os.unlink(self._path)

    def write(self) -> None:
        """Write what has come."""
        self._hash.update(self._buffer)
        rest = memoryview(self._buffer)
        try:
            if self._file < 0:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            while rest:  # a disk that is nearly full takes a part
                rest = rest[os.write(self._file, rest) :]
        except OSError:
            raise no_room() from None
        finally:
            rest.release()
        self._buffer = bytearray()

    def _check(self) -> None:
        if self.problem is None and _MAGIC not in self._buffer[:_MAGIC_WITHIN]:
            detail = "The first KiB of the file does not hold %PDF-."
            self.problem = Problem(415, "not a PDF", detail)
            self._buffer = bytearray()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


@asynccontextmanager
async def receive_form(
    request: Request, scratch: str, most: int, most_files: int = MOST_FILES
) -> AsyncGenerator[Received]:
    """Receive a multipart form; its files are deleted after the block unless they were moved.

    Args:
        request: the request, whose body is still to be read.
        scratch: directory for the files.
        most: bytes that the files may have together.
        most_files: files that there may be.

    Raises:
        Problem: 400, 408, 413, 415, 422 or 507. That one of several files is refused is no problem
            of the form; the upload says it.
    """
    files = _Incoming(scratch, most)
    form = Form(request.headers.get("content-type", ""), files.begin, files.take, most_files)
    try:
        async for piece in pieces(request, most + FORM_BYTES):
            form.feed(piece)
            await files.flush()
            files.give_up()
        form.close()
        yield Received(files.uploads, form.fields, files.discard)
    finally:
        if files:
            # A client that went away cancels the request, and its files must go all the same.
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(files.discard)
