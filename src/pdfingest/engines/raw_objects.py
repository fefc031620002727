"""Objects of a file as its bytes have them, found by the words that they must hold.

Runs in the child. It is no parser: it follows no table of objects (ISO 32000-2, 7.5.4), which may
be damaged or missing, and looks into the file and into its object streams (7.5.7), at some
microseconds a page.
"""

import os
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator

_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 64 << 10
"""How much two chunks have in common, as an object may lie across the end of one."""
_HEAD_BYTES = 4096
"""Longest dictionary of a stream."""
_BACK_BYTES = 16 << 10
"""How far before its type an object may begin."""
_MOST_OBJECT_BYTES = 4 << 20
_MOST_SEARCHED_BYTES = 4 << 20
_MOST_UNPACKED_BYTES = 64 << 20
"""Most content of all object streams together."""

_LEAF, _NODE, _CATALOG, _OBJECT_STREAM = b"/Page", b"/Pages", b"/Catalog", b"/ObjStm"
_END_OF_NAME = frozenset(b"\0\t\n\f\r ()<>[]{}/%")
_ROOT = re.compile(rb"/Root\s+(\d{1,10})\s+\d{1,5}\s+R")
_FIRST = re.compile(rb"/First\s+(\d{1,10})\b(?!\s+\d+\s+R)")
_FILTER = re.compile(rb"/Filter\s*(?:/FlateDecode(?![A-Za-z])|\[\s*/FlateDecode\s*\])")
_STREAM = re.compile(rb"stream\r?\n")
_CONTENTS = re.compile(rb"/Contents\s*(\[[^\]]*\]|\d{1,10}\s+\d{1,5}\s+R)")
_REFERENCE = re.compile(rb"(\d{1,10})\s+\d{1,5}\s+R")
_INTEGER = re.compile(rb"\d{1,10}")
_SYNTAX = re.compile(rb"\d\s+obj\b|startxref")


class UnclearError(Exception):
    """The bytes do not show what is looked for."""


def has_syntax(path: str) -> bool:
    """Return whether a file has an object, or says where the table of its objects is.

    Without both there is nothing that any engine could read, as in a web page that is named as a
    PDF. A large file counts as having them, as to search it takes longer than to ask an engine.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size > _MOST_SEARCHED_BYTES:
            return True
        return any(_SYNTAX.search(chunk) for _, chunk in _chunks(file.fileno()))


def find_catalog(content: bytes) -> int:
    """Return the number of the newest catalog in the content of a file; 0 if none can be seen."""
    found = [_header_before(content, at)[1] for at, kind in _typed(content) if kind == _CATALOG]
    return next(filter(None, reversed(found)), 0)


def read_stream(path: str, number: int) -> bytes:
    """Return the content of a stream by the number of its object; empty if it cannot be seen.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        try:
            return _decoded(_object(file.fileno(), number))
        except (UnclearError, zlib.error):
            return b""


def is_damaged(path: str, page: int) -> bool:
    """Return whether a page, by the number of its object, has content that cannot be decoded.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        try:
            text = Objects(file.fileno(), page).kept_text()
            contents = _CONTENTS.search(text)
            for each in _REFERENCE.finditer(contents[1] if contents else b""):
                _decoded(_object(file.fileno(), int(each[1])))
        except UnclearError:
            return False
        except zlib.error:
            return True
    return False


def object_text(path: str, number: int) -> bytes:
    """Return the text of the newest object of a number, which may be in an object stream.

    Raises:
        OSError: the file cannot be read.
        UnclearError: there is none that can be seen.
    """
    with open(path, "rb", buffering=0) as file:
        try:
            return _object(file.fileno(), number).partition(b"endobj")[0]
        except UnclearError:
            return Objects(file.fileno(), every=number).kept_text()


def _object(file: int, number: int) -> bytes:
    """Return the newest object of a number, from its beginning on; it may be a long one."""
    newest = max(_places(file, number), default=0)  # what is newer stands behind
    if not newest:
        raise UnclearError
    return os.pread(file, _MOST_OBJECT_BYTES, newest)


def _places(file: int, number: int) -> Iterator[int]:
    """Yield where objects of a number begin, behind their headers; it searches the whole file."""
    # A pattern that begins with its digits is searched for much faster than one that looks behind.
    header = re.compile(rb"%d\s+\d{1,5}\s+obj\b" % number)
    for at, chunk in _chunks(file):
        for match in header.finditer(chunk):
            if not chunk[max(match.start() - 1, 0) : match.start()].isdigit():
                yield at + match.end()


def _decoded(stream: bytes) -> bytes:
    """Return the content of a stream that is not encoded, or by Flate alone.

    Raises:
        zlib.error: it is damaged.
        UnclearError: it is encoded otherwise, or is no stream.
    """
    begin = _STREAM.search(stream, 0, _HEAD_BYTES)
    if not begin:
        raise UnclearError
    entries, content = stream[: begin.start()], stream[begin.end() :]
    content = content[:end] if (end := content.find(b"endstream")) >= 0 else content
    if b"/Filter" not in entries:
        return content
    if not _FILTER.search(entries):
        raise UnclearError
    return zlib.decompressobj().decompress(content, _MOST_OBJECT_BYTES)


class Objects:
    """The objects of a file that make up its page tree, the newest of each number.

    Args:
        file: its descriptor.
        keep: number of the page whose text is wanted; 0 for none, as they may be many.
        every: number of an object in an object stream whose text is wanted, whatever it is.
    """

    def __init__(self, file: int, keep: int = 0, every: int = 0) -> None:
        self._keep, self._every = keep, every
        self._kept: bytes | int = b""
        self.leaves: set[int] = set()
        self.nodes: dict[int, bytes | int] = {}
        """Nodes and catalogs: their text, or its offset in the file."""
        self.root = 0
        self._file = file
        self._in_streams: set[int] = set()
        """Numbers of all objects in object streams."""
        self._is_encrypted = False
        self._left_bytes = _MOST_UNPACKED_BYTES
        self._gather()

    def kept_text(self) -> bytes:
        """Return the text of the page that was to be kept; empty if it is not seen."""
        if self._is_encrypted:
            raise UnclearError
        return self._kept if isinstance(self._kept, bytes) else self._object_at(self._kept)

    def text(self, number: int) -> bytes:
        """Return the text of a node, or nothing if there is no such node."""
        found = self.nodes.get(number, b"")
        return found if isinstance(found, bytes) else self._object_at(found)

    def exists(self, number: int) -> bool:
        """Whether the file has any object of this number; this searches all of it."""
        return number in self._in_streams or any(True for _ in _places(self._file, number))

    def _gather(self) -> None:
        for base, chunk in _chunks(self._file):
            self._is_encrypted |= b"/Encrypt" in chunk
            at = chunk.rfind(b"/Root")
            if at >= 0 and (root := _ROOT.match(chunk, at)):
                self.root = int(root[1])
            for at, kind in _typed(chunk):
                begin, number = _header_before(chunk, at)
                if kind == _OBJECT_STREAM:
                    self._unpack(base + begin)
                elif number:
                    self._take(number, kind, base + begin)

    def _take(self, number: int, kind: bytes, content: bytes | int) -> None:
        """Keep an object in place of an older one of its number."""
        if kind == _LEAF:
            self.leaves.add(number)
            self._kept = content if number == self._keep else self._kept
            self.nodes.pop(number, None)
        else:
            self.nodes[number] = content
            self.leaves.discard(number)

    def _object_at(self, offset: int) -> bytes:
        """Return the text of an object, from an offset in the file to its end."""
        size = 4096
        while size <= _MOST_OBJECT_BYTES:
            text = os.pread(self._file, size, offset)
            if (end := text.find(b"endobj")) >= 0:
                return text[:end]
            if len(text) < size:
                break
            size *= 4
        raise UnclearError

    def _unpack(self, offset: int) -> None:
        """Keep the objects of the object stream at an offset in the file."""
        head = os.pread(self._file, _HEAD_BYTES, offset)
        if self._is_encrypted or not (stream := _STREAM.search(head)):
            raise UnclearError
        entries = head[: stream.start()]
        first = _FIRST.search(entries)
        if not first or not _FILTER.search(entries) or b"/Predictor" in entries:
            raise UnclearError
        content = self._inflated(offset + stream.end())
        numbers = list(map(int, _INTEGER.findall(content[: int(first[1])])))
        offsets = [int(first[1]) + each for each in numbers[1::2]]
        self._in_streams.update(numbers[::2])
        if self._every in numbers[::2]:
            index = numbers[::2].index(self._every)
            end = offsets[index + 1] if index + 1 < len(offsets) else len(content)
            self._kept = content[offsets[index] : end]
        for at, kind in _typed(content):
            index = bisect_right(offsets, at) - 1
            end = offsets[index + 1] if index + 1 < len(offsets) else len(content)
            self._take(numbers[2 * index], kind, content[offsets[index] : end])

    def _inflated(self, offset: int) -> bytes:
        inflate, content = zlib.decompressobj(), bytearray()
        while not inflate.eof:
            packed = os.pread(self._file, 64 << 10, offset)
            piece = inflate.decompress(packed, self._left_bytes)
            content += piece
            self._left_bytes -= len(piece)
            if not packed or self._left_bytes <= 0:
                raise UnclearError
            offset += len(packed)
        return bytes(content)


def _chunks(file: int) -> Iterator[tuple[int, bytes]]:
    """Yield the content of a file in chunks that overlap, each with its offset."""
    size = os.fstat(file).st_size
    for at in range(0, size, _CHUNK_BYTES - _OVERLAP_BYTES):
        yield at, os.pread(file, min(_CHUNK_BYTES, size - at), at)


def _typed(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each place in a content where one of the types of object stands, and the type."""
    for kind in (_LEAF, _CATALOG, _OBJECT_STREAM):
        at = content.find(kind)
        while at >= 0:
            end = at + len(kind)
            found = kind
            if kind is _LEAF and content[end : end + 1] == b"s":
                found, end = _NODE, end + 1
            is_name = end >= len(content) or content[end] in _END_OF_NAME
            if is_name and content[max(at - 8, 0) : at].rstrip().endswith(b"/Type"):
                yield at, found
            at = content.find(kind, end)


def _header_before(chunk: bytes, at: int) -> tuple[int, int]:
    """Return where the object around a place begins, and its number or 0 if there is none."""
    end = at
    while (end := chunk.rfind(b" obj", max(at - _BACK_BYTES, 0), end)) >= 0:
        before = chunk[max(end - 24, 0) : end].split()
        if len(before) > 1 and before[-1].isdigit() and before[-2].isdigit():
            return end + 4, int(before[-2])
    return at, 0
