"""The check of a spool: the parent takes nothing from it that is not a record of the source.

A hostile file that takes control of its child can write anything into its spool. So before bytes of
a spool reach the outputs, each line must be what `record` writes: valid UTF-8, one JSON object with
the keys and types of a record in their order (`patterns`), with the name, the hash and the id of
the source, and page numbers that ascend. The spool counts up to the first line that is anything
else, and the pages behind it are lost.
"""

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from typing import NamedTuple, TypeAlias

from pdfingest.exchange.patterns import HEAD, HEAD_BYTES, TEXT, tail_of
from pdfingest.exchange.record import encode_text, record_id
from pdfingest.job import Job
from pdfingest.model import FailureKind, Unit
from pdfingest.outcome import Extracted, Failed, Outcome

_MOST_TAIL_BYTES = 16 << 20  # what follows a text: room for the offsets of two million pages
_PIECE_BYTES = 64 << 10
_ESCAPE_BYTES = 6  # the longest escape, such as that of U+2028
_NO_RECORD = "its child wrote lines that are not records of it"

_Counts: TypeAlias = tuple[int, int, bool, bool]
"""What a record says: the number of its page, of a chunk its own, 0 for a document; characters;
whether it needs OCR, and whether OCR read some of it."""


@dataclass(slots=True)
class Contents:
    """What a spool holds up to the first line that is not a record of the source."""

    length: int = 0
    """Number of bytes up to the end of the last record."""
    records: int = 0
    last_page: int = 0
    """Page number, 1-based, of the last record, or number of the last chunk; 0 for a document."""
    lost: list[int] = field(default_factory=list[int])
    """Numbers, 1-based, of the pages before the last record that have no record."""
    chars: int = 0
    needs_ocr_pages: int = 0
    ocr_pages: int = 0
    is_whole: bool = True
    """Whether the spool holds nothing else."""


def read_contents(path: str, unit: Unit, source: str, sha256: str) -> Contents:
    """Check and count the records of a spool. Runs in the parent, after the child has ended.

    Args:
        path: path of the spool; one that does not exist counts as empty.
        unit: what a record holds.
        source: name of the source.
        sha256: hash of the file, as its child reported it.

    Raises:
        OSError: the spool cannot be read.
    """
    contents = Contents()
    try:
        file = FileIO(path)
    except FileNotFoundError:
        return contents
    with file:
        scan = _Scan(file)
        for page, chars, needs_ocr, has_ocr in _records(scan, unit, source, sha256):
            contents.length = scan.offset
            contents.records += 1
            contents.lost += range(contents.last_page + 1, page)
            contents.last_page = page
            contents.chars += chars
            contents.needs_ocr_pages += needs_ocr
            contents.ocr_pages += has_ocr
        contents.is_whole = contents.length == file.seek(0, 2)
    return contents


def audited(outcome: Outcome, job: Job) -> Outcome:
    """Correct an outcome by what the spool really holds, and cut off what is not a record.

    Runs in the parent, after the child has ended.

    Args:
        outcome: outcome of a whole source, as its children reported it.
        job: job whose spool holds the records.

    Raises:
        OSError: the spool cannot be read or cut.
    """
    if not isinstance(outcome, Extracted):
        return outcome
    contents = read_contents(job.spool, job.unit, job.source.name, outcome.sha256)
    if not contents.is_whole:
        os.truncate(job.spool, contents.length)
    is_cut = job.unit is Unit.CHUNK and not contents.is_whole  # and nobody knows which pages are
    if is_cut or not contents.records:
        lost = tuple(range(1, outcome.last_page + 1))
        return Failed(
            FailureKind.ENGINE_ERROR, _NO_RECORD, outcome.cost, outcome.sha256, outcome.engine, lost
        )
    if job.unit is not Unit.PAGE:
        return outcome  # the records do not say which pages were read
    lost = (*contents.lost, *range(contents.last_page + 1, outcome.last_page + 1))
    found = outcome._replace(
        pages=contents.records,
        chars=contents.chars,
        needs_ocr_pages=contents.needs_ocr_pages,
        ocr_pages=contents.ocr_pages,
        failed_pages=lost,
    )
    if found == outcome:
        return outcome
    failure = (outcome.failure or FailureKind.ENGINE_ERROR) if lost else None
    return found._replace(failure=failure, message=outcome.message or _NO_RECORD)


class _Expected(NamedTuple):
    """What every record of the source must have, encoded as in the spool."""

    unit: Unit
    id: bytes
    name: bytes
    sha256: bytes

    def follows(self, head: "re.Match[bytes]", before: int) -> bool:
        """Return whether a record with this head may follow that with the number `before`."""
        page, chunk = head.group("page", "chunk")
        match self.unit:
            case Unit.DOCUMENT:
                return page is None and before < 0
            case Unit.PAGE:
                return page is not None and chunk is None and int(page) > max(before, 0)
            case Unit.CHUNK:
                return chunk is not None and int(page) > 0 and int(chunk) == max(before, 0) + 1

    def fits(self, tail: "re.Match[bytes]", head: "re.Match[bytes]") -> bool:
        """Return whether the part of a record behind its text is of this source and this head."""
        numbers = tail.group("metadata_page", "metadata_chunk")
        return (
            tail.group("source", "metadata_source") == (self.name, self.name)
            and tail["metadata_sha256"] == self.sha256
            and [*map(int, numbers)] == [int(each or 0) for each in head.group("page", "chunk")]
        )


def _records(scan: "_Scan", unit: Unit, source: str, sha256: str) -> Iterator[_Counts]:
    """Step over the records of a spool, up to the first line that is not one."""
    name = b'"%s"' % encode_text(source)
    expected = _Expected(unit, record_id(source, sha256).encode(), name, b'"%s"' % sha256.encode())
    before = -1
    while (counts := _record(scan, expected, before)) is not None:
        yield counts
        before = counts[0]


def _record(scan: "_Scan", expected: _Expected, before: int) -> _Counts | None:
    """Step over one record; None if what comes next is not one."""
    head = scan.head()
    if head is None or head["id"] != expected.id or not expected.follows(head, before):
        return None
    if not scan.skip_text():
        return None
    tail = tail_of(expected.unit).fullmatch(scan.tail())
    if tail is None or not _is_utf8(tail[0]) or not expected.fits(tail, head):
        return None
    number = int(head["chunk"] or head["page"] or 0)
    needs_ocr, has_ocr = tail["metadata_needs_ocr"] == b"true", tail["metadata_ocr_chars"] != b"0"
    return number, int(tail["metadata_char_count"]), needs_ocr, has_ocr


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Scan:
    """A position in a spool, moving from record to record, with some KiB of the file in memory."""

    def __init__(self, file: FileIO) -> None:
        self.offset = 0
        """Position in the file, in bytes."""
        self._file = file
        self._window = b""
        self._at = 0  # position in the window

    def head(self) -> "re.Match[bytes] | None":
        """Step over the head of a record; None if what comes next is not one."""
        if len(self._window) - self._at < HEAD_BYTES:
            self._read_more()
        match = HEAD.match(self._window, self._at)
        if match:
            self._step_to(match.end())
        return match

    def skip_text(self) -> bool:
        """Step over the text, up to the quote that ends it; False if it is not valid."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        while match := TEXT.match(self._window, self._at):
            try:
                decoder.decode(match[0])
            except UnicodeDecodeError:
                return False
            self._step_to(match.end())
            if self._window.startswith(b'",', self._at):
                return decoder.getstate()[0] == b""  # else the last character is torn
            # The match may have ended before an escape that goes on in the next piece.
            if len(self._window) - self._at >= _ESCAPE_BYTES or not self._read_more():
                break
        return False

    def tail(self) -> bytes:
        """Step over what follows the text, up to the end of the line.

        Returns:
            What was stepped over, without the quote and the comma that end the text; empty if the
            line does not end, or is too long.
        """
        while (end := self._window.find(b"\n", self._at) + 1) == 0:
            if len(self._window) - self._at > _MOST_TAIL_BYTES or not self._read_more():
                return b""
        tail = self._window[self._at + 2 : end]
        self._step_to(end)
        return tail

    def _step_to(self, at: int) -> None:
        self.offset += at - self._at
        self._at = at

    def _read_more(self) -> bool:
        """Append a piece of the file to the rest of the window; False at the end of the file."""
        piece = self._file.read(_PIECE_BYTES)
        self._window, self._at = self._window[self._at :] + piece, 0
        return bool(piece)
