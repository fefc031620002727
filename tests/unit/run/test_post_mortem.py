import signal

import pytest
from pdfingest.run.post_mortem import explain, innermost

from pdfingest.model import FailureKind

MIB = 1 << 20


@pytest.mark.parametrize(
    ("code", "peak_mib", "kind", "name"),
    [
        (0, 0, FailureKind.CRASHED, ""),
        (None, 0, FailureKind.CRASHED, ""),
        (-signal.SIGSEGV, 10, FailureKind.CRASHED, "SIGSEGV"),
        (-signal.SIGABRT, 90, FailureKind.MEMORY_LIMIT, "SIGABRT"),
        (-signal.SIGABRT, 10, FailureKind.CRASHED, "SIGABRT"),
        (-signal.SIGKILL, 90, FailureKind.CRASHED, "SIGKILL"),
        (-250, 0, FailureKind.CRASHED, "signal 250"),
    ],
)
def test_a_death_is_told_by_evidence(
    code: int | None, peak_mib: int, kind: FailureKind, name: str
) -> None:
    assert explain(code, peak_mib * MIB, 100 * MIB)[::2] == (kind, name)


def test_the_innermost_frames_are_told_on_one_line() -> None:
    stack = (
        "Current thread 0x1 (most recent call first):\n"
        '  File "/a/deep.py", line 7 in inner\n'
        '  File "/a/mid.py", line 6 in outer\n'
    )
    assert innermost(stack) == "inner (deep.py:7) < outer (mid.py:6)"
    assert innermost("") == ""
