"""What the image does so that its forks are cheaper: a quarter of the time of a small file.

It takes as long as a dozen forks get back, so the zygote does it at its twelfth fork, not before.
A fork shares the pages of the image until one of both writes to them; each such write copies a page
of 4 KiB. The steps here make a child write to fewer pages. Each is a trick, so a user with a
strange crash can leave all of them out: `PDFINGEST_WARM_UP=0`.

- `rehearse` does a small job in the image, so that what Python and an engine do once in a process,
  such as to look up a codec, to fill a cache, or to fit code to the types that it meets (PEP 659),
  is not done by each child again.
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
import os
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from multiprocessing import connection
from multiprocessing.queues import Queue
from types import CodeType, FunctionType
from typing import Any, cast

from pdfingest.child.extraction import Extraction
from pdfingest.exchange.answer import encoded
from pdfingest.exchange.recorder import NOTES_BYTES, Recorder
from pdfingest.isolation.context import Context
from pdfingest.isolation.parcel import pack, unpack
from pdfingest.isolation.queues import AnswerWriter, Result
from pdfingest.job import EngineSpec, Job, Limits, Sandbox
from pdfingest.model import Source, Unit
from pdfingest.outcome import Cost, Halted, Outcome

_TIMES = 3
"""What runs as often has been fitted to its types."""
_LINE = "What Python does once in a pro-", "cess it does here, line by line."
_AT = b"BT /%c %d Tf %d %d Td (%s) Tj ET "
_TEXT = b"".join(
    _AT % (b"F", 12, 72 + 270 * column, 640 - 28 * row - 14 * part, _LINE[part].encode())
    for row in range(4)
    for column in range(2)
    for part in range(2)
) + b"".join(
    _AT % place
    for place in (
        *((b"F", 8, 280, 810, b"A running head"), (b"F", 8, 300, 30, b"12")),
        *((b"B", 18, 72, 720, b"A heading"), (b"F", 12, 72, 700, b"1. An item of a list.")),
        *((b"F", 12, 72, 400, b"A cell"), (b"F", 12, 300, 400, b"of a table")),
        *(
            (b"F", 12, 72, 386, b"and 1"),
            (b"F", 12, 300, 386, b"one more"),
            (b"F", 8, 98, 390, b"2"),
        ),
    )
)
"""Columns, a head, a heading, an item, a table, a note: of all that pages have, a little."""
_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R/Lang(en)>>",
    b"<</Type/Pages/Kids[3 0 R 9 0 R]/Count 2>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 842]/Contents 4 0 R/Resources 7 0 R>>",
    b"<</Length %d>>stream\n%s\nendstream" % (len(_TEXT), _TEXT),
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    b"<</Title(Rehearsal)/Author(pdfingest)/Producer(pdfingest)/CreationDate(D:20260101000000Z)>>",
    b"<</Font<</F 5 0 R/B 8 0 R>>>>",
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica-Bold/Encoding/WinAnsiEncoding>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 842]/Contents 4 0 R/Resources 7 0 R>>",
)
"""Objects of a PDF of two pages (ISO 32000-1, 7.5)."""


def warm_up(modules: Sequence[str]) -> None:
    """Do all of this to an image that is frozen (`gc.freeze`).

    Args:
        modules: names of the modules of built-in engines, for a rehearsal with each.
    """
    gc.disable()
    for module in modules:
        with suppress(Exception):  # a job that meets the same will say so
            rehearse(module)
    gc.unfreeze()  # what is frozen is not listed
    make_immortal()
    gc.freeze()
    gc.enable()
    take_holes()
    keep_freed()


def rehearse(module: str) -> list[Outcome]:
    """Read a small PDF with the built-in engine in a module, as a child does it.

    Only on Linux, which has files without a name.

    Returns:
        How each of the jobs ended.
    """
    if sys.platform != "linux":
        return []
    files = [os.memfd_create(name) for name in ("source", "spool", "recorder")]
    try:
        os.write(files[0], small_pdf())
        os.truncate(files[2], NOTES_BYTES)
        source, spool, recorder = (f"/proc/self/fd/{file}" for file in files)
        job = _job(module, source, spool)
        return [_do(job, recorder) for _ in range(_TIMES)]
    finally:
        for file in files:
            os.close(file)


def _job(module: str, source: str, spool: str) -> Job:
    engine = EngineSpec("rehearsal", f"{module}:open_document", "")
    limits = Limits(memory_bytes=1 << 40, output_bytes=1 << 20, pages=2)
    return Job(Source("rehearsal", source), (engine,), (), Unit.PAGE, limits, spool, Sandbox.OFF)


def _do(job: Job, recorder: str) -> Outcome:
    """Take a job from the queue of an executor, do it, and send its answer.

    Both queues are used from both ends here, so what goes through them must fit into a pipe.
    """
    answers, pipe = connection.Pipe(duplex=False)
    queue: Queue[Job] = Queue(1, ctx=Context(cast(Any, None)))  # it starts nothing
    content, descriptors = pack((queue, AnswerWriter(pipe)))
    calls, results = unpack(content, [os.dup(each) for each in descriptors])
    with connection.Connection(os.dup(descriptors[1]), readable=False) as parent:
        parent.send(job)
    notes = Recorder(recorder, 0)
    outcome = Extraction(calls.get(), notes, Cost).run()
    notes.close()
    assert not isinstance(outcome, Halted)
    results.put(Result(0, os.getpid(), encoded(outcome)))
    answers.recv_bytes()
    return outcome


def small_pdf() -> bytes:
    """Return a PDF of two pages: text in standard fonts, metadata, a table of its objects."""
    pdf, offsets = b"%PDF-1.7\n", list[int]()
    for number, body in enumerate(_OBJECTS, 1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = len(_OBJECTS) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return pdf + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer % (size, len(pdf))


_WORD_BYTES = 4
_FLAG = 1 << 16
"""By this bit of the second word Python 3.14 knows an immortal object that it has on its stack
(`_Py_IMMORTAL_FLAGS` in refcount.h); before, the word is 0."""
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
    # All are held until it is done: to write to one that is gone would be to write to another's
    # memory. What looks for them is itself among them, and gone once it has found them.
    objects = list(_objects())
    # By their addresses: Python 3.14 takes one off the count of what a variable held while it was
    # mortal, and whoever looks at it next puts that back, which is a write.
    addresses = array("Q", map(id, objects))
    for address in addresses:
        memory[address // _WORD_BYTES] = forever
    for address in addresses if flag else ():
        memory[address // _WORD_BYTES + 1] |= flag


def _objects() -> Iterator[Any]:
    """Yield the objects of this process that others look at, some more than once.

    The garbage collector lists neither code nor what refers to nothing, such as texts and numbers:
    the constants of modules and of classes, and those of code.
    """
    tracked = gc.get_objects()
    held = gc.get_referents(*[each for each in tracked if type(each) is dict])
    codes = [each.__code__ for each in tracked if type(each) is FunctionType]
    return chain(tracked, held, _of_code(codes))


def _of_code(codes: Iterable[CodeType]) -> Iterator[Any]:
    """Yield what code refers to, which it does not show to the collector, and code within it."""
    for code in codes:
        yield from (code, code.co_name, code.co_qualname, code.co_names, code.co_consts)
        yield from code.co_consts
        yield from _of_code(each for each in code.co_consts if type(each) is CodeType)


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
_POOL_BYTES, _POOL_HEAD_BYTES, _PAGE_BYTES = 16 << 10, 48, 4 << 10
_MOST_POOLS_BYTES = 256 << 10
"""Most memory of a size that is looked for: with another allocator (PYTHONMALLOC) no pool ever
begins, and this is 8 MiB together."""


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
    allocate, free = ctypes.pythonapi.PyObject_Malloc, ctypes.pythonapi.PyObject_Free
    allocate.argtypes, allocate.restype = [ctypes.c_size_t], ctypes.c_size_t
    free.argtypes, free.restype = [ctypes.c_size_t], None
    for size in _SMALL_BYTES:
        fresh: list[int] = []
        for _ in range(_MOST_POOLS_BYTES // size):
            block = allocate(size)
            # A pool is fresh if its blocks come in turn from the first one on. One that had been
            # used may begin like that too, but hardly for a page.
            if block % _POOL_BYTES == _POOL_HEAD_BYTES:
                fresh = [block]
            elif fresh and block == fresh[-1] + size:
                fresh.append(block)
            else:
                fresh = []
            if len(fresh) * size >= _PAGE_BYTES:
                break
        for block in fresh:
            free(block)


def keep_freed() -> None:
    """Have `free` keep what it gets; at exit the system takes all back anyway.

    To free one large block raises the bounds from which on blocks are mapped apart, and the end of
    the heap is given back (mallopt(3), M_MMAP_THRESHOLD): from 128 KiB to its size and to twice its
    size. To set them instead would end what glibc does with larger ones.
    """
    if (library := _glibc()) is not None:
        library.free(library.malloc(_KEPT_BYTES))
