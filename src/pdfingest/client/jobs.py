"""Jobs as Python sees them: values made of the documents that the service answers with.

Owns which members of a document a caller may rely on. Whatever a newer service adds stays in
`Job.document`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, cast

from pdfingest.client.errors import ClientError

_ENDED = frozenset({"done", "failed", "cancelled", "refused"})


class Options(TypedDict, total=False):
    """What may be chosen for a file. The service checks the values."""

    engine: str
    """`auto`, an engine, or several, separated by commas."""
    unit: str
    """What one record holds, such as `page` or `document`."""
    format: str
    """What the text of a record is, such as `text` or `markdown`."""
    tables: bool
    """Whether records have the tables of their pages."""
    ocr: str
    """What reads pages that need OCR: `off`, `auto`, or an engine of that kind."""
    ocr_lang: str
    """Codes of the languages of OCR, separated by commas, such as `deu,eng`."""
    password: str | Sequence[str]
    """A password to try, or several."""
    webhook: str
    """URL that is told when the job ends; the operator of the service allows its host."""
    idempotency_key: str
    """Name of this request; a random one by default. The service makes one job of all requests
    with the same name and file, which makes it safe to repeat them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many pages of a file are done."""

    pages_done: int = 0
    total_pages: int = 0
    """Pages of the document; 0 until it has been opened."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the service described it when it was asked. It does not change by itself."""

    id: str
    """Id of the job; empty where the service never took the file."""
    state: str
    """`queued`, `running`, `done`, `failed` or `cancelled`; from `ingest_all` also `refused`."""
    name: str = ""
    """Name of the file, as the service shows it."""
    size_bytes: int = 0
    sha256: str = ""
    """SHA-256 of the file, in hex."""
    attempts: int = 0
    """How often a worker has begun with the file."""
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    progress: Progress = Progress()
    report: Mapping[str, Any] | None = field(default=None, hash=False)
    """Report line of the file, once the job has ended; its `status` is `ok`, `partial`, ..."""
    document: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)
    """The whole document, as the service sent it."""
    error: ClientError | None = field(default=None, compare=False)
    """From `ingest_all` only: why the file was refused, or its job could not be followed."""

    @property
    def ended(self) -> bool:
        """Whether the job is done, failed or cancelled, so that it changes no more."""
        return self.state in _ENDED


@dataclass(frozen=True, slots=True)
class Converted:
    """The text of a file. `str()` of it is the text."""

    text: str
    job_id: str
    """Id of the job, whose records and report the service still has."""
    status: str = "ok"
    """`ok`, or `partial` where some pages could not be read."""
    pages_failed: int = 0
    """Pages that are missing, as they could not be read."""
    needs_ocr_pages: int = 0
    """Pages that are pictures, so that they have no text to read."""

    def __str__(self) -> str:
        return self.text


def parse_job(document: object) -> Job:
    """Make a job of its document.

    Raises:
        ClientError: it is not the document of a job.
    """
    found = mapping(document)
    if not isinstance(found.get("id"), str) or not isinstance(found.get("state"), str):
        raise not_ours("a job")
    progress = mapping(found.get("progress") or {})
    try:
        return Job(
            id=found["id"],
            state=found["state"],
            name=str(found.get("name") or ""),
            size_bytes=int(found.get("bytes") or 0),
            sha256=str(found.get("sha256") or ""),
            attempts=int(found.get("attempts") or 0),
            created_at=_time(found.get("created_at")),
            started_at=_time(found.get("started_at")),
            ended_at=_time(found.get("ended_at")),
            progress=Progress(
                int(progress.get("pages_done") or 0), int(progress.get("total_pages") or 0)
            ),
            report=mapping(found["report"]) if found.get("report") else None,
            document=found,
        )
    except (TypeError, ValueError) as error:
        raise not_ours("a job") from error


def refused_job(path: str | os.PathLike[str], error: ClientError | OSError) -> Job:
    """Make what stands for the job of a file that cannot be read, or was not taken."""
    if isinstance(error, OSError) and not isinstance(error, ClientError):
        error = ClientError("unreadable", f"{error}. Check the file and send it again.")
    return Job(id="", state="refused", name=os.path.basename(os.fspath(path)), error=error)


def mapping(document: object) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ClientError: it is another kind of JSON value.
    """
    if not isinstance(document, dict):
        raise not_ours("an object")
    return cast("dict[str, Any]", document)


def not_ours(wanted: str) -> ClientError:
    """Make the error of an answer that the service does not give."""
    return ClientError(
        "unexpected answer",
        f"the answer is not {wanted}. Check that the URL is that of a pdfingest service.",
    )


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
