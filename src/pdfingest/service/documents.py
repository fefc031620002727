"""What the API takes and gives, as pydantic and OpenAPI describe it.

Owns the names on the wire, where a ticket is called a job, and the bounds of what clients choose.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from pdfingest.model import Format, Unit
from pdfingest.options import LEAST_CHUNK
from pdfingest.service.ticket import State, Ticket

_ID = "5f0c6f8e7d3b4a2e9c1d0b8a7f6e5d4c"
_REPORT: JsonDict = {
    "source": "a.pdf",
    "status": "ok",
    "failure": "",
    "pages": 12,
    "peak_rss_bytes": 41_943_040,
    "wall_s": 0.21,
}
_TICKET: JsonDict = {
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
    "webhook": None,
    "links": {
        "self": f"/v1/jobs/{_ID}",
        "result": f"/v1/jobs/{_ID}/result",
        "events": f"/v1/jobs/{_ID}/events",
    },
}


def _utf8(text: str) -> str:
    """Check that a text can be stored, as JSON may spell half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not Unicode") from None
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_utf8)]

_ENGINE_CHARS = 200
_PASSWORDS, _PASSWORD_CHARS = 31, 1024
_WEBHOOK_CHARS = 2000
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


_FILE: JsonDict = {"type": "string", "format": "binary", "description": "A PDF."}


class Choices(BaseModel):
    """What a client may choose for one file."""

    model_config = ConfigDict(extra="forbid")

    engine: Annotated[Text, Field(max_length=_ENGINE_CHARS)] | None = None
    """`auto`, an engine, or several, separated by commas."""
    unit: Unit | None = None
    """What one record holds."""
    chunk_tokens: Annotated[int, Field(ge=LEAST_CHUNK)] | None = None
    """Of a chunk, the most tokens."""
    chunk_overlap: Annotated[int, Field(ge=0)] = 0
    """Of a chunk, the most tokens that it repeats of the one before."""
    tokenizer: Annotated[Text, Field(max_length=_ENGINE_CHARS)] | None = None
    """What counts them: `characters`, `words` or the name of a model of OpenAI."""
    format: Format | None = None
    """What its text is."""
    tables: bool = False
    """Whether records have its tables."""
    ocr: Annotated[Text, Field(max_length=_ENGINE_CHARS)] | None = None
    """What reads pages that need OCR: `off`, `auto`, or a name."""
    ocr_lang: Annotated[Text, Field(max_length=_ENGINE_CHARS)] | None = None
    """Codes of the languages of OCR, separated by commas."""
    password: Annotated[
        list[Annotated[Text, Field(max_length=_PASSWORD_CHARS)]],
        BeforeValidator(_listed),
        Field(max_length=_PASSWORDS),
    ] = []
    """Passwords to try."""
    webhook: Annotated[Text, Field(max_length=_WEBHOOK_CHARS)] = ""
    """URL that is told when the ticket ends."""


class Named(Choices):
    """A file that the workers can reach themselves, with the options for it."""

    source: Annotated[Text, Field(min_length=1, max_length=_SOURCE_CHARS)]
    """Absolute path or address of the file; see `sources.locate`."""


class Progress(BaseModel):
    """How many pages of a file are done."""

    pages_done: int
    total_pages: int
    """Pages of the document; 0 until a child has opened it."""


class WebhookDocument(BaseModel):
    """Whether the webhook of a ticket was told of its end."""

    state: Literal["", "pending", "delivered", "failed"]
    """Empty before the end."""
    tries: int
    message: str
    """Why the last try failed; empty if it did not."""


class Links(BaseModel):
    """Paths of a ticket, its records and its events."""

    self: str
    result: str
    events: str


class TicketDocument(BaseModel):
    """A ticket as clients see it."""

    model_config = ConfigDict(json_schema_extra={"example": _TICKET})

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
    """The report line of the file, once the ticket ended; null if it was cancelled."""
    webhook: WebhookDocument | None
    """Null for a ticket without one."""
    links: Links


class TicketList(BaseModel):
    """Some of the tickets of a key, the newest first."""

    jobs: list[TicketDocument]
    total: int
    """How many the key has."""
    offset: int
    limit: int


class RefusedDocument(BaseModel):
    """A file, one of several, of which no ticket was made."""

    name: str
    problem: dict[str, Any]
    """The problem document that it would have been answered with alone."""


class Batch(BaseModel):
    """The tickets of a form with several files."""

    jobs: list[TicketDocument]
    refused: list[RefusedDocument]


class Health(BaseModel):
    """The answer of a service that works."""

    status: str


def ticket_document(ticket: Ticket, root: str = "") -> TicketDocument:
    """Describe a ticket for its client, without passwords, owner and the place of the file.

    Args:
        ticket: the ticket.
        root: path in front of its links.
    """
    link = f"{root}/v1/jobs/{ticket.id}"
    told = WebhookDocument(
        state=ticket.told.value, tries=ticket.tellings, message=ticket.telling_error
    )
    return TicketDocument(
        id=ticket.id,
        state=ticket.state,
        name=ticket.name,
        bytes=ticket.size_bytes,
        sha256=ticket.sha256,
        attempts=ticket.attempts,
        created_at=_when(ticket.created_at),
        started_at=_when(ticket.started_at),
        ended_at=_when(ticket.ended_at),
        progress=_progress(ticket),
        report=None if ticket.report is None else dict(ticket.report),
        webhook=told if ticket.webhook else None,
        links=Links(self=link, result=f"{link}/result", events=f"{link}/events"),
    )


def _progress(ticket: Ticket) -> Progress:
    """Return the progress of a ticket, as its report has it where it is done."""
    # A short file is done before its worker first tells how far it is.
    if ticket.state is State.DONE and ticket.report:
        pages = int(ticket.report.get("pages", 0))
        return Progress(pages_done=pages, total_pages=pages + ticket.report.get("pages_failed", 0))
    return Progress(pages_done=ticket.pages_done, total_pages=ticket.total_pages)


def _when(seconds: float) -> datetime | None:
    """Convert seconds since the epoch to a time in UTC; 0 to None."""
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _body(required: str, schema: JsonDict, *, repeated: bool = False) -> dict[str, Any]:
    """Write the JSON Schema of a body that must have one property and may have the choices.

    Args:
        required: name of the property.
        schema: its schema.
        repeated: whether it may be given several times.
    """
    return {
        "type": "object",
        "required": [required],
        "properties": {
            required: {"type": "array", "items": schema, "minItems": 1} if repeated else schema,
            "engine": {"type": "string", "maxLength": _ENGINE_CHARS, "example": "auto"},
            "unit": {"type": "string", "enum": [unit.value for unit in Unit]},
            "chunk_tokens": {"type": "integer", "minimum": LEAST_CHUNK},
            "chunk_overlap": {"type": "integer", "minimum": 0},
            "tokenizer": {"type": "string", "maxLength": _ENGINE_CHARS, "example": "gpt-4o"},
            "format": {"type": "string", "enum": [each.value for each in Format]},
            "tables": {"type": "boolean"},
            "ocr": {"type": "string", "maxLength": _ENGINE_CHARS, "example": "auto"},
            "ocr_lang": {"type": "string", "maxLength": _ENGINE_CHARS, "example": "deu,eng"},
            "password": {"type": "array", "items": {"type": "string"}, "maxItems": _PASSWORDS},
            "webhook": {"type": "string", "maxLength": _WEBHOOK_CHARS},
        },
        "additionalProperties": False,
    }


def request_body(*, several: bool) -> dict[str, Any]:
    """Describe the body of a POST for OpenAPI; the routes read it by hand.

    Args:
        several: whether a form may have several files.
    """
    return {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": _body("file", _FILE, repeated=several),
                "encoding": {"file": {"contentType": "application/pdf"}},
            },
            "application/json": {
                "schema": _body("source", _SOURCE),
                "example": {"source": "s3://bucket/folder/a.pdf", "unit": "page"},
            },
        },
    }
