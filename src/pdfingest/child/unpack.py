"""A PDF that is attached to another one, made a file, so that engines read it like any other.

Runs in the child, within its limits: the attachment may be made to explode.
"""

from collections.abc import Sequence
from contextlib import closing

from pdfingest.engines.abilities import has_attachments
from pdfingest.engines.engine import MalformedError, load_engine
from pdfingest.exchange.spool import SpoolWriter, unpacked_of
from pdfingest.job import EngineSpec, Job


def unpacked(job: Job) -> str:
    """Write the PDF that a job is about to a file of its own, and return the path.

    Raises:
        Exception: no engine can read what it is attached to; this is what the last raised.
        SpoolError: there is no room for it.
    """
    path, to = job.source.path, unpacked_of(job.spool)
    for index in job.source.inside:
        content = _attachment(path, index, job.engines, job.passwords)
        with SpoolWriter(to) as file:
            file.write(content)
        del content
        path = to
    return path


def _attachment(
    path: str, index: int, engines: Sequence[EngineSpec], passwords: Sequence[str]
) -> bytes:
    """Return an attachment of a document, by the first engine that can read it."""
    reason: Exception = MalformedError("no engine of this run reads attachments")
    for spec in engines:
        try:
            with closing(load_engine(spec)(path, passwords)) as document:
                if has_attachments(document):
                    return document.attachment(index)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the next engine may know better
            reason = error
    raise reason
