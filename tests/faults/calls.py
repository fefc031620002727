"""Functions for an executor to call in a child; each gives bytes, as an answer is."""

import fcntl
import os
import signal
import stat
import struct
import sys
import time
from typing import Any, NoReturn


def echo(content: bytes) -> bytes:
    return content


def pid() -> bytes:
    return b"%d" % os.getpid()


def parent() -> bytes:
    return b"%d" % os.getppid()


def group() -> bytes:
    return b"%d" % os.getpgrp()


def die(number: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), number)


def end(code: int) -> NoReturn:
    os._exit(code)


def fail() -> NoReturn:
    raise ValueError("a bug")


def show_and_wait(path: str, content: bytes = b"", until: str = "", shown: bytes = b"") -> bytes:
    """Show by a file that the call is under way, and wait for another file, or for ever."""
    with open(path + ".new", "wb") as file:
        file.write(shown or pid())
    os.rename(path + ".new", path)
    while not (until and os.path.exists(until)):
        time.sleep(0.005)
    return content


def hold(mib: int) -> bytes:
    block = bytearray(mib << 20)
    block[::4096] = b"x" * len(block[::4096])
    _HELD.append(block)
    return pid()


_HELD: list[bytearray] = []


def fork_and(path: str, what: str, until: str) -> bytes:
    """Leave a fork behind, whose pid is shown by a file; once another is there, answer or die."""
    forked = os.fork()
    if forked == 0:
        time.sleep(3600)
        os._exit(0)
    show_and_wait(path, b"", until, b"%d" % forked)
    if what == "die":
        die()
    return b""


def is_immortal() -> bytes:
    """Whether an object of the image is one that nobody counts the references of."""
    from pdfingest.child import main  # noqa: PLC0415 - of the image

    return b"%d" % (sys.getrefcount(main.answer_to.__code__) == sys.getrefcount(None))


def _queue_of_results() -> Any:
    frame: Any = sys._getframe()
    while "result_queue" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["result_queue"]


def send(content: bytes) -> NoReturn:
    """Answer in place of the worker, with bytes as they are."""
    _queue_of_results().pipe.send_bytes(content)
    os._exit(0)


def answer(number: int, content: bytes) -> NoReturn:
    send(struct.pack("=QQ", number, 0) + content)


def pipes_of_a_job() -> bytes:
    """Number of the pipes that a job can read from and write to, once it has begun."""
    from pdfingest.child import main  # noqa: PLC0415 - as above

    while main.of_others:  # as `answer_to` does
        os.close(main.of_others.pop())
    found = {os.O_RDONLY: 0, os.O_WRONLY: 0}
    for descriptor in range(3, 256):
        try:
            mode, flags = os.fstat(descriptor).st_mode, fcntl.fcntl(descriptor, fcntl.F_GETFL)
        except OSError:
            continue
        if stat.S_ISFIFO(mode):
            found[flags & os.O_ACCMODE] += 1
    return b"%d %d" % (found[os.O_RDONLY], found[os.O_WRONLY])
