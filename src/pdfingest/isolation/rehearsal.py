"""Rehearsal: a job that is done in the image, so that no child does all for the first time.

What Python and an engine do once in a process, such as to look a codec up, to fill a cache, or to
fit the code that runs to the types that it meets (PEP 659), each child would do again, and copy the
pages for it. It takes 50 pages of 750 off a child, and 7 % off a run.
"""

import os
import pickle
import sys

from pdfingest.child.extraction import Extraction
from pdfingest.exchange.recorder import NOTES_BYTES, Recorder
from pdfingest.model import Cost, EngineSpec, Halted, Job, Limits, Outcome, Sandbox, Source, Unit

_TIMES = 4
"""What runs as often has been fitted to its types."""
_TEXT = b"BT /F 12 Tf 72 720 Td (What Python does once) Tj 0 -14 Td (it does here.) Tj ET"
_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R/Lang(en)>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources 7 0 R>>",
    b"<</Length %d>>stream\n%s\nendstream" % (len(_TEXT), _TEXT),
    b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    b"<</Title(Rehearsal)/Author(pdfingest)/Producer(pdfingest)/CreationDate(D:20260101000000Z)>>",
    b"<</Font<</F 5 0 R>>>>",
)
"""Objects 1 to 7 of a PDF of one page (ISO 32000-1, 7.5)."""


def rehearse(module: str) -> list[Outcome]:
    """Do it with a built-in engine, by its module; only on Linux, which has files without a name.

    Returns:
        How each ended.
    """
    if sys.platform != "linux":
        return []
    files = [os.memfd_create(name) for name in ("source", "spool", "recorder")]
    try:
        os.write(files[0], _pdf())
        os.truncate(files[2], NOTES_BYTES)
        job = _job(module, *(f"/proc/self/fd/{file}" for file in files))
        return [_do(pickle.dumps(job, pickle.HIGHEST_PROTOCOL)) for _ in range(_TIMES)]
    finally:
        for file in files:
            os.close(file)


def _job(module: str, source: str, spool: str, recorder: str) -> Job:
    """The job, by the paths of its files."""
    engine = EngineSpec("rehearsal", f"{module}:open_document", "")
    limits = Limits(memory_bytes=1 << 40, output_bytes=1 << 20, pages=1)
    return Job(
        Source("rehearsal", source), (engine,), (), Unit.PAGE, limits, spool, Sandbox.OFF,
        recorder=recorder,
    )  # fmt: skip


def _do(pickled: bytes) -> Outcome:
    """One job, from its pickle to that of its answer."""
    job: Job = pickle.loads(pickled)  # noqa: S301 - our own
    notes = Recorder(job.recorder, job.ticket)
    outcome = Extraction(job, notes, Cost).run()
    notes.close()
    pickle.dumps(outcome, pickle.HIGHEST_PROTOCOL)
    assert not isinstance(outcome, Halted)
    return outcome


def _pdf() -> bytes:
    """A PDF with what most have: a text in a standard font, metadata, a table of its objects."""
    pdf, offsets = b"%PDF-1.7\n", list[int]()
    for number, body in enumerate(_OBJECTS, 1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = len(_OBJECTS) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer<</Size %d/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    return pdf + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer % (size, len(pdf))
