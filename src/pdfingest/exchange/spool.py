"""The spool: the file through which a child hands its records to the parent.

The child writes one line a page, each with one call, so that a kill leaves whole lines. The parent
never decodes the file: it appends its bytes to the output. With `--unit document` the child that
ends the job joins the pages to one record, page by page, so that even then nobody holds the text
of the whole document.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from pdfingest.exchange.record import DocumentFacts, Record, document_tail, encode, encode_text

PAGE_SEPARATOR = "\n"
"""Between the pages of a document record; `page_offsets` tells exactly where each page starts."""

_COPY_BYTES = 64 << 10


class SpoolError(Exception):
    """The spool cannot be written: the machine's fault, not the file's."""


def open_spool(path: str) -> int:
    """Open a spool to write, as it is; make it if it is not there. Gives the descriptor.

    Raises:
        SpoolError: no space, no permission, no directory.
    """
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise SpoolError(str(error)) from error


class SpoolWriter:
    """Writes whole lines. Runs in the child.

    Raises:
        SpoolError: no space, no permission, no directory.
    """

    def __init__(self, path: str, length: int = 0) -> None:
        """Begin behind the first `length` bytes that are there; the rest, perhaps torn, goes."""
        self.length = length
        self._file = open_spool(path)
        try:
            # Only where there is something to cut: ext4 writes a file out on close that was
            # truncated to nothing (auto_da_alloc, ext4(5)), which doubles the time of a run.
            if os.lseek(self._file, 0, os.SEEK_END) != length:
                os.ftruncate(self._file, length)
                os.lseek(self._file, length, os.SEEK_SET)
        except OSError as error:
            raise SpoolError(str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def write(self, line: bytes) -> None:
        """Append bytes, all of them."""
        length = self.length + len(line)
        try:
            while line:
                line = line[os.write(self._file, line) :]
            self.length = length
        except OSError as error:
            if error.errno == errno.EBADF:
                os._exit(1)  # the engine closed what is not its own: no answer would arrive either
            raise SpoolError(str(error)) from error


def append_spools(path: str, spools: Sequence[str]) -> None:
    """Make one spool of several, in their order. Runs in the parent.

    Args:
        path: where it is to be; it may be the first of them.
        spools: the several.

    Raises:
        OSError: no space.
    """
    with open(path, "ab") as file:
        if path not in spools:
            file.truncate(0)  # a line that was torn
        for spool in spools:
            if spool != path:
                with open(spool, "rb") as rest:
                    shutil.copyfileobj(rest, file, _COPY_BYTES)


def pages_of(spool: str) -> str:
    """Where the pages of a document wait until they are joined into its spool."""
    return f"{spool}.pages"


def join_pages(pages: str, document: DocumentFacts, spool: SpoolWriter) -> None:
    """Fold the page records of one source into one document record. Runs in the child.

    Args:
        pages: path of a spool of page records, in page order; lost pages have none.
        document: what the records share.
        spool: where the document record goes, piece by piece.
    """
    offsets: list[int] = []
    links: list[str] = []
    char_count = 0
    needs_ocr = False
    separator = encode_text(PAGE_SEPARATOR)
    spool.write(b'{"id":"%s","text":"' % document.id.encode())
    for record in read_records(pages):
        metadata = record["metadata"]
        if offsets:
            spool.write(separator)
            char_count += len(PAGE_SEPARATOR)
        offsets += [char_count] * (metadata["page"] - len(offsets))
        spool.write(encode_text(record["text"]))
        char_count += metadata["char_count"]
        needs_ocr |= metadata["needs_ocr"]
        links += record["links"]
    offsets += [char_count] * (document.total_pages - len(offsets))
    tail = document_tail(
        document,
        char_count=char_count,
        needs_ocr=needs_ocr,
        page_offsets=offsets,
        links=links,
    )
    spool.write(b'",' + encode(tail)[1:])


def read_records(path: str) -> Iterator[Record]:
    """The records of a spool, one at a time."""
    with open(path, "rb") as file:
        for line in file:
            yield json.loads(line)
