"""Flight recorder: what a child was doing, readable after any death, SIGKILL included.

    0        8          72         136     152                4096
    ├─ turn ─┼─ note 0 ─┼─ note 1 ─┼─ end ─┼─ unused ─ … ─────┼─ stack of where it hung … ─ …

A small file for each lane. The child maps it, and writes each note into the slot that is not
current and then turns to it, so that a kill at any instant leaves a whole note; a store to a mapped
page outlives its process (mmap(2), MAP_SHARED). Why no pipe: what a dead child had not sent yet
would be lost, and a note costs a system call.

The parent reads the file and does not map it: a child that a file has taken over could truncate it,
and then to look at a mapping is SIGBUS. For the same reason the parent believes a note only as far
as it is about the job that the child was given.

The end is the parent's word to the child: the page before which it shall stop, as another lane has
taken the rest. Behind the notes stands what `faulthandler` writes: the stack, in a crash or when
the parent asks.
"""

import mmap
import os
import struct
import time
from collections.abc import Sequence
from typing import NamedTuple

from pdfingest.model import Aside

_NOTE = struct.Struct("=QQQQQdQQ")
_TURN = struct.Struct("=Q")
_END = struct.Struct("=QQ")
_ASIDE = struct.Struct("=Q")
_SLOTS = (8, 72)
_END_AT = 136
_ASIDE_AT = 56
"""Offset of the aside in a note."""
NOTES_BYTES = 4096
_STACK_BYTES = 64 << 10
_ASIDES: Sequence[Aside | None] = (None, *Aside)


class Note(NamedTuple):
    """What a child was doing at one moment of a job."""

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
    hashed_bytes: int = 0
    """How much of the file has been hashed, before it is opened."""
    aside: Aside | None = None
    """What is being read beside the text; None while it is the text."""


DONE = (1 << 64) - 1
"""Page of the note that a child leaves when its answer is ready."""


def unknown(ticket: int) -> Note:
    """Return the note of a child that has begun, and of which nothing else is known."""
    return Note(ticket, at_s=time.monotonic())


class Recorder:
    """The child's side of a flight recorder, which takes notes."""

    def __init__(self, path: str, ticket: int) -> None:
        self._ticket = ticket
        self._file = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
        self._map = mmap.mmap(self._file, NOTES_BYTES)
        if os.lseek(self._file, 0, os.SEEK_END) != NOTES_BYTES:
            os.ftruncate(self._file, NOTES_BYTES)  # the stack of an earlier job
            os.lseek(self._file, NOTES_BYTES, os.SEEK_SET)
        self._turn = int(_TURN.unpack_from(self._map)[0])
        self.note()

    def fileno(self) -> int:
        """Return the descriptor, whose offset is behind the notes, for `faulthandler`."""
        return self._file

    def close(self) -> None:
        """Close the file; only a process that outlives its job needs to."""
        self._map.close()
        os.close(self._file)

    def note(
        self,
        engine: int = 0,
        page: int = 0,
        total_pages: int = 0,
        spool_bytes: int = 0,
        hashed_bytes: int = 0,
    ) -> None:
        """Leave a note of what begins now."""
        self._noted = engine, page, total_pages, spool_bytes, hashed_bytes
        self._turn += 1
        now_s = time.monotonic()
        fields = (self._ticket, engine, page, total_pages, spool_bytes, now_s, hashed_bytes, 0)
        _NOTE.pack_into(self._map, _SLOTS[self._turn % 2], *fields)
        _TURN.pack_into(self._map, 0, self._turn)

    def note_progress(self) -> None:
        """Leave the last note again: what it says goes on, with the time of a page anew."""
        self.note(*self._noted)

    def note_aside(self, aside: Aside | None) -> None:
        """Add to the current note what is read beside the text from now on; None for the text."""
        code = _ASIDES.index(aside)
        _ASIDE.pack_into(self._map, _SLOTS[self._turn % 2] + _ASIDE_AT, code)

    def told_to_end(self) -> int:
        """Return the number, 1-based, of the page before which to stop; 0 for none."""
        ticket, page = _END.unpack_from(self._map, _END_AT)
        return int(page) if ticket == self._ticket else 0


class Playback:
    """The parent's side of a flight recorder, which makes its file and reads it."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self._file, NOTES_BYTES)

    def read(self, ticket: int) -> Note | None:
        """Read the newest note of an attempt; None if its child has left none.

        The time of the note is never later than now. A note that cannot be is `unknown`.
        """
        content = os.pread(self._file, _END_AT, 0)
        if len(content) < _END_AT:
            return unknown(ticket)
        turn = int(_TURN.unpack_from(content)[0])
        *fields, aside = _NOTE.unpack_from(content, _SLOTS[turn % 2])
        note = Note(*fields)
        if note.ticket != ticket:
            return None
        if aside >= len(_ASIDES) or not note.at_s >= 0:
            return unknown(ticket)
        return note._replace(at_s=min(note.at_s, time.monotonic()), aside=_ASIDES[aside])

    def tell_end(self, ticket: int, page: int) -> None:
        """Have the child of an attempt stop before a page."""
        for content in (_END.pack(0, page), _END.pack(ticket, page)):
            os.pwrite(self._file, content, _END_AT)

    def stack(self) -> str:
        """Return the stack that the child left; empty if it left none."""
        content = os.pread(self._file, _STACK_BYTES, NOTES_BYTES)
        return content.decode("utf-8", "replace").strip()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
