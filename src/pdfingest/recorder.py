"""Flight recorder: what a child was doing, readable after any death, SIGKILL included.

    0        8          64         120     136                4096
    ├─ turn ─┼─ note 0 ─┼─ note 1 ─┼─ end ─┼─ unused ─ … ─────┼─ stack of where it hung … ─ …

A small file for each lane, mapped into the memory of both sides. The child writes each note into
the slot that is not current and then turns to it, so that a kill at any instant leaves a whole
note; a store to a mapped page outlives its process (mmap(2), MAP_SHARED). Why no pipe: what a dead
child had not sent yet would be lost, and a note costs a system call.

The end is the parent's word to the child: the page before which it shall stop, as another lane has
taken the rest. Behind the notes stands what `faulthandler` writes: the stack, in a crash or when
the parent asks.
"""

import mmap
import os
import struct
import time
from dataclasses import dataclass

_NOTE = struct.Struct("=QQQQQdQ")
_TURN = struct.Struct("=Q")
_END = struct.Struct("=QQ")
_END_AT = 120
NOTES_BYTES = 4096
_STACK_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Note:
    """One moment of a job."""

    ticket: int = 0
    """The attempt that the child is on; 0 if it has announced none."""
    engine: int = 0
    """0-based index into the job's engines."""
    page: int = 0
    """1-based number of the page that is being read; 0 while the file is opened."""
    total_pages: int = 0
    """0 until the file is open."""
    spool_bytes: int = 0
    """Length of the spool at the start of the page; what follows may be torn."""
    at_s: float = 0.0
    """When the page began, on the monotonic clock that all processes share."""
    pid: int = 0


DONE = (1 << 64) - 1
"""Page of the note that a child leaves when its answer is ready."""


def _slot(turn: int) -> int:
    """Offset of the note that is current at a turn."""
    return 8 if turn % 2 == 0 else 64


class Recorder:
    """The child's side: takes notes."""

    def __init__(self, path: str, ticket: int) -> None:
        self._ticket = ticket
        self._pid = os.getpid()
        self._file = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        self._map = mmap.mmap(self._file, NOTES_BYTES)
        if os.lseek(self._file, 0, os.SEEK_END) != NOTES_BYTES:
            os.ftruncate(self._file, NOTES_BYTES)  # the stack of an earlier job
            os.lseek(self._file, NOTES_BYTES, os.SEEK_SET)
        self._turn = _TURN.unpack_from(self._map)[0]
        self.note()

    def fileno(self) -> int:
        """The descriptor behind the notes, for `faulthandler`."""
        return self._file

    def close(self) -> None:
        """Let go of the file; only a process that outlives its job needs to."""
        self._map.close()
        os.close(self._file)

    def note(
        self, engine: int = 0, page: int = 0, total_pages: int = 0, spool_bytes: int = 0
    ) -> None:
        """Leave a note of what begins now."""
        self._turn += 1
        now_s = time.monotonic()
        fields = (self._ticket, engine, page, total_pages, spool_bytes, now_s, self._pid)
        _NOTE.pack_into(self._map, _slot(self._turn), *fields)
        _TURN.pack_into(self._map, 0, self._turn)

    def told_to_end(self) -> int:
        """The page before which to stop, 1-based; 0 for none."""
        ticket, page = _END.unpack_from(self._map, _END_AT)
        return int(page) if ticket == self._ticket else 0


class Playback:
    """The parent's side: makes the file and reads it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self._file, NOTES_BYTES)
        self._map = mmap.mmap(self._file, NOTES_BYTES)

    def read(self, ticket: int) -> Note | None:
        """The newest note of an attempt; None if its child has not announced itself."""
        turn = _TURN.unpack_from(self._map)[0]
        note = Note(*_NOTE.unpack_from(self._map, _slot(turn)))
        return note if note.ticket == ticket else None

    def tell_end(self, ticket: int, page: int) -> None:
        """Have the child of an attempt stop before a page."""
        _END.pack_into(self._map, _END_AT, 0, page)
        _END.pack_into(self._map, _END_AT, ticket, page)

    def stack(self) -> str:
        """The stack that the child left; empty if it left none."""
        content = os.pread(self._file, _STACK_BYTES, NOTES_BYTES)
        return content.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Let go of the file."""
        self._map.close()
        os.close(self._file)
