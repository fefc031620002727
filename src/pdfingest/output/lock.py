"""The lock: one program at a time works on an output directory.

It is a lock of the operating system, on a file that also says who holds it. The lock ends with its
process, however that ends, so that a killed run does not block the next. Why not a file that is
created and removed: a killed run leaves it behind, and by then its process number may be another's.
"""

import os
import socket
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from pdfingest.errors import OutputBusyError
from pdfingest.output.layout import output_errors, private
from pdfingest.stop import Stop

_RETRY_S = 0.1
_HOLDER_BYTES = 1000
# Other processes cannot read what is locked on Windows, so a byte far behind the content is locked.
_FAR = 1 << 30


@contextmanager
def held(output: str, wait_s: float = 0.0, stop: Stop | None = None) -> Generator[None, None, None]:
    """Hold the lock of an output directory while the block runs; create what does not exist.

    Args:
        output: the directory.
        wait_s: how long to wait for another program that holds it.
        stop: request to end the run, which ends the waiting too.

    Raises:
        OutputBusyError: another program holds it.
        OutputError: the directory cannot be created or written.
    """
    with output_errors(output):
        os.makedirs(private(output), exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        file = os.open(private(output, "lock"), flags, 0o644)
    try:
        deadline_s = time.monotonic() + wait_s
        while not _try_lock(file, output):
            if time.monotonic() >= deadline_s or (stop is not None and stop.requested):
                raise OutputBusyError(
                    f"{output} is in use by {_holder(file)}. Wait for it (--wait S), or name "
                    "another --output."
                )
            time.sleep(_RETRY_S)
        _sign(file, output)
        yield
    finally:
        os.close(file)


def _sign(file: int, output: str) -> None:
    """Write who holds the lock; the next holder replaces that."""
    now = datetime.now().astimezone().isoformat(timespec="seconds")
    with output_errors(output):
        os.ftruncate(file, 0)
        os.write(file, f"process {os.getpid()} on {socket.gethostname()}, since {now}".encode())


def _holder(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    holder = os.read(file, _HOLDER_BYTES).decode("utf-8", "replace")
    return holder or "another program"


def _try_lock(file: int, output: str) -> bool:
    with output_errors(output):
        try:
            if sys.platform == "win32":
                import msvcrt  # noqa: PLC0415 - Windows only

                os.lseek(file, _FAR, os.SEEK_SET)
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl  # noqa: PLC0415 - absent on Windows

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
    return True
