"""What comes in while the program runs: bytes of a pipe, and the PDF on stdin."""

import os
import select
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from pdfingest import streams
from pdfingest.errors import OutputError, UsageError
from pdfingest.model import Stop
from pdfingest.run.discover import COPIES
from pdfingest.text import mib

STDIN_NAME = "stdin.pdf"
"""Name of the source that came from stdin; a name that `-` could not be told from options."""
_READ_BYTES = 1 << 16
_TICK_MS = 100
"""How soon a stop is seen while nothing comes."""


def chunks(file: int, stop: Stop) -> Iterator[bytes]:
    """Read a descriptor as bytes come, until its end or the stop of the run.

    Raises:
        OSError: it cannot be read.
    """
    while _has_come(file, stop) and (chunk := os.read(file, _READ_BYTES)):
        yield chunk


def _has_come(file: int, stop: Stop) -> bool:
    """Wait for bytes or the end of a file; False where the run is to stop.

    A signal alone does not end a read: Python begins it again after the handler (PEP 475).
    """
    if sys.platform == "win32":  # which can wait for sockets only
        return not stop.requested
    ready = select.poll()
    ready.register(file, select.POLLIN)
    while not stop.requested:
        if ready.poll(_TICK_MS):
            return True
    return False


@contextmanager
def pdf_on_stdin(stop: Stop) -> Generator[str, None, None]:
    """Copy the PDF on stdin to a private file, and give its path; it goes at the end of the block.

    The directory for temporary files holds it (`TMPDIR`): a child reads a file at any place, which
    a pipe does not allow. After a stop the copy is not whole.

    Raises:
        UsageError: stdin is closed, or a terminal.
        OutputError: there is no room for it.
    """
    stdin = streams.stdin()
    if stdin.isatty():
        raise UsageError("stdin is a terminal. Pipe a PDF into it, or redirect it.")
    with tempfile.TemporaryDirectory(prefix=COPIES) as folder:
        path = os.path.join(folder, STDIN_NAME)
        length = 0
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with open(os.open(path, flags, 0o600), "wb") as file:
                for chunk in chunks(stdin.fileno(), stop):
                    length += file.write(chunk)
                    file.flush()
        except OSError as error:
            raise OutputError(
                f"{os.path.dirname(folder)} has no room for the PDF on stdin: {error.strerror}, "
                f"after {mib(length)}. Free some space, or name another directory in TMPDIR."
            ) from error
        yield path
