"""A small job that is done in the image, so that children find done what is done once in a process.

Python and an engine look up codecs, fill caches, and fit code to the types that it meets (PEP 659).
It saves 50 pages of 750, and 7 % of the time of a run. See `warm_up` for what else the image does.
"""

import os
import sys
from multiprocessing import connection
from multiprocessing.queues import Queue
from typing import Any, cast

from pdfingest.child.extraction import Extraction
from pdfingest.exchange.answer import encoded
from pdfingest.exchange.recorder import NOTES_BYTES, Recorder
from pdfingest.isolation.context import Context
from pdfingest.isolation.parcel import pack, unpack
from pdfingest.isolation.queues import AnswerWriter, Result
from pdfingest.isolation.warm_up import gather, run_by
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
        gather(run_by(lambda: _do(job, recorder)))
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
