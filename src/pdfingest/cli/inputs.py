"""Inputs that come from outside of the command line: the PDF on stdin, and `--files-from`.

Both are read while the program may be told to stop, so no read waits where a stop is not seen.
"""

import codecs
import os
import select
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import NamedTuple

from pdfingest import streams
from pdfingest.cli.wanted import STDIN, Wanted
from pdfingest.errors import OptionError, OutputError, UsageError
from pdfingest.run.discover import COPIES
from pdfingest.stop import Stop
from pdfingest.text import mib, printable

_STDIN_NAME = "stdin.pdf"
"""Name of the source that came from stdin; as a file name, `-` would look like an option."""
_READ_BYTES = 1 << 16
_TICK_MS = 100
"""Longest time until a stop is seen while no bytes come."""
_UTF_8_MARK = codecs.BOM_UTF8
_UTF_16_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def opened(
    wanted: Wanted, stop: Stop, stack: ExitStack
) -> tuple[Sequence[str], Iterator[str] | None]:
    """Return the inputs of a run, and the paths of its list, if it has one.

    Args:
        wanted: names the inputs and the list.
        stop: ends the reading.
        stack: closes what is opened.

    Raises:
        UsageError: a PDF on stdin is not the only input, or stdin is closed or a terminal.
        OptionError: the list cannot be read; also while its paths are taken.
    """
    if STDIN not in wanted.inputs:
        if not wanted.files_from:
            return wanted.inputs, None
        listed = _List(wanted.files_from, null=wanted.null)
        return wanted.inputs, stack.enter_context(listed.opened(stop))
    if wanted.files_from or len(wanted.inputs) > 1:
        raise UsageError("- is one PDF on stdin, and goes with no other INPUT.")
    return [stack.enter_context(_pdf_on_stdin(stop))], None


@contextmanager
def _pdf_on_stdin(stop: Stop) -> Generator[str, None, None]:
    """Copy the PDF on stdin to a private file, and yield its path; it is deleted at the end.

    A copy is needed because a child reads a file at any place, which a pipe does not allow. It is
    in the directory for temporary files (`TMPDIR`). After a stop it is not complete.

    Raises:
        UsageError: stdin is closed or a terminal.
        OutputError: there is no room for the copy.
    """
    stdin = streams.stdin()
    if stdin.isatty():
        raise UsageError("stdin is a terminal. Pipe a PDF into it, or redirect it.")
    with tempfile.TemporaryDirectory(prefix=COPIES) as folder:
        path = os.path.join(folder, _STDIN_NAME)
        length = 0
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with open(os.open(path, flags, 0o600), "wb") as file:
                for chunk in _chunks(stdin.fileno(), stop):
                    length += file.write(chunk)
                    file.flush()  # so that a full disk fails at the length that the message has
        except OSError as error:
            raise OutputError(
                f"{os.path.dirname(folder)} has no room for the PDF on stdin: {error.strerror}, "
                f"after {mib(length)}. Free some space, or name another directory in TMPDIR."
            ) from error
        yield path


class _List(NamedTuple):
    """The list of `--files-from`: paths of files and directories.

    Names may be any bytes. A list of lines may begin with a byte order mark, and then may be
    UTF-16, as Windows PowerShell writes it; the mark is not part of the first name.
    """

    path: str
    """Path of the list; `-` is stdin."""
    null: bool
    """Whether NUL separates the paths, else line ends do."""

    @contextmanager
    def opened(self, stop: Stop) -> Generator[Iterator[str], None, None]:
        """Open the list, and yield its paths, which are read as they are needed, until a stop."""
        try:
            file = nullcontext(streams.stdin()) if self.path == STDIN else open(self.path, "rb")  # noqa: SIM115 - closed below
        except OSError as error:
            raise self._unreadable(error) from error
        with file as opened:
            yield self._paths(self._content(opened.fileno(), stop), stop)

    def _paths(self, content: Iterator[bytes], stop: Stop) -> Iterator[str]:
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
        """Yield a part as a path, without the CR of a list that was written on Windows."""
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
        """Drop the byte order mark, and convert UTF-16 to UTF-8."""
        begin = b""
        for chunk in content:  # a pipe may give the mark byte by byte
            begin += chunk
            if len(begin) >= len(_UTF_8_MARK):
                break
        encoding = _UTF_16_MARKS.get(begin[:2])
        if encoding is None:
            yield begin.removeprefix(_UTF_8_MARK)
            yield from content
            return
        # Names on Windows may hold halves of surrogate pairs.
        decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        try:
            yield decoder.decode(begin[2:]).encode("utf-8", "surrogatepass")
            for chunk in content:
                yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
            decoder.decode(b"", final=not stop.requested)  # a stop may come inside a character
        except UnicodeDecodeError as error:
            raise _wrong(
                f"{self._name()} begins like UTF-16, but is not: {error.reason}. Save it as UTF-8."
            ) from error

    def _content(self, file: int, stop: Stop) -> Iterator[bytes]:
        try:
            yield from _chunks(file, stop)
        except OSError as error:
            raise self._unreadable(error) from error

    def _name(self) -> str:
        return "stdin" if self.path == STDIN else printable(self.path)

    def _unreadable(self, error: OSError) -> OptionError:
        return _wrong(f"{self._name()} cannot be read: {error.strerror}. Check the path.")


def _wrong(reason: str) -> OptionError:
    return OptionError(["files_from"], reason)


def _chunks(file: int, stop: Stop) -> Iterator[bytes]:
    """Read a descriptor as bytes come, until its end or a stop."""
    while _has_come(file, stop) and (chunk := os.read(file, _READ_BYTES)):
        yield chunk


def _has_come(file: int, stop: Stop) -> bool:
    """Wait for bytes or for the end of a file, and return True; False after a stop.

    A signal alone does not end a read, because Python begins it again after the handler (PEP 475).
    """
    if sys.platform == "win32":  # where only sockets can be waited for
        return not stop.requested
    ready = select.poll()
    ready.register(file, select.POLLIN)
    while not stop.requested:
        if ready.poll(_TICK_MS):
            return True
    return False
