"""The page tree as the bytes of a file have it, to check how an engine counts pages.

PDFium finds pages by the /Count of the nodes (ISO 32000-2, 7.7.3), which may be wrong. Then a page
comes under the number of another, twice, or not at all, without an error. Opening each file with a
second engine would take longer than reading it. So this module looks for the nodes in the bytes and
in the object streams (7.5.7), by the words that they must hold: some microseconds a page.

It is no parser. Where it cannot see the tree, as in encrypted object streams, the engine is
believed.
"""

import os
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 64 << 10
"""How much two chunks have in common, as an object may lie across the end of one."""
_HEAD_BYTES = 4096
"""Longest dictionary of an object stream."""
_BACK_BYTES = 16 << 10
"""How far before its type an object may begin."""
_MOST_OBJECT_BYTES = 4 << 20
_MOST_UNPACKED_BYTES = 64 << 20
"""Most content of all object streams together."""
_MOST_DEPTH = 64
_MOST_UNKNOWN = 16

_LEAF, _NODE, _CATALOG, _OBJECT_STREAM = b"/Page", b"/Pages", b"/Catalog", b"/ObjStm"
_END_OF_NAME = frozenset(b"\0\t\n\f\r ()<>[]{}/%")
_KIDS = re.compile(rb"/Kids\s*\[([^\]]*)\]")
_KID = re.compile(rb"(\d{1,10})\s+\d{1,5}\s+R|(null)")
_COUNT = re.compile(rb"/Count\s+(\d{1,10})\b(?!\s+\d+\s+R)")
_PAGES = re.compile(rb"/Pages\s+(\d{1,10})\s+\d{1,5}\s+R")
_METADATA = re.compile(rb"/Metadata\s+(\d{1,10})\s+\d{1,5}\s+R")
_ROOT = re.compile(rb"/Root\s+(\d{1,10})\s+\d{1,5}\s+R")
_FIRST = re.compile(rb"/First\s+(\d{1,10})\b(?!\s+\d+\s+R)")
_FILTER = re.compile(rb"/Filter\s*(?:/FlateDecode(?![A-Za-z])|\[\s*/FlateDecode\s*\])")
_STREAM = re.compile(rb"stream\r?\n")
_INTEGER = re.compile(rb"\d{1,10}")


@dataclass(frozen=True, slots=True)
class PageTree:
    """What the nodes of a page tree say."""

    leaves: int
    """Number of pages that are there."""
    sure: int
    """Number of leaves before the first place where the tree is not as its nodes say. An engine
    that goes by /Count finds these, and perhaps no others, under their numbers."""
    holes: tuple[int, ...] = ()
    """1-based numbers of lost pages: objects that the tree names, and the /Count of the root
    includes, but that are not there."""
    metadata: int = 0
    """Number of the object with the XMP of the document (14.3.2); 0 if there is none."""

    @property
    def total_pages(self) -> int:
        """Number of pages of the document, lost pages included."""
        return self.leaves + len(self.holes)

    @property
    def is_in_order(self) -> bool:
        """Whether an engine that goes by /Count finds each page under its number."""
        return self.sure == self.leaves and not self.holes


def read_page_tree(path: str) -> PageTree | None:
    """Read the page tree of a file. Runs in the child.

    Returns:
        None where the bytes do not show the tree.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        try:
            return _Walk(_Objects(file.fileno())).tree()
        except (_UnclearError, zlib.error):
            return None


def find_catalog(content: bytes) -> int:
    """Return the number of the newest catalog in the content of a file; 0 if none can be seen."""
    found = [_header_before(content, at)[1] for at, kind in _typed(content) if kind == _CATALOG]
    return next(filter(None, reversed(found)), 0)


def read_stream(path: str, number: int) -> bytes:
    """Return the content of a stream by the number of its object; empty if it cannot be seen.

    Raises:
        OSError: the file cannot be read.
    """
    header = re.compile(rb"(?<!\d)%d\s+\d{1,5}\s+obj\b" % number)
    with open(path, "rb", buffering=0) as file:
        places = [at + m.end() for at, c in _chunks(file.fileno()) for m in header.finditer(c)]
        if not places:
            return b""
        body = os.pread(file.fileno(), _MOST_OBJECT_BYTES, max(places))  # the newest is the last
    if not (begin := _STREAM.search(body, 0, _HEAD_BYTES)):
        return b""
    content = body[begin.end() : body.find(b"endstream", begin.end())]
    if b"/Filter" not in body[: begin.start()]:
        return content
    try:
        return zlib.decompressobj().decompress(content, _MOST_OBJECT_BYTES)
    except zlib.error:
        return b""


class _UnclearError(Exception):
    """The bytes do not show what the tree is."""


class _Objects:
    """The objects of a file that make up its page tree, the newest of each number."""

    def __init__(self, file: int) -> None:
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

    def text(self, number: int) -> bytes:
        """Return the text of a node, or nothing if there is no such node."""
        found = self.nodes.get(number, b"")
        return found if isinstance(found, bytes) else self._object_at(found)

    def exists(self, number: int) -> bool:
        """Whether the file has any object of this number; this searches all of it."""
        header = re.compile(rb"(?<!\d)%d\s+\d{1,5}\s+obj" % number)
        return number in self._in_streams or any(header.search(c) for _, c in _chunks(self._file))

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
        raise _UnclearError

    def _unpack(self, offset: int) -> None:
        """Keep the objects of the object stream at an offset in the file."""
        head = os.pread(self._file, _HEAD_BYTES, offset)
        if self._is_encrypted or not (stream := _STREAM.search(head)):
            raise _UnclearError
        entries = head[: stream.start()]
        first = _FIRST.search(entries)
        if not first or not _FILTER.search(entries) or b"/Predictor" in entries:
            raise _UnclearError
        content = self._inflated(offset + stream.end())
        numbers = list(map(int, _INTEGER.findall(content[: int(first[1])])))
        offsets = [int(first[1]) + each for each in numbers[1::2]]
        self._in_streams.update(numbers[::2])
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
                raise _UnclearError
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


@dataclass(slots=True)
class _Walk:
    """A walk through the tree, from the root to the leaves, in the order of pages."""

    objects: _Objects
    entries: list[bool] = field(default_factory=list[bool])
    """For each place of a page in the tree, whether the page is there."""
    sure: int | None = None
    """Number of pages before the first irregularity; None while there is none."""
    visited: set[int] = field(default_factory=set[int])
    unknown: int = 0

    def tree(self) -> PageTree:
        """Walk through the whole tree, and return what it says."""
        catalog = self.objects.text(self.objects.root)
        pages, metadata = _PAGES.search(catalog), _METADATA.search(catalog)
        if not pages:
            raise _UnclearError
        xmp = int(metadata[1]) if metadata else 0
        root = int(pages[1])
        self._visit(root, 0)
        leaves = sum(self.entries)
        sure = leaves if self.sure is None else self.sure
        count = _COUNT.search(self.objects.text(root))
        if not count or int(count[1]) != len(self.entries):
            return PageTree(leaves, sure, metadata=xmp)
        holes = tuple(number for number, there in enumerate(self.entries, 1) if not there)
        return PageTree(leaves, sure, holes, xmp)

    def _visit(self, number: int, depth: int) -> None:
        if number in self.objects.leaves:
            self.entries.append(True)
        elif number not in self.objects.nodes:
            self._miss(number)
        elif number in self.visited or depth > _MOST_DEPTH:
            raise _UnclearError
        else:
            self.visited.add(number)
            self._visit_kids(number, depth)

    def _visit_kids(self, number: int, depth: int) -> None:
        """Walk through the kids of a node, and compare their number with its /Count."""
        text = self.objects.text(number)
        kids = _KIDS.search(text)
        if not kids and b"/Kids" in text:
            raise _UnclearError  # they are in an object of their own
        before = len(self.entries)
        sure_before = sum(self.entries)
        for kid in _KID.finditer(kids[1] if kids else b""):
            if kid[2]:
                self._doubt(sum(self.entries))
            else:
                self._visit(int(kid[1]), depth + 1)
        count = _COUNT.search(text)
        if depth and (not count or int(count[1]) != len(self.entries) - before):
            self._doubt(sure_before)

    def _miss(self, number: int) -> None:
        self.unknown += 1
        if self.unknown > _MOST_UNKNOWN or self.objects.exists(number):
            raise _UnclearError
        self._doubt(sum(self.entries))
        self.entries.append(False)

    def _doubt(self, sure: int) -> None:
        """Note that behind this number of pages the tree is not as its nodes say."""
        self.sure = sure if self.sure is None else min(self.sure, sure)
