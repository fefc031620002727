"""SIGINT and SIGTERM: the first asks the run to end, the second ends it at once."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

from pdfingest.errors import ExitCode
from pdfingest.model import Stop

_CODES = {
    signal.SIGINT: ExitCode.INTERRUPTED,
    signal.SIGTERM: ExitCode.TERMINATED,
}


@contextmanager
def stop_on_signals() -> Generator[Stop, None, None]:
    """A `Stop` that the signals request while the block runs. Main thread only."""
    stop = Stop()
    before = {number: signal.getsignal(number) for number in _CODES}

    def request(number: int, _frame: FrameType | None) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        stop.request(_CODES[signal.Signals(number)])

    for number in _CODES:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
