"""What a terminal of some width shows of a command, as plain text."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from rich.cells import cell_len

from conftest import environment

_STYLES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def open_terminal() -> tuple[int, int]:
    """Make a terminal; gives the descriptors of its two ends, ours and that of the program."""
    try:
        return pty.openpty()
    except OSError as error:  # a container may have no /dev/pts
        pytest.skip(f"needs a pseudo-terminal: {error}")


def shown_in_terminal(columns: int, cwd: Path, *args: object, code: int | None = None) -> list[str]:
    """Run the program with a terminal for output; gives its lines, without styles.

    `code` is the exit code that it must end with.
    """
    ours, its = open_terminal()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    env = environment(TERM="xterm")
    del env["COLUMNS"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pdfingest", *map(str, args)],
        stdin=its, stdout=its, stderr=its, cwd=cwd, env=env,
    )  # fmt: skip
    os.close(its)
    shown = b""
    with suppress(OSError):  # EIO, once the program has closed its end
        while part := os.read(ours, 1 << 16):
            shown += part
    ended = process.wait(timeout=60)
    os.close(ours)
    assert code in (None, ended), shown
    return _STYLES.sub("", shown.decode()).replace("\r\n", "\n").splitlines()


def widest(lines: list[str]) -> int:
    """Cells of the longest line."""
    return max(map(cell_len, lines))
