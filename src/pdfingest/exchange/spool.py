"""Spools: files through which a child hands its records to the parent.

The child writes one line for each page, with one call, so that a kill leaves whole lines. The
parent checks the bytes (`contents`) and copies them to the output (`output.sink`); it decodes no
text. With `--unit document` the last child of the source joins the pages to one record, page by
page, so that no process ever holds the text of a whole document.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from pdfingest.exchange.record import DocumentFacts, document_tail, encode, encode_text
from pdfingest.exchange.said import Joined, Record
from pdfingest.model import Format

SEPARATORS = {Format.RAW: "\n", Format.TEXT: "\n\n", Format.MARKDOWN: "\n\n"}
"""What stands between two pages in the text of a document, by format."""
_COPY_BYTES = 64 << 10


class SpoolError(Exception):
    """The spool cannot be written: a failure of the machine, not of the file that is read."""


def open_spool(path: str) -> int:
    """Open a spool for writing without changing it, or create it, and return its descriptor.

    Raises:
        SpoolError: there is no space, no permission or no such directory.
    """
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise SpoolError(str(error)) from error


class SpoolWriter:
    """Appends records to a spool. Runs in the child.

    Args:
        path: path of the spool.
        length: number of bytes to keep of earlier attempts. What follows them is cut off: its last
            line may be torn.

    Raises:
        SpoolError: there is no space, no permission or no such directory.
    """

    def __init__(self, path: str, length: int = 0) -> None:
        self.length = length
        """Length of the spool in bytes, with all that was written."""
        self._file = open_spool(path)
        try:
            # Truncate only if there is something to cut: ext4 flushes a file on close that was
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
        """Append a whole line, or a piece of a document record.

        Raises:
            SpoolError: there is no space.
        """
        length = self.length + len(line)
        try:
            while line:
                line = line[os.write(self._file, line) :]
            self.length = length
        except OSError as error:
            if error.errno == errno.EBADF:
                # The engine closed descriptors that are not its own. The pipe for the answer may be
                # among them, so the process ends and the parent sees a crash.
                os._exit(1)
            raise SpoolError(str(error)) from error


def append_spools(path: str, spools: Sequence[str]) -> None:
    """Concatenate the spools of the parts of a source. Runs in the parent.

    Args:
        path: path of the new spool, which may be that of the first part.
        spools: paths of the parts, in page order.

    Raises:
        OSError: there is no space.
    """
    with open(path, "ab") as file:
        if path not in spools:
            file.truncate(0)  # the first part failed, and may have left a torn line
        for spool in spools:
            if spool != path:
                with open(spool, "rb") as rest:
                    shutil.copyfileobj(rest, file, _COPY_BYTES)


def pages_of(spool: str) -> str:
    """Return the path of the page records of a document, from which its spool is made."""
    return f"{spool}.pages"


def unpacked_of(spool: str) -> str:
    """Return the path that a child writes an attached PDF to, in order to read it there."""
    return f"{spool}.pdf"


def files_of(spool: str) -> tuple[str, ...]:
    """Return the paths of all files that the children of a source may write."""
    return spool, pages_of(spool), unpacked_of(spool)


def remove_spools(spool: str) -> None:
    """Remove all files that the children of a source may have written."""
    for path in files_of(spool):
        with suppress(FileNotFoundError):
            os.unlink(path)


def join_pages(pages: str, document: DocumentFacts, spool: SpoolWriter) -> None:
    """Join the page records of a source to one document record. Runs in the child.

    Args:
        pages: path of the page records, in page order; lost pages have none.
        document: what all records of the source share.
        spool: where the document record is written, piece by piece.

    Raises:
        SpoolError: there is no space.
    """
    joined, chars = Joined(), 0
    between = SEPARATORS[document.format]
    spool.write(b'{"id":"%s","text":"' % document.id.encode())
    for record in read_records(pages):
        metadata = record["metadata"]
        if joined.page_offsets:
            spool.write(encode_text(between))
            chars += len(between)
        # A lost page begins where the page after it does.
        before = metadata["page"] - len(joined.page_offsets)
        joined.page_offsets += [chars] * before
        spool.write(encode_text(record["text"]))
        chars += metadata["char_count"]
        joined.said = joined.said.with_page(metadata)
        joined.add_lists(record)
    rest = document.total_pages - len(joined.page_offsets)
    joined.page_offsets += [chars] * rest
    joined.said = joined.said._replace(char_count=chars)  # with what stands between pages
    spool.write(b'",' + encode(document_tail(document, joined))[1:])  # without the opening brace


def read_records(path: str) -> Iterator[Record]:
    """Yield the records of a spool. Holds one at a time."""
    with open(path, "rb") as file:
        for line in file:
            yield json.loads(line)
