"""SIGINT, SIGTERM and SIGHUP: the first asks the run to end, the second ends the program at once.

A thread of its own waits for them, by the descriptor that the interpreter writes to in the handler
itself (`signal.set_wakeup_fd`). Why no handler in Python: that runs in the main thread once its
present call comes back, and the call may be what is stuck.
"""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from pdfingest.errors import ExitCode
from pdfingest.model import Stop

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
"""What a progress bar has hidden (ECMA-48 private mode 25, DECTCEM)."""


@contextmanager
def stop_on_signals() -> Generator[Stop, None, None]:
    """A `Stop` that the signals request while the block runs. Main thread only.

    A signal that the program was started to ignore, as by nohup(1), stays ignored.
    """
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _CODES}
    reader, writer = os.pipe()
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
        os.close(writer)
        watching.join()
        os.close(reader)


def _wake(_number: int, _frame: FrameType | None) -> None:
    """Have the main thread come back from a call that waits; the other thread does the rest."""


def _watch(reader: int, stop: Stop) -> None:
    """Meet the signals, a byte each, until nobody can send any."""
    while received := os.read(reader, 1):
        if (code := _CODES.get(signal.Signals(received[0]))) is None:
            continue
        if stop.requested:
            end_at_once(code)
        stop.request(code)


def end_at_once(code: int) -> NoReturn:
    """End this program and its children, whatever is stuck; what was finished is kept.

    The children at work die with this process. The zygote might be stopped and would stay.
    """
    # What runs children has it loaded; --help has not. So nothing that is stuck holds this up.
    from pdfingest.isolation.start import kill_images  # noqa: PLC0415 - 10 ms

    kill_images()
    with suppress(OSError):
        if os.isatty(2):
            os.write(2, _SHOW_CURSOR)
    os._exit(code)
