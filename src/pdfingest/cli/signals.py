"""SIGINT, SIGTERM and SIGHUP: the first asks the run to end, the second ends the program at once.

A thread of its own waits for them, at the descriptor to which the interpreter's handler in C writes
(`signal.set_wakeup_fd`). A handler in Python would not do: it runs in the main thread once the
call that this thread is in returns, and that call may be what is stuck.
"""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from pdfingest.errors import ExitCode
from pdfingest.stop import Stop

_CODES = {
    number: code
    for name, code in (
        ("SIGINT", ExitCode.INTERRUPTED),
        ("SIGTERM", ExitCode.TERMINATED),
        ("SIGHUP", ExitCode.HUNG_UP),  # not on Windows
    )
    if (number := getattr(signal, name, None)) is not None
}
_SHOW_CURSOR = b"\x1b[?25h"
"""Shows the cursor, which a progress bar hides (DEC private mode 25, DECTCEM)."""


@contextmanager
def stop_on_signals() -> Generator[Stop, None, None]:
    """Yield a `Stop` that the signals request while the block runs. For the main thread only.

    A signal that the program was started to ignore, as by nohup(1), stays ignored.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _CODES}
    reader, writer = os.pipe()
    # The handler in C must never wait. A pipe that is full holds signals enough, so no warning.
    os.set_blocking(writer, False)
    wakeup = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _wake)
    watching = threading.Thread(target=_watch, args=(reader, stop), daemon=True)
    watching.start()
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(writer)  # the thread reads the end of the pipe, and ends
        watching.join()
        os.close(reader)


def _wake(_number: int, _frame: FrameType | None) -> None:
    """Do nothing but interrupt what the main thread waits in; the other thread does the rest."""


def _watch(reader: int, stop: Stop) -> None:
    """Request a stop for the first signal, and end the program for the second.

    A signal is one byte; the pipe ends when the block that watches signals does.
    """
    while received := os.read(reader, 1):
        if (code := _CODES.get(signal.Signals(received[0]))) is None:
            continue
        if stop.requested:
            end_at_once(code)
        stop.request(code)


def end_at_once(code: int) -> NoReturn:
    """End this program and its children, whatever is stuck; what was finished is kept.

    Children at work die with this process, but a zygote that is stopped would stay.
    """
    # A command that has children has this module loaded already, so no disk can hold it up here.
    from pdfingest.isolation.start import kill_images

    kill_images()
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, _SHOW_CURSOR)
    os._exit(code)  # runs no cleanup, which may be what is stuck
