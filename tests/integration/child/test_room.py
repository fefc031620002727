"""The limits that a child puts on itself, in a process that can be spared."""

import subprocess
import sys

import pytest

FILL = """
import os, resource
from pdfingest.child import limits
from pdfingest.job import Limits
room = limits.apply(Limits(memory_bytes=256 << 20, output_bytes=1 << 20, pages=1))
for name in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
    soft, hard = resource.getrlimit(name)
    assert soft == hard != resource.RLIM_INFINITY
blocks = []
for size in (8 << 20, 1 << 20, 1 << 18):
    try:
        while True:
            blocks.append(bytearray(size))
    except MemoryError:
        pass
assert 128 << 20 < sum(map(len, blocks)) <= 256 << 20
{before}
try:
    blocks.append(bytearray(12 << 20))
except MemoryError:
    os._exit(3)  # there may be none left to say more
"""


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not hold to RLIMIT_AS")
@pytest.mark.parametrize(("before", "code"), [("room.close()", 0), ("", 3)])
def test_there_is_room_for_the_answer_once_the_work_is_over(before: str, code: int) -> None:
    command = [sys.executable, "-c", FILL.format(before=before)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
