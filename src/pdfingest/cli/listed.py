"""The list of `--files-from`: paths of files and directories, one a line or separated by NUL."""

import codecs
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from pdfingest import streams
from pdfingest.cli.incoming import chunks
from pdfingest.errors import OptionError
from pdfingest.model import Stop
from pdfingest.text import printable

_UTF_8_MARK = codecs.BOM_UTF8
_UTF_16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


@dataclass(frozen=True, slots=True)
class Listed:
    """The list of `--files-from`.

    Names may be any bytes. A list of lines may begin with a byte order mark, and may be UTF-16
    then, as Windows PowerShell writes it; the mark is no part of the first name.
    """

    path: str
    """`-` is stdin."""
    null: bool
    """Separated by NUL, else by line ends."""

    @contextmanager
    def opened(self, stop: Stop) -> Generator[Iterator[str], None, None]:
        """Open it, and give its paths, read as they are needed until the run is to stop.

        Raises:
            OptionError: it cannot be read; also while the paths are taken.
        """
        try:
            file = nullcontext(streams.stdin()) if self.path == "-" else open(self.path, "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise self._unreadable(error) from error
        with file as opened:
            yield self._paths(self._chunks(opened.fileno(), stop), stop)

    def _paths(self, content: Iterator[bytes], stop: Stop) -> Iterator[str]:
        """Cut chunks into paths; empty ones are left out."""
        separator = b"\0" if self.null else b"\n"
        rest = b""
        number = 0
        for chunk in content if self.null else self._utf_8(content, stop):
            *parts, rest = (rest + chunk).split(separator)
            for part in parts:
                number += 1
                yield from self._path(part, number)
        yield from self._path(rest, number + 1)

    def _path(self, part: bytes, number: int) -> Iterator[str]:
        """Give a part as a path, without the CR of a list that was written on Windows."""
        if not self.null:
            part = part.removesuffix(b"\r")
            if b"\0" in part:
                raise _wrong(
                    f"line {number:,} of {self._name()} holds a NUL. Give --null if the paths are "
                    "separated by NUL; if it is UTF-16, save it as UTF-8."
                )
        if part:
            yield os.fsdecode(part)

    def _utf_8(self, content: Iterator[bytes], stop: Stop) -> Iterator[bytes]:
        """Drop the byte order mark, and turn UTF-16 into UTF-8."""
        begin = b""
        for chunk in content:
            begin += chunk
            if len(begin) >= len(_UTF_8_MARK):
                break
        encoding = _UTF_16_MARKS.get(begin[:2])
        if encoding is None:
            yield begin.removeprefix(_UTF_8_MARK)
            yield from content
            return
        # Names on Windows may hold halves of characters.
        decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        try:
            yield decoder.decode(begin[2:]).encode("utf-8", "surrogatepass")
            for chunk in content:
                yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
            decoder.decode(b"", final=not stop.requested)  # a stop comes anywhere
        except UnicodeDecodeError as error:
            raise _wrong(
                f"{self._name()} begins like UTF-16, but is not: {error.reason}. Save it as UTF-8."
            ) from error

    def _chunks(self, file: int, stop: Stop) -> Iterator[bytes]:
        """Read a descriptor as bytes come."""
        try:
            yield from chunks(file, stop)
        except OSError as error:
            raise self._unreadable(error) from error

    def _name(self) -> str:
        """Name the list in a message."""
        return "stdin" if self.path == "-" else printable(self.path)

    def _unreadable(self, error: OSError) -> OptionError:
        """Say why it cannot be read."""
        return _wrong(f"{self._name()} cannot be read: {error.strerror}. Check the path.")


def _wrong(reason: str) -> OptionError:
    """Make the error of a list that cannot be used."""
    return OptionError(["files_from"], reason)
