"""What the API takes and gives, as pydantic and OpenAPI have it. The only module that uses both."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from pdfingest.model import Unit
from pdfingest.service.jobs import Job, State

_ID = "5f0c6f8e7d3b4a2e9c1d0b8a7f6e5d4c"
_REPORT: JsonDict = {
    "source": "a.pdf",
    "status": "ok",
    "failure": "",
    "pages": 12,
    "peak_rss_bytes": 41_943_040,
    "wall_s": 0.21,
}

_JOB: JsonDict = {
    "id": _ID,
    "state": "done",
    "name": "a.pdf",
    "bytes": 48_120,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "attempts": 1,
    "created_at": "2026-01-02T03:04:05.678901+00:00",
    "started_at": "2026-01-02T03:04:05.700000+00:00",
    "ended_at": "2026-01-02T03:04:05.910000+00:00",
    "progress": {"pages_done": 12, "total_pages": 12},
    "report": _REPORT,
    "links": {
        "self": f"/v1/jobs/{_ID}",
        "result": f"/v1/jobs/{_ID}/result",
        "events": f"/v1/jobs/{_ID}/events",
    },
}


def _utf8(text: str) -> str:
    """Text that can be stored: JSON may spell half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not Unicode") from None
    return text


def _listed(value: object) -> object:
    """One password is a list of one."""
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_utf8)]


_SOURCE_CHARS = 4096
_SOURCE: JsonDict = {
    "type": "string",
    "maxLength": _SOURCE_CHARS,
    "description": (
        "Absolute path of a file that the workers see, or the address of an object: "
        "`s3://bucket/key`, `gs://bucket/key` or `az://container/key`. The key is taken character "
        "for character, as `aws s3 ls` and `gcloud storage ls` print it; it is not URL-encoded. "
        "The operator allows directories and folders of buckets (PDFINGEST_SOURCE_PREFIXES); "
        "whatever is elsewhere, or could be read in two ways, is answered with 403."
    ),
}


class Choices(BaseModel):
    """Options of one job."""

    model_config = ConfigDict(extra="forbid")

    engine: Annotated[Text, Field(max_length=200)] | None = None
    """`auto`, an engine, or several, separated by commas."""
    unit: Unit | None = None
    password: Annotated[
        list[Annotated[Text, Field(max_length=1024)]],
        BeforeValidator(_listed),
        Field(max_length=31),
    ] = []
    webhook: Annotated[Text, Field(max_length=2000)] = ""


class Named(Choices):
    """A file that the service can reach itself."""

    source: Annotated[Text, Field(min_length=1, max_length=_SOURCE_CHARS)]
    """An absolute path or an address; `sources.locate` says what it means."""


class Progress(BaseModel):
    """How far a job is."""

    pages_done: int
    total_pages: int
    """0 until the file is open."""


class Links(BaseModel):
    """Where more of a job is."""

    self: str
    result: str
    events: str


class JobDocument(BaseModel):
    """A job as clients see it."""

    model_config = ConfigDict(json_schema_extra={"example": _JOB})

    id: str
    state: State
    name: str
    bytes: int
    sha256: str
    attempts: int
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    progress: Progress
    report: dict[str, Any] | None
    """Its line of the report, once it has ended."""
    links: Links


class JobList(BaseModel):
    """Some of the jobs of a key, the newest first."""

    jobs: list[JobDocument]
    offset: int
    limit: int


class Health(BaseModel):
    """Whether a part of the service works."""

    status: str


def job_link(job_id: str) -> str:
    """Where a job is."""
    return f"/v1/jobs/{job_id}"


def job_document(job: Job) -> JobDocument:
    """A job as clients see it: without its passwords, its owner and where its file is."""
    link = job_link(job.id)
    return JobDocument(
        id=job.id,
        state=job.state,
        name=job.name,
        bytes=job.size_bytes,
        sha256=job.sha256,
        attempts=job.attempts,
        created_at=_when(job.created_at),
        started_at=_when(job.started_at),
        ended_at=_when(job.ended_at),
        progress=_progress(job),
        report=None if job.report is None else dict(job.report),
        links=Links(self=link, result=f"{link}/result", events=f"{link}/events"),
    )


def _progress(job: Job) -> Progress:
    """How far a job is; a short one ends before its worker first says so, but its report does."""
    if job.state is State.DONE and job.report:
        pages = int(job.report.get("pages", 0))
        return Progress(pages_done=pages, total_pages=pages + job.report.get("pages_failed", 0))
    return Progress(pages_done=job.pages_done, total_pages=job.total_pages)


def _when(seconds: float) -> datetime | None:
    """A time in UTC; None for 0."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _choices(**more: Any) -> dict[str, Any]:
    """JSON Schema of the options, and of what stands beside them."""
    return {
        **more,
        "engine": {"type": "string", "maxLength": 200, "example": "auto"},
        "unit": {"type": "string", "enum": [unit.value for unit in Unit]},
        "password": {"type": "array", "items": {"type": "string"}, "maxItems": 31},
        "webhook": {"type": "string", "maxLength": 2000},
    }


def _body(required: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of a body."""
    return {
        "type": "object",
        "required": [required],
        "properties": dict(properties),
        "additionalProperties": False,
    }


REQUEST_BODY: Mapping[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": _body(
                "file",
                _choices(
                    file={"type": "string", "format": "binary", "description": "The one PDF."}
                ),
            ),
            "encoding": {"file": {"contentType": "application/pdf"}},
        },
        "application/json": {
            "schema": _body("source", _choices(source=_SOURCE)),
            "example": {"source": "s3://bucket/folder/a.pdf", "unit": "page"},
        },
    },
}
"""What a new job is made of, as OpenAPI has it; read by hand, so written by hand."""
