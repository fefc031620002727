"""What starts a process, seen by an audit hook: tests in tests/unit must not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

STARTS = {
    *("os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "os.system"),
    *("os.startfile", "subprocess.Popen"),
}
"""Audit events of whatever starts a process."""

_refused: list[str] | None = None
"""Events since the refusal began; None where processes may be started."""


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if _refused is not None and event in STARTS:
        _refused.append(event)
        raise AssertionError(f"a unit test starts a process ({event})")


sys.addaudithook(_refuse)  # for good: Python cannot remove a hook


@contextmanager
def no_process() -> Iterator[None]:
    """Refuse to start a process, and fail at the end if code under test suppressed that."""
    global _refused  # noqa: PLW0603 - the hook outlives this function
    events: list[str] = []
    _refused = events
    try:
        yield
    finally:
        _refused = None
    assert events == [], "a unit test starts a process"
