"""Contents of a spool: which of its bytes are records of the source, judged by the parent.

    {"id":"3f2a9c0e51b7d844:p0003","text":" … ","source":"a.pdf", … }
    ╰──────────── head ──────────────────╯╰ text ╯╰───── tail ───────╯

A file that has taken its child over can write anything into its spool. So before the bytes of a
spool reach the outputs, each line must be what `record` writes: valid UTF-8, one JSON object with
the keys and types of a record in their order, the source's own name, hash and id, page numbers that
ascend. From the first line that is not so on, the spool does not count.

Why regular expressions and no JSON parser: a parser holds the text as a whole, and the parent's
memory must not depend on how long it is. They are made from a record, so that there is no second
list of its keys.
"""

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import FileIO
from typing import Any, TypeAlias

from pdfingest.exchange.record import (
    DocumentFacts,
    document_tail,
    encode_text,
    page_record,
    record_id,
)
from pdfingest.model import (
    EngineSpec,
    Extracted,
    Failed,
    FailureKind,
    Job,
    Outcome,
    Page,
    Unit,
)

MOST_TAIL_BYTES = 16 << 20
"""Most that a record may hold beside its text: the offsets of two million pages."""
_PIECE_BYTES = 64 << 10
_HEAD = re.compile(rb'\{"id":"(?P<id>[0-9a-f]{16})(?::p(?P<page>\d{4,15}))?","text":"')
_HEAD_BYTES = 64
"""No head is longer than this."""
_CHARACTERS = rb'(?:[^"\\\x00-\x1f]++|\\(?:["\\nt]|u0085|u2028|u2029))*+'
"""What `record.encode_text` makes of a clean text."""
_NAME_CHARACTERS = _CHARACTERS.replace(rb'["\\nt]', rb'["\\bfnrt]').replace(
    b"u0085", b"u00[01][0-9a-f]|u0085"
)
"""What it makes of a file's name, in which control characters are as good as any."""
_TEXT = re.compile(_CHARACTERS)
_ESCAPE_BYTES = 6

_NO_RECORD = "its child wrote what is no record of it"

_Told: TypeAlias = tuple[int, int, bool]
"""What a record tells of its page: number, 0 for a document; characters; whether it needs OCR."""


@dataclass(slots=True)
class Contents:
    """What a spool holds, as far as it is records of the source."""

    length: int = 0
    """Bytes up to the end of the last record."""
    records: int = 0
    last_page: int = 0
    """Number, 1-based, of the page of the last record; 0 for a document."""
    lost: list[int] = field(default_factory=list[int])
    """Numbers of the pages before it that have no record."""
    chars: int = 0
    needs_ocr_pages: int = 0
    is_whole: bool = True
    """Whether that is all of the spool."""


def read_contents(path: str, unit: Unit, source: str, sha256: str) -> Contents:
    """Read a spool. Runs in the parent, when no child can write to it any more.

    Args:
        path: of the spool; one that is not there is empty.
        unit: what a record holds.
        source: name of the source.
        sha256: of the file, as its child said.

    Raises:
        OSError: it cannot be read.
    """
    contents = Contents()
    try:
        file = FileIO(path)
    except FileNotFoundError:
        return contents
    with file:
        scan = _Scan(file)
        for page, chars, needs_ocr in _records(scan, unit, source, sha256):
            contents.length = scan.offset
            contents.records += 1
            contents.lost += range(contents.last_page + 1, page)
            contents.last_page = page
            contents.chars += chars
            contents.needs_ocr_pages += needs_ocr
        contents.is_whole = contents.length == file.seek(0, 2)
    return contents


def audited(outcome: Outcome, job: Job) -> Outcome:
    """Correct an outcome by what is in the spool, and cut off what is no record.

    Runs in the parent, when no child can write to the spool any more.

    Args:
        outcome: of a whole source.
        job: whose spool holds the records.

    Raises:
        OSError: the spool cannot be read, or not be cut.
    """
    if not isinstance(outcome, Extracted):
        return outcome
    contents = read_contents(job.spool, job.unit, job.source.name, outcome.sha256)
    if not contents.is_whole:
        os.truncate(job.spool, contents.length)
    if not contents.records:
        lost = tuple(range(1, outcome.last_page + 1))
        return Failed(
            *(FailureKind.ENGINE_ERROR, _NO_RECORD, outcome.cost),
            *(outcome.sha256, outcome.engine, lost),
        )
    if job.unit is Unit.DOCUMENT:
        return outcome
    lost = (*contents.lost, *range(contents.last_page + 1, outcome.last_page + 1))
    found = contents.records, contents.chars, contents.needs_ocr_pages, lost
    if found == (outcome.pages, outcome.chars, outcome.needs_ocr_pages, outcome.failed_pages):
        return outcome
    return replace(
        outcome,
        pages=contents.records,
        chars=contents.chars,
        needs_ocr_pages=contents.needs_ocr_pages,
        failed_pages=lost,
        failure=(outcome.failure or FailureKind.ENGINE_ERROR) if lost else None,
        message=outcome.message or _NO_RECORD,
    )


@dataclass(frozen=True, slots=True)
class _Expected:
    """What every record of the source has, as it stands in the spool."""

    unit: Unit
    id: bytes
    name: bytes
    sha256: bytes

    def follows(self, page: bytes | None, before: int) -> bool:
        """Whether a record may have this page number in its id, after those before it."""
        if self.unit is Unit.DOCUMENT:
            return page is None and before < 0
        return page is not None and int(page) > max(before, 0)

    def fits(self, tail: "re.Match[bytes]", page: int) -> bool:
        """Whether the rest of a record is about the source and the page."""
        return (
            tail.group("source", "metadata_source") == (self.name, self.name)
            and tail["metadata_sha256"] == self.sha256
            and int(tail["metadata_page"]) == page
        )


def _records(scan: "_Scan", unit: Unit, source: str, sha256: str) -> Iterator[_Told]:
    """Yield what is told by each record of a spool, up to the first line that is none."""
    name = b'"%s"' % encode_text(source)
    expected = _Expected(unit, record_id(source, sha256).encode(), name, b'"%s"' % sha256.encode())
    before = -1
    while (told := _record(scan, expected, before)) is not None:
        yield told
        before = told[0]


def _record(scan: "_Scan", expected: _Expected, before: int) -> _Told | None:
    """Step over a record; None if none stands here."""
    head = scan.head()
    if head is None or head["id"] != expected.id or not expected.follows(head["page"], before):
        return None
    if not scan.skip_text():
        return None
    page, tail = int(head["page"] or 0), _TAILS[expected.unit].fullmatch(scan.tail())
    if tail is None or not _is_utf8(tail[0]) or not expected.fits(tail, page):
        return None
    return page, int(tail["metadata_char_count"]), tail["metadata_needs_ocr"] == b"true"


def _is_utf8(text: bytes) -> bool:
    """Whether bytes are valid UTF-8."""
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


_NAMED = {
    *("source", "metadata_source", "metadata_sha256", "metadata_page"),
    *("metadata_char_count", "metadata_needs_ocr"),
}
"""Values of a record that are looked at."""
_FILE_NAMES = {"source", "metadata_source", "metadata_file_name"}


def _pattern(shape: Any, name: str = "") -> bytes:
    """Make the regular expression of the JSON that has the keys and types of a value.

    Args:
        shape: the value; a list stands for one of any length with its item, if it has one.
        name: of the value, as a path.
    """
    match shape:
        case bool():
            found = b"true|false"
        case int():
            found = rb"0|[1-9]\d{0,14}"  # up to what a reader that uses doubles reads exactly
        case str():
            found = b'"%s"' % (_NAME_CHARACTERS if name in _FILE_NAMES else _CHARACTERS)
        case list():
            items: list[Any] = shape  # pyright: ignore[reportUnknownVariableType] - Any, by JSON
            item = b"".join(map(_pattern, items))
            found = rb"\[(?:%s(?:,%s)*+)?\]" % (item, item)
        case _:
            members = (
                b'"%s":%s' % (key.encode(), _pattern(value, f"{name}_{key}".lstrip("_")))
                for key, value in shape.items()
            )
            found = rb"\{%s\}" % b",".join(members)
    return b"(?%s%s)" % (b"P<%s>" % name.encode() if name in _NAMED else b":", found)


def _tail_of(unit: Unit) -> "re.Pattern[bytes]":
    """Make the pattern of all of a record that stands behind the comma after its text."""
    facts = DocumentFacts("", "", "", 0, "", "", "", "", "", EngineSpec("", "", ""))
    if unit is Unit.PAGE:
        record = page_record(facts, 1, Page("", links=("",)))
        del record["id"], record["text"]
    else:
        record = document_tail(facts, char_count=0, needs_ocr=False, page_offsets=[0], links=[""])
    return re.compile(_pattern(record).replace(rb"\{", b"", 1) + b"\n")


_TAILS = {unit: _tail_of(unit) for unit in Unit}


class _Scan:
    """Walks through a spool with a window of some KiB, from record to record."""

    def __init__(self, file: FileIO) -> None:
        self.offset = 0
        """Bytes of the file before the place where the scan is."""
        self._file = file
        self._window = b""
        self._at = 0

    def head(self) -> "re.Match[bytes] | None":
        """Step over the head of a record; None if none stands here."""
        if len(self._window) - self._at < _HEAD_BYTES:
            self._more()
        match = _HEAD.match(self._window, self._at)
        if match:
            self._step_to(match.end())
        return match

    def skip_text(self) -> bool:
        """Step over the text, up to the quote that ends it; False if something else comes."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        while match := _TEXT.match(self._window, self._at):
            try:
                decoder.decode(match[0])
            except UnicodeDecodeError:
                return False
            self._step_to(match.end())
            if self._window.startswith(b'",', self._at):
                return decoder.getstate()[0] == b""  # no character is torn
            # An escape may go on in the next piece.
            if len(self._window) - self._at >= _ESCAPE_BYTES or not self._more():
                break
        return False

    def tail(self) -> bytes:
        """Step over what stands behind the text, to the end of the line, and give it.

        Returns:
            It without the quote and the comma before it; empty if it has no end, or is too long.
        """
        while (end := self._window.find(b"\n", self._at) + 1) == 0:
            if len(self._window) - self._at > MOST_TAIL_BYTES or not self._more():
                return b""
        tail = self._window[self._at + 2 : end]
        self._step_to(end)
        return tail

    def _step_to(self, at: int) -> None:
        """Go to a place in the window."""
        self.offset += at - self._at
        self._at = at

    def _more(self) -> bool:
        """Read a piece behind what is left of the window; False at the end of the file."""
        piece = self._file.read(_PIECE_BYTES)
        self._window, self._at = self._window[self._at :] + piece, 0
        return bool(piece)
