"""The standard streams when one of them is closed, full, or has lost its reader.

A program may be started without them (`>&-`, a daemon). The system then gives their numbers to the
next files that are opened: the lock becomes descriptor 2, and the first warning that a library
prints is written into it. So the numbers are taken before anything else is opened, as gnulib's
stdopen does it. They are opened in the direction that fails where data would be lost, so that the
program never reports records as written that went nowhere.
"""

import io
import os
import select
import sys
from collections.abc import Callable
from typing import Any, BinaryIO, TextIO

from pdfingest.errors import OutputError, ReaderGoneError, UsageError

if sys.platform != "win32":
    import fcntl

_STANDARD = ((0, os.O_WRONLY), (1, os.O_RDONLY), (2, os.O_WRONLY))
"""Descriptors and how each is opened if it is closed: so that a read from stdin and a write to
stdout fail, and a message to stderr goes nowhere."""
_RAISING = {"strict", "surrogateescape"}
"""Error handlers that raise if the encoding lacks a character."""
_ESCAPE = "backslashreplace"


def occupy() -> None:
    """Open those of the descriptors 0 to 2 that are closed, so that no other file gets one.

    They stay open, and children inherit them.
    """
    for number, direction in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            # open(2) takes the lowest free number, which is this one: all below it are open.
            os.set_inheritable(os.open(os.devnull, direction), True)  # noqa: FBT003 - its signature


def stdin() -> BinaryIO:
    """Return stdin as a stream of bytes.

    Raises:
        UsageError: stdin is closed.
    """
    if sys.stdin is None or not _is_open(0, os.O_RDONLY):  # pyright: ignore[reportUnnecessaryComparison] - None where it is closed (sys.stdin)
        raise UsageError("stdin is closed, but the input is to come from there.")
    return sys.stdin.buffer


def stdout() -> BinaryIO:
    """Return stdout as a stream of bytes.

    Raises:
        OutputError: stdout is closed.
    """
    if sys.stdout is None or not _is_open(1, os.O_WRONLY):  # pyright: ignore[reportUnnecessaryComparison] - None where it is closed (sys.stdout)
        raise _cannot_write(OSError())
    return sys.stdout.buffer


def guard() -> None:
    """Decide once, for the whole program, what a failed write to stdout or stderr means.

    To stdout it is an error of the environment, whatever code writes. To stderr it is ignored,
    because a run must not end when nobody reads its log. A character that the encoding lacks is
    escaped.
    """
    occupy()
    sys.stdout = _guarded(sys.stdout, 1, _raise)
    sys.stderr = _guarded(sys.stderr, 2, _ignore)


def _is_open(number: int, direction: int) -> bool:
    """Return whether a descriptor is open in a direction."""
    if sys.platform == "win32":  # `sys.stdin` and `sys.stdout` are None if it is not
        return True
    try:
        mode = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        return False
    return mode in (direction, os.O_RDWR)


def _raise(error: OSError) -> None:
    """Turn a failed write to stdout into an error that ends the program."""
    raise _cannot_write(error) from error


def _ignore(_: OSError) -> None:
    """Ignore a failed write to stderr."""


def _cannot_write(error: OSError) -> OutputError:
    if isinstance(error, BrokenPipeError):
        return ReaderGoneError("the program that reads stdout has gone away")
    if not _is_open(1, os.O_WRONLY):
        return OutputError("stdout is closed, but the output is to go there.")
    return OutputError(
        f"cannot write to stdout: {error.strerror or error}. Free some space, or send it elsewhere."
    )


class _Guarded(io.RawIOBase):
    """A raw stream that reports its first failed write, and drops everything after it.

    Otherwise the interpreter would fail again at its end, when it flushes the rest.
    """

    def __init__(self, raw: Any, failed: Callable[[OSError], None]) -> None:
        self._raw = raw
        self._failed = failed
        self._is_broken = False

    def writable(self) -> bool:
        """Return True, as for any stream that is written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the underlying stream."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return bool(self._raw.isatty())

    def write(self, data: Any, /) -> int:
        """Write some of the bytes; wait while a non-blocking pipe is full."""
        while not self._is_broken:
            try:
                written: int | None = self._raw.write(data)
            except OSError as error:
                self._is_broken = True
                self._failed(error)
                break
            if written is not None:
                return written
            select.select([], [self.fileno()], [])
        return len(data)


def _guarded(stream: TextIO | None, number: int, failed: Callable[[OSError], None]) -> TextIO:
    """Return a guarded text stream like the given one, or in its place if it is closed."""
    if stream is None:
        raw: Any = io.FileIO(number, "w", closefd=False)
        return io.TextIOWrapper(io.BufferedWriter(_Guarded(raw, failed)), "utf-8", _ESCAPE)
    raw = getattr(stream.buffer, "raw", stream.buffer)  # python -u leaves out a layer
    errors = stream.errors or ""
    return io.TextIOWrapper(
        io.BufferedWriter(_Guarded(raw, failed)),
        stream.encoding,
        _ESCAPE if errors in _RAISING else errors,
        line_buffering=stream.line_buffering != 0,
        write_through=getattr(stream, "write_through", False),
    )
