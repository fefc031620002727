"""Heap of the C library, as children find it: without holes, and in no hurry to give back.

The imports leave some hundred holes between what the image holds. What a child allocates would go
there, each piece into another page, and to write to a page of the image is to copy it. With the
holes taken it goes to the end of the heap, piece beside piece. And what PDFium frees after a page
it wants again for the next: given back to the system in between, it comes as new pages. Both
together take a fifth off the page faults of a file, and an eighth off its time.

Only where malloc is that of glibc; nothing happens elsewhere.
"""

import ctypes
from functools import cache
from typing import Any

_HOLES_BYTES = (*(1 << power for power in range(16, 10, -1)), *range(1032, 16, -16))
"""Sizes to look for, as malloc rounds them; a larger hole is one piece and may stay."""
_END_BYTES = 8192
"""What malloc_trim(3) leaves free at the end of the heap, at most: a page and the least block."""
_KEPT_BYTES = 1 << 20


@cache
def _glibc() -> Any:
    """The C library, with the types of what is used of it; None if it is another."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return None
    library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_size_t
    library.free.argtypes, library.free.restype = [ctypes.c_size_t], None
    library.sbrk.argtypes, library.sbrk.restype = [ctypes.c_ssize_t], ctypes.c_size_t
    return library


def take_holes() -> None:
    """Allocate all free memory before the end of the heap, for ever; it costs no new page."""
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


def keep_freed() -> None:
    """Have `free` keep what it gets; at exit, the system takes all back anyway.

    To free one large block raises the bounds from which on blocks are mapped apart, and the end of
    the heap is given back (mallopt(3), M_MMAP_THRESHOLD): from 128 KiB to its size and to twice its
    size. To set them instead would end what glibc does with larger ones.
    """
    if (library := _glibc()) is not None:
        library.free(library.malloc(_KEPT_BYTES))
