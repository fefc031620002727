"""Errors as HTTP says them: problem documents (RFC 9457) for whatever goes wrong, everywhere.

Owns the form of all errors. A body never holds a traceback, nor what the client sent.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from pdfingest.errors import OutputError, PdfingestError

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("pdfingest.api")

SCHEMA: Mapping[str, Any] = {
    "title": "Problem",
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Names the kind of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What to do next."},
        "report": {"type": "object", "description": "The report line of a job that failed."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
    "example": {
        "type": "urn:pdfingest:problem:not-a-pdf",
        "title": "not a PDF",
        "status": 415,
        "detail": "The first KiB of the file does not hold %PDF-.",
    },
}
"""JSON Schema of a problem document."""


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it so
    """What a client is told instead of what it asked for.

    Args:
        status: of HTTP.
        title: the kind of problem, the same for all of its kind.
        detail: what happened, and what to do next.
        headers: of the answer.
        more: further members of the document.
    """

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.detail = status, title, detail
        self.headers, self.more = dict(headers or {}), more

    @property
    def document(self) -> dict[str, Any]:
        """The problem document."""
        generic = self.title == HTTPStatus(self.status).phrase
        kind = self.title.lower().replace(" ", "-")
        document = {
            "type": "about:blank" if generic else f"urn:pdfingest:problem:{kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }
        return {name: value for name, value in document.items() if value != ""}

    def answer(self) -> Response:
        """The answer that says it."""
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **self.headers}
        return JSONResponse(self.document, self.status, headers, MEDIA_TYPE)


def unavailable(what: str) -> Problem:
    """Something that we need does not answer."""
    return Problem(503, "unavailable", f"{what} Try again.", {"Retry-After": "5"})


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These statuses as OpenAPI documents them."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def handle_problems(app: FastAPI) -> None:
    """Have all errors of an application answered with problem documents."""
    app.add_exception_handler(Problem, _own)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(RedisError, _queue_away)
    app.add_exception_handler(OperationalError, _queue_away)
    app.add_exception_handler(PdfingestError, _of_core)
    app.add_exception_handler(Exception, _bug)


def invalid(errors: list[Any]) -> Problem:
    """Values that do not fit, as pydantic found them; without what the client sent."""
    found = [
        {"where": ".".join(map(str, error["loc"])), "what": str(error["msg"])} for error in errors
    ]
    return Problem(422, "invalid", "Values do not fit; `errors` says which.", errors=found)


async def _own(_: Request, error: Exception) -> Response:
    """One that was raised as such."""
    assert isinstance(error, Problem)
    return error.answer()


async def _of_framework(request: Request, error: Exception) -> Response:
    """One that no route was asked for."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:  # the first route of a path knows only its own
        headers["Allow"] = ", ".join(sorted(_allowed(request)))
    return Problem(status, status.phrase, headers=headers).answer()


def _allowed(request: Request) -> set[str]:
    """Methods that the path of a request takes."""
    routes = (route for route in request.app.routes if isinstance(route, Route))
    return {
        method
        for route in routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }


async def _invalid(_: Request, error: Exception) -> Response:
    """Parameters that do not fit."""
    assert isinstance(error, RequestValidationError)
    return invalid(list(error.errors())).answer()


async def _queue_away(_: Request, error: Exception) -> Response:
    """Redis is away."""
    _log.error("Redis: %s", error)
    return unavailable("The queue does not answer.").answer()


async def _of_core(_: Request, error: Exception) -> Response:
    """The store is full, or the core cannot go on."""
    _log.error("%s", error)
    if isinstance(error, OutputError):
        return no_room().answer()
    return Problem(500, HTTPStatus(500).phrase).answer()


def no_room() -> Problem:
    """The store is full, or away."""
    return Problem(507, "no room", "The store takes no more files. Try again later.")


async def _bug(_: Request, __: Exception) -> Response:
    """Whatever nobody thought of."""
    return Problem(500, HTTPStatus(500).phrase, "This is a bug; the log says more.").answer()
