"""What the image does so that its forks write to fewer pages, seen in processes of their own."""

import subprocess
import sys

import pytest

from pdfingest.engines.registry import find_engines
from pdfingest.isolation import warm_up
from pdfingest.isolation.warm_up import is_possible, rehearse
from pdfingest.outcome import Extracted

needs_glibc = pytest.mark.skipif(warm_up._glibc() is None, reason="the heap of glibc")

HOLES = """
import sys
from pdfingest.isolation import warm_up, zygote
from pdfingest.isolation.contents import Contents
image = lambda: (zygote.make_image(Contents()), zygote.warm(()))
libc = warm_up._glibc()
small, large = [], []
for _ in range(5000):  # a hole in each page
    small.append(libc.malloc(200))
    large.append(libc.malloc(4000))
for block in small:
    libc.free(block)
{"taken": warm_up.take_holes, "image": image, "left": int}[sys.argv[1]]()
print(len({libc.malloc(200) >> 12 for _ in range(1000)}))
"""

FREED = """
import ctypes, resource, sys
from pdfingest.isolation import warm_up, zygote
from pdfingest.isolation.contents import Contents
image = lambda: (zygote.make_image(Contents()), zygote.warm(()))
libc = warm_up._glibc()

def page():
    blocks = [libc.malloc(100_000) for _ in range(8)]
    for block in blocks:
        ctypes.memset(block, 1, 100_000)
    for block in blocks:
        libc.free(block)

{"kept": warm_up.keep_freed, "image": image, "given": int}[sys.argv[1]]()
page()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
page()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

PAGES = """
import os, resource, sys
from pdfingest.isolation.warm_up import make_immortal

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
from pdfingest.isolation.warm_up import make_immortal
from pdfingest.isolation.contents import Contents
from pdfingest.isolation.zygote import make_image, warm

def outer():
    def inner():
        return "not a name", 123456.5, (123, b"bytes")
    return inner

{"alone": make_immortal, "image": lambda: (make_image(Contents()), warm(()))}[sys.argv[1]]()
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


OBJECTS = """
import sys
from pdfingest.isolation.warm_up import make_immortal
from pdfingest.isolation.contents import Contents
from pdfingest.isolation.zygote import make_image, warm

class Holder:
    number, text, pair = 123457, "not a name", (1234.5, "another")

def outer():
    return lambda: None

{"alone": make_immortal, "image": lambda: (make_image(Contents()), warm(()))}[sys.argv[1]]()
forever = sys.getrefcount(None)
inner = next(each for each in outer.__code__.co_consts if hasattr(each, "co_code"))
held = [*vars(Holder).values(), inner.co_qualname, inner.co_names]
mortal = [each for each in held if sys.getrefcount(each) != forever]
sys.exit(repr(mortal) if mortal else 0)
"""

GONE = """
import sys, weakref
from pdfingest.isolation import warm_up

class Used:
    pass

def objects():
    used = Used()  # which only this generator holds
    watched.append(weakref.ref(used))
    yield used

watched = []
warm_up._objects = objects
warm_up.make_immortal()
sys.exit(watched[0]() is None)
"""

POOLS = """
import sys
from pdfingest.isolation import warm_up, zygote
from pdfingest.isolation.contents import Contents
image = lambda: (zygote.make_image(Contents()), zygote.warm(()))
kept = [bytearray(100) for _ in range(200_000)]
# Holes in many pages, in the first two places of a pool among them: it looks as if it were fresh.
kept = [each for n, each in enumerate(kept) if n % 400 and id(each) % 16384 not in {48, 112}]
{"taken": warm_up.take_holes, "image": image, "left": int}[sys.argv[1]]()
print(len({id(each) >> 12 for each in [bytearray(100) for _ in range(400)]}))
"""


def number(code: str, how: str) -> int:
    """What the code prints, run in a process of its own."""
    command = [sys.executable, "-c", code, how]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@needs_glibc
@pytest.mark.parametrize("how", ["taken", "image"])
def test_once_the_holes_are_taken_new_blocks_share_pages(how: str) -> None:
    assert number(HOLES, how) * 5 < number(HOLES, "left")


@needs_glibc
@pytest.mark.parametrize("how", ["kept", "image"])
def test_what_a_page_needed_is_there_for_the_next(how: str) -> None:
    assert number(FREED, how) * 5 < number(FREED, "given")


def pages(how: str) -> int:
    """Pages that a fork copies when it looks at many objects."""
    command = [sys.executable, "-c", PAGES, how]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


@pytest.mark.skipif(not is_possible(), reason="immortal objects")
def test_a_child_that_uses_immortal_objects_does_not_copy_them() -> None:
    assert pages("immortal") * 3 < pages("mortal")


@pytest.mark.parametrize("how", ["taken", "image"])
def test_once_the_pools_are_filled_new_objects_share_pages(how: str) -> None:
    assert number(POOLS, how) * 5 < number(POOLS, "left")


@pytest.mark.skipif(not is_possible(), reason="immortal objects")
def test_no_count_is_written_to_an_object_that_is_gone() -> None:
    subprocess.run([sys.executable, "-c", GONE], check=True)


@pytest.mark.skipif(not is_possible(), reason="immortal objects")
@pytest.mark.parametrize("how", ["alone", "image"])
def test_what_the_collector_does_not_track_is_immortal_too(how: str) -> None:
    subprocess.run([sys.executable, "-c", OBJECTS, how], check=True)


@pytest.mark.skipif(not is_possible(), reason="immortal objects")
@pytest.mark.parametrize("how", ["alone", "image"])
def test_code_and_its_constants_are_immortal_too(how: str) -> None:
    subprocess.run([sys.executable, "-c", CODE, how], check=True)


def test_this_python_can_if_it_should() -> None:
    wanted = sys.implementation.name == "cpython" and sys.version_info >= (3, 12)
    assert is_possible() == (wanted and sys.maxsize > 2**32)


@pytest.mark.skipif(sys.platform != "linux", reason="files without a name")
@pytest.mark.parametrize("engine", ["pdfium", "pypdf", "pdfplumber"])
def test_each_built_in_engine_can_be_rehearsed(engine: str) -> None:
    (spec,) = find_engines(engine)
    outcomes = rehearse(spec.module)
    assert len(outcomes) > 1
    for outcome in outcomes:
        assert isinstance(outcome, Extracted)
        assert (outcome.pages, outcome.failed_pages) == (2, ())
        assert outcome.chars > 30
