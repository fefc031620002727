"""How the routes are described in the OpenAPI document, beside their own signatures.

Owns the descriptions of bodies and answers that the routes read and write by hand, so that FastAPI
does not know them. Does not own the routes.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response, StreamingResponse

from pdfingest.service import documents, events, problems
from pdfingest.service.documents import Batch, TicketDocument
from pdfingest.service.problems import answers
from pdfingest.service.renditions import Collection, Rendition

_TEXT: Mapping[str, Any] = {"type": "string"}
_RECORDS = "The records, one a line; or in another form that `Accept` names."


def _stream(media_type: str, text: str, schema: Mapping[str, Any] = _TEXT) -> dict[str, Any]:
    return {"description": text, "content": {media_type: {"schema": dict(schema)}}}


def _streams(forms: Iterable[StrEnum], text: str) -> dict[str, Any]:
    return {
        "description": text,
        "content": {each.value: {"schema": dict(_TEXT)} for each in forms},
    }


EARLY = answers(400, 401, 403, 503)
"""What any request may be answered with."""
_REFUSED = answers(408, 409, 413, 415, 422, 429, 507)
"""What a request with a PDF may be answered with beside that."""
_LINKS: Mapping[str, Any] = {
    name: {"operationId": name, "parameters": {"job_id": "$response.body#/id"}}
    for name in ("show_job", "remove_job", "get_result", "follow_job")
}
"""What can be asked of the job that an answer describes."""

QUEUES: Mapping[str, Any] = {
    "status_code": 202,
    "response_model": TicketDocument | Batch,
    "responses": {
        200: {
            "model": TicketDocument,
            "description": "Done before, by the same key.",
            "links": dict(_LINKS),
        },
        202: {"description": "Queued; of several files, `Batch`.", "links": dict(_LINKS)},
        **_REFUSED,
    },
    "openapi_extra": {"requestBody": documents.request_body(several=True)},
    "tags": ["jobs"],
}
CONVERTS: Mapping[str, Any] = {
    "response_class": StreamingResponse,
    "responses": {
        200: _streams(Rendition, _RECORDS),
        202: {
            "model": TicketDocument,
            "description": "It takes longer than `wait`.",
            "links": dict(_LINKS),
        },
        **answers(406, 410),
        **_REFUSED,
    },
    "openapi_extra": {"requestBody": documents.request_body(several=False)},
    "tags": ["jobs"],
}
LISTS: Mapping[str, Any] = {"responses": answers(422), "tags": ["jobs"]}
SHOWS: Mapping[str, Any] = {"responses": answers(404, 422), "tags": ["jobs"]}
RESULT: Mapping[str, Any] = {
    "response_class": StreamingResponse,
    "responses": {200: _streams(Rendition, _RECORDS), **answers(404, 406, 409, 410, 422)},
    "tags": ["jobs"],
}
RESULTS: Mapping[str, Any] = {
    "response_class": StreamingResponse,
    "responses": {200: _streams(Collection, "All records."), **answers(404, 406, 409, 422)},
    "tags": ["jobs"],
}
EVENTS: Mapping[str, Any] = {
    "response_class": StreamingResponse,
    "responses": {
        200: _stream(events.MEDIA_TYPE, "Events `job` until the job has ended.", events.SCHEMA),
        **answers(404, 422),
    },
    "tags": ["jobs"],
}
METRICS: Mapping[str, Any] = {
    "response_class": Response,
    "responses": {200: _stream("text/plain", "The metrics as Prometheus reads them.")},
    "tags": ["service"],
}


def document_of(app: FastAPI) -> dict[str, Any]:
    """Make the OpenAPI document, with the schema of problems; FastAPI knows no way to add one."""
    if not app.openapi_schema:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=app.servers,
        )
        document["components"]["schemas"]["Problem"] = dict(problems.SCHEMA)
        app.openapi_schema = document
    return app.openapi_schema
