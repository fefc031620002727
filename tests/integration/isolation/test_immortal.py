"""Objects of the image are not written to by those who use them."""

import subprocess
import sys

import pytest
from pdfingest.isolation.immortal import is_possible

PAGES = """
import os, resource, sys
from pdfingest.isolation.immortal import make_immortal

class Used:
    pass

used = [Used() for _ in range(100_000)]
if sys.argv[1] == "immortal":
    make_immortal()
count = sys.getrefcount(used[0])
pid = os.fork()
if pid == 0:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    again = used * 1
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    assert (sys.getrefcount(used[0]) == count) == (sys.argv[1] == "immortal")
    del again, used
    print(pages, flush=True)
    os._exit(0)
sys.exit(os.waitpid(pid, 0)[1])
"""

CODE = """
import sys
from pdfingest.isolation.immortal import make_immortal
from pdfingest.isolation.zygote import make_image

def outer():
    def inner():
        return "not a name", 123456.5, (123, b"bytes")
    return inner

{"alone": make_immortal, "image": lambda: make_image([])}[sys.argv[1]]()
forever = sys.getrefcount(None)
inner = next(each for each in outer.__code__.co_consts if hasattr(each, "co_code"))
mortal = [
    each
    for code in (outer.__code__, inner)
    for each in (code, code.co_consts, *code.co_consts)
    if sys.getrefcount(each) != forever
]
sys.exit(repr(mortal) if mortal else 0)
"""


def pages(how: str) -> int:
    """Pages that a fork copies when it looks at many objects."""
    command = [sys.executable, "-c", PAGES, how]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.skipif(not is_possible(), reason="immortal objects")
def test_a_child_that_uses_immortal_objects_does_not_copy_them() -> None:
    assert pages("immortal") * 3 < pages("mortal")


@pytest.mark.skipif(not is_possible(), reason="immortal objects")
@pytest.mark.parametrize("how", ["alone", "image"])
def test_code_and_its_constants_are_immortal_too(how: str) -> None:
    subprocess.run([sys.executable, "-c", CODE, how], check=True)


def test_this_python_can_if_it_should() -> None:
    wanted = sys.implementation.name == "cpython" and sys.version_info >= (3, 12)
    assert is_possible() == (wanted and sys.maxsize > 2**32)
