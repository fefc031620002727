"""Errors as HTTP says them: problem documents (RFC 9457) for whatever goes wrong, everywhere.

Owns the form of all errors. None of them repeats what the client sent, or shows a traceback.
"""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, Route

from pdfingest.errors import PdfingestError, StoreError

MEDIA_TYPE = "application/problem+json"
_BUG = HTTPStatus(500).phrase
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
        "report": {"type": "object", "description": "The report line of a file that failed."},
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
        status: status code of HTTP, 400 or above.
        title: the kind of problem, the same for all of its kind; clients know it by this.
        detail: what happened, and what to do next.
        headers: further headers of the answer.
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
        """The problem document, without members that are empty."""
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
        """Make the answer. It may bypass `Edge`, so it has headers of its own."""
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **self.headers}
        return JSONResponse(self.document, self.status, headers, MEDIA_TYPE)


def unavailable(what: str) -> Problem:
    """Make the problem that something the service needs does not answer."""
    return Problem(503, "unavailable", f"{what} Try again.", {"Retry-After": "5"})


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Document problems of these statuses for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


def handle_problems(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Have an application answer all errors with problem documents.

    Args:
        app: the application.
        routes: its routes, by which it is known what a path takes that refuses a method.
    """

    async def answer(request: Request, error: Exception) -> Response:
        """Answer an error."""
        problem = _problem_of(error)
        if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
            allowed = sorted(_allowed(request, routes))
            problem.headers["Allow"] = ", ".join(allowed)  # FastAPI names those of one route alone
        return problem.answer()

    ours = (Problem, PdfingestError, RedisError, OperationalError)
    # What only `Exception` covers is answered outside of `Edge`, and raised again for the log.
    for kind in (*ours, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, answer)


def invalid(errors: list[Any]) -> Problem:
    """Make the problem of values that do not fit, without what the client sent.

    Args:
        errors: each with `loc` and `msg`, as pydantic has them.
    """
    found = [
        {"where": ".".join(map(str, error["loc"])), "what": str(error["msg"])} for error in errors
    ]
    return Problem(422, "invalid", "Values do not fit; `errors` says which.", errors=found)


def no_room() -> Problem:
    """Make the problem that the store is full or away."""
    return Problem(507, "no room", "The store takes no more files. Try again later.")


def _problem_of(error: Exception) -> Problem:  # noqa: PLR0911 - one for each kind
    """Make the problem of an error that a route, or the framework around it, raised."""
    match error:
        case Problem():
            return error
        case HTTPException():
            status = HTTPStatus(error.status_code)
            return Problem(status, status.phrase, headers=error.headers)
        case RequestValidationError():
            return invalid(list(error.errors()))
        case RedisError() | OperationalError():
            _log.error("Redis: %s", error)
            return unavailable("The queue does not answer.")
        case PdfingestError():
            _log.error("%s", error)
            if isinstance(error, StoreError):
                return unavailable("The store does not answer, or has no room.")
            return Problem(500, _BUG)
        case _:  # the server logs it with its traceback
            return Problem(500, _BUG, "This is a bug; the log says more.")


def _allowed(request: Request, routes: Sequence[BaseRoute]) -> set[str]:
    """Return the methods that the path of a request takes; whatever takes GET takes HEAD."""
    found = {
        method
        for route in routes
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return found | {"HEAD"} if "GET" in found else found
