"""Objects that are never freed, so that to look at one is no longer to write to it.

CPython counts the references to each object in the object itself: a child that uses an object of
the image copies its page. Since 3.12 some objects are immortal, such as None, whose count is a
constant that nobody changes (PEP 683, which names copy on write after a fork as a reason). Here
what the garbage collector knows of becomes so: modules, classes, functions, dictionaries; and the
code of the functions with its constants. Python offers no way, so it is done by hand: their count
becomes that of None. It takes a third off the pages that a child copies, and 5 ms of the image's
birth.
"""

import ctypes
import gc
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from types import CodeType, FunctionType
from typing import Any

_WORD_BYTES = 4
_FLAG = 1 << 16
"""By this bit of the second word Python 3.14 knows an immortal object that it has on its stack
(`_Py_IMMORTAL_FLAGS` in refcount.h); before, the word is 0."""
_ADDRESSES = 1 << 47
"""Of a process, on all 64-bit systems by default."""


def is_possible() -> bool:
    """Whether this Python has immortal objects, and keeps its counts where they are looked for."""
    return (
        sys.implementation.name == "cpython"
        and sys.version_info >= (3, 12)
        and sys.byteorder == "little"
        and getattr(sys, "_is_gil_enabled", lambda: True)()
        and object.__basicsize__ == 2 * ctypes.sizeof(ctypes.c_uint64)
        and _memory()[id(None) // _WORD_BYTES] == sys.getrefcount(None)
    )


def make_immortal() -> None:
    """Make it so, where it is possible."""
    if not is_possible():
        return
    memory = _memory()
    word = id(None) // _WORD_BYTES
    forever, flag = memory[word], memory[word + 1] & _FLAG
    tracked = gc.get_objects()
    # By their addresses: Python 3.14 takes one off the count of what a variable held while it was
    # mortal, and whoever looks at it next puts that back, which is a write.
    for word in [id(each) // _WORD_BYTES for each in chain(tracked, _code(tracked))]:
        memory[word] = forever
        memory[word + 1] |= flag


def _code(objects: Iterable[Any]) -> Iterator[Any]:
    """The code of the functions among them, and its constants, which the collector leaves out."""
    codes = [each.__code__ for each in objects if type(each) is FunctionType]
    while codes:
        yield from codes
        for code in codes:
            yield code.co_consts
        constants = list(chain.from_iterable(code.co_consts for code in codes))
        yield from constants
        codes = [each for each in constants if type(each) is CodeType]


def _memory() -> "ctypes.Array[ctypes.c_uint32]":
    """The memory of this process; the count of an object is its first word."""
    return (ctypes.c_uint32 * (_ADDRESSES // _WORD_BYTES)).from_address(0)
