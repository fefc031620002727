"""Objects that are never freed, so that to look at one is no longer to write to it.

CPython counts the references to each object in the object itself: a child that uses an object of
the image copies its page. Since 3.12 some objects are immortal, such as None, whose count is a
constant that nobody changes (PEP 683, which names copy on write after a fork as a reason). Here all
objects of the image become so. What Python does not offer is done by hand: their count becomes
that of None. It takes a third off the pages that a child copies, and a fifth off a run.
"""

import ctypes
import gc
import sys
from types import CodeType
from typing import Any


def is_possible() -> bool:
    """Whether this Python has immortal objects, and counts where they are looked for."""
    return (
        sys.implementation.name == "cpython"
        and sys.version_info >= (3, 12)
        and sys.byteorder == "little"
        and getattr(sys, "_is_gil_enabled", lambda: True)()
        and object.__basicsize__ == 2 * ctypes.sizeof(ctypes.c_void_p)
        and _count(None).value == sys.getrefcount(None)
    )


def make_immortal() -> None:
    """Every object that can be reached from one that the garbage collector knows."""
    if not is_possible():
        return
    forever = _count(None).value
    found: dict[int, Any] = {}
    waiting = gc.get_objects()
    while waiting:
        each = waiting.pop()
        if id(each) not in found:
            found[id(each)] = each
            waiting += gc.get_referents(each)
            if isinstance(each, CodeType):  # the collector does not look into it
                waiting += (each.co_consts, each.co_names, each.co_varnames)
    own = {id(found), id(waiting)}
    for each in found.values():
        if id(each) not in own:
            _count(each).value = forever


def _count(each: object) -> ctypes.c_uint32:
    """The count of an object: the first word of it, in memory."""
    return ctypes.c_uint32.from_address(id(each))
