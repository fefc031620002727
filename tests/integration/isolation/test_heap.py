"""What a child allocates lies side by side, and what it frees stays its own."""

import subprocess
import sys

import pytest

from pdfingest.isolation import heap

pytestmark = pytest.mark.skipif(heap._glibc() is None, reason="the heap of glibc")

HOLES = """
import sys
from pdfingest.isolation import heap, zygote

libc = heap._glibc()
small, large = [], []
for _ in range(5000):  # a hole in each page
    small.append(libc.malloc(200))
    large.append(libc.malloc(4000))
for block in small:
    libc.free(block)
{"taken": heap.take_holes, "image": lambda: zygote.make_image([]), "left": int}[sys.argv[1]]()
print(len({libc.malloc(200) >> 12 for _ in range(1000)}))
"""

FREED = """
import ctypes, resource, sys
from pdfingest.isolation import heap, zygote

libc = heap._glibc()

def page():
    blocks = [libc.malloc(100_000) for _ in range(8)]
    for block in blocks:
        ctypes.memset(block, 1, 100_000)
    for block in blocks:
        libc.free(block)

{"kept": heap.keep_freed, "image": lambda: zygote.make_image([]), "given": int}[sys.argv[1]]()
page()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
page()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def number(code: str, how: str) -> int:
    """What the code prints, run in a process of its own."""
    command = [sys.executable, "-c", code, how]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("how", ["taken", "image"])
def test_once_the_holes_are_taken_new_blocks_share_pages(how: str) -> None:
    assert number(HOLES, how) * 5 < number(HOLES, "left")


@pytest.mark.parametrize("how", ["kept", "image"])
def test_what_a_page_needed_is_there_for_the_next(how: str) -> None:
    assert number(FREED, how) * 5 < number(FREED, "given")
