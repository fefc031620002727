"""What the remains of a child say: exit code, peak, stack."""

import re
import signal

from pdfingest.isolation.birth import LOST
from pdfingest.model import FailureKind

_FRAME = re.compile(r'^  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.+)$', re.MULTILINE)
_SHOWN_FRAMES = 3
_OUT_OF_MEMORY = {"SIGABRT", "SIGSEGV", "SIGTRAP", "SIGILL", "SIGBUS"}
"""How native code ends when it is given no memory."""
_NEAR = 0.5
"""So much of the limit must have been seen in use: the allocation that failed was never seen."""


def explain(code: int | None, peak_bytes: int, limit_bytes: int) -> tuple[FailureKind, str, str]:
    """An exit code that nobody asked for: kind, words, and the name of its signal if it has one.

    Args:
        code: as `multiprocessing.Process.exitcode`; None if not known.
        peak_bytes: the highest resident set that was seen.
        limit_bytes: what the child was allowed.
    """
    if code == LOST:
        return (
            FailureKind.CRASHED,
            "nothing is known of its end: it could not be born, or its zygote was ended",
            "",
        )
    if code is None or code >= 0:
        return FailureKind.CRASHED, f"the child ended without an answer (exit code {code})", ""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    message = f"the child was killed by {name}"
    if name in _OUT_OF_MEMORY and peak_bytes > _NEAR * limit_bytes:
        message += f" at {peak_bytes >> 20} MiB of {limit_bytes >> 20} MiB"
        return FailureKind.MEMORY_LIMIT, message, name
    return FailureKind.CRASHED, message, name


def innermost(stack: str) -> str:
    """The last frames of what `faulthandler` wrote, innermost first, on one line."""
    frames = [
        f"{match['name']} ({match['file'].rpartition('/')[2]}:{match['line']})"
        for match in _FRAME.finditer(stack)
    ]
    return " < ".join(frames[:_SHOWN_FRAMES])
