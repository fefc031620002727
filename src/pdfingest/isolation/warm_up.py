"""What the image does so that its forks are cheaper: a third of the time of a small file together.

A fork shares the pages of the image until one of both writes to them; each such write copies a page
of 4 KiB. The steps here, and the `rehearsal`, make a child write to fewer pages. Each is a trick,
so a user with a strange crash can leave all of them out: `PDFINGEST_WARM_UP=0`.

- `gather` copies the code that a job runs side by side. Code has counters in it, by which Python
  finds what to fit to its types, and many of them are written to each time (PEP 659).
- `make_immortal` makes objects of the image immortal, so that to look at one is no longer to write
  to it. CPython counts the references to an object in the object itself. Since 3.12 some objects,
  such as None, have a count that nobody changes (PEP 683, which names copy on write after a fork as
  a reason); Python offers no way to make more of them, so it is done by hand.
- `take_holes` and `keep_freed` have a child allocate in fresh memory, piece beside piece, and not
  in holes between what the image holds, and keep what PDFium frees after a page for the next page.

What each saves stands in `docs/memory-and-speed.md`.
"""

import ctypes
import gc
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from types import CodeType, FunctionType
from typing import Any


def run_by(function: Callable[[], object]) -> list[CodeType]:
    """Call a function, and return the code that it runs, by the counters in it that change.

    A profiler (`sys.setprofile`) would change all code for ever.
    """
    functions = [each for each in gc.get_objects() if type(each) is FunctionType]
    codes = list(
        {id(each): each for each in _with_inner(each.__code__ for each in functions)}.values()
    )
    before = [_state(each) for each in codes]
    function()
    return [each for each, state in zip(codes, before, strict=True) if _state(each) != state]


def _state(code: Any) -> int:
    """Tell states of code apart. Python shows it to `dis`; where it does not, no code changes."""
    return hash(getattr(code, "_co_code_adaptive", b""))


def gather(codes: Sequence[CodeType]) -> None:
    """Copy code side by side, and have all functions use the copies."""
    take_holes()
    mine = {id(each) for each in codes}
    copies: dict[int, CodeType] = {}

    def copied(code: CodeType) -> CodeType:
        if id(code) not in copies:
            consts = tuple(copied(each) if id(each) in mine else each for each in code.co_consts)
            copies[id(code)] = code.replace(co_consts=consts)
        return copies[id(code)]

    for each in codes:
        copied(each)
    for function in gc.get_objects():
        if type(function) is FunctionType and id(function.__code__) in mine:
            function.__code__ = copies[id(function.__code__)]


def _with_inner(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    """Yield code, and the code of functions within it."""
    for code in codes:
        yield code
        yield from _with_inner(each for each in code.co_consts if type(each) is CodeType)


_WORD_BYTES = 4
_FLAG = 1 << 16
"""By this bit of the second word Python 3.14 knows an immortal object that it has on its stack
(`_Py_IMMORTAL_FLAGS` in refcount.h); before, the word is 0."""
_HOLDERS = {tuple, dict}
"""Types of which the garbage collector leaves out what holds nothing that it tracks."""
_ADDRESSES = 1 << 47
"""Of a process, on all 64-bit systems by default."""


def is_possible() -> bool:
    """Return whether this Python has immortal objects, with their counts in the first word."""
    return (
        sys.implementation.name == "cpython"
        and sys.version_info >= (3, 12)
        and sys.byteorder == "little"
        and getattr(sys, "_is_gil_enabled", lambda: True)()
        and object.__basicsize__ == 2 * ctypes.sizeof(ctypes.c_uint64)
        and _memory()[id(None) // _WORD_BYTES] == sys.getrefcount(None)
    )


def make_immortal() -> None:
    """Make the objects of this process immortal, where that is possible."""
    if not is_possible():
        return
    # To write through a view takes half the time that an array of ctypes does.
    memory = memoryview(_memory()).cast("B").cast("I")
    word = id(None) // _WORD_BYTES
    forever, flag = memory[word], memory[word + 1] & _FLAG
    # By their addresses: Python 3.14 takes one off the count of what a variable held while it was
    # mortal, and whoever looks at it next puts that back, which is a write.
    for address in map(id, _objects()):
        memory[address // _WORD_BYTES] = forever
    for address in map(id, _objects()) if flag else ():
        memory[address // _WORD_BYTES + 1] |= flag


def _objects() -> Iterator[Any]:
    """Yield the objects of this process, some more than once.

    The garbage collector tracks neither code nor what refers to nothing or to such only: texts,
    numbers, and their tuples.
    """
    tracked = gc.get_objects()
    referents = gc.get_referents(*tracked)
    inner = [each for each in referents if type(each) in _HOLDERS and not gc.is_tracked(each)]
    codes = [each for each in referents if type(each) is CodeType]
    return chain(tracked, referents, gc.get_referents(*inner), _of_code(codes))


def _of_code(codes: Iterable[CodeType]) -> Iterator[Any]:
    """Yield what code refers to, and code within it; it does not show that to the collector."""
    for code in _with_inner(codes):
        yield from (code, code.co_name, code.co_qualname, code.co_names, code.co_consts)
        yield from code.co_consts


def _memory() -> "ctypes.Array[ctypes.c_uint32]":
    """Return the memory of this process, in which the count of an object is its first word."""
    return (ctypes.c_uint32 * (_ADDRESSES // _WORD_BYTES)).from_address(0)


_HOLES_BYTES = (*(1 << power for power in range(16, 10, -1)), *range(1032, 16, -16))
"""Sizes to look for, as malloc rounds them; a larger hole is one piece and may stay."""
_END_BYTES = 8192
"""What malloc_trim(3) leaves free at the end of the heap, at most: a page and the least block."""
_KEPT_BYTES = 1 << 20
_SMALL_BYTES = range(16, 513, 16)
"""Sizes of blocks that Python allocates in pools (obmalloc.c)."""
_POOL_BYTES, _POOL_HEAD_BYTES = 16 << 10, 48
_MOST_BLOCKS = 1000
"""Most blocks of a size that are looked for: with another allocator (PYTHONMALLOC) no pool ever
begins, and this is 8 MiB."""


@cache
def _glibc() -> Any:
    """Return the C library, if it is that of GNU, with the types of the functions used here."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return None
    library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_size_t
    library.free.argtypes, library.free.restype = [ctypes.c_size_t], None
    library.sbrk.argtypes, library.sbrk.restype = [ctypes.c_ssize_t], ctypes.c_size_t
    return library


def take_holes() -> None:
    """Allocate all free memory before the end of the heap, for ever, which costs no page."""
    _fill_pools()
    if (library := _glibc()) is None:
        return
    library.malloc_trim(0)
    end = library.sbrk(0) - _END_BYTES
    behind: list[int] = []
    for size in _HOLES_BYTES:
        while 0 < (block := library.malloc(size)) < end:
            pass
        behind.append(block)
    for block in behind:
        library.free(block)


def _fill_pools() -> None:
    """Allocate what is free in the pools of Python's own small objects, up to fresh pools."""
    allocate = ctypes.pythonapi.PyObject_Malloc
    allocate.argtypes, allocate.restype = [ctypes.c_size_t], ctypes.c_size_t
    for size in _SMALL_BYTES:
        for _ in range(_MOST_BLOCKS):
            if allocate(size) % _POOL_BYTES == _POOL_HEAD_BYTES:
                break


def keep_freed() -> None:
    """Have `free` keep what it gets; at exit the system takes all back anyway.

    To free one large block raises the bounds from which on blocks are mapped apart, and the end of
    the heap is given back (mallopt(3), M_MMAP_THRESHOLD): from 128 KiB to its size and to twice its
    size. To set them instead would end what glibc does with larger ones.
    """
    if (library := _glibc()) is not None:
        library.free(library.malloc(_KEPT_BYTES))
