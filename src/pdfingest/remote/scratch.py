"""Folders for a program's own files, which are gone with it, even if it was killed.

A folder is held by a lock of the operating system, which ends with its process. What is held by
nobody any more, the next program deletes when it makes a folder of its own.
"""

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress

if sys.platform != "win32":
    import fcntl

_PREFIX = "pdfingest-scratch-"
_LOCK = "lock"
_YOUNG_S = 60.0
"""Seconds for which a folder without a lock may be one that is just being made."""


class Scratch:
    """A folder below the temporary folder of this machine, which nobody else may look into."""

    def __init__(self) -> None:
        _sweep(tempfile.gettempdir())
        self._folder = tempfile.mkdtemp(prefix=_PREFIX)
        self._lock = os.open(os.path.join(self._folder, _LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        _try_lock(self._lock)

    def make(self, name: str) -> str:
        """Make a folder in it; returns its path."""
        path = os.path.join(self._folder, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def close(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _sweep(parent: str) -> None:
    """Delete the folders of this user that nobody holds."""
    with os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False):
                with suppress(OSError):  # another program deletes it as well, or it is another's
                    if _is_left(entry.path):
                        shutil.rmtree(entry.path)


def _is_left(folder: str) -> bool:
    """Tell whether a folder is this user's, and nobody holds it."""
    found = os.lstat(folder)
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        return False
    try:
        lock = os.open(os.path.join(folder, _LOCK), os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        return time.time() - found.st_mtime > _YOUNG_S
    try:
        return _try_lock(lock)
    finally:
        os.close(lock)


def _try_lock(file: int) -> bool:
    """Take a lock, which is held until the file is closed; False if another process holds it."""
    if sys.platform == "win32":
        return False  # no process can tell there; what is left stays until it is deleted by hand
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
