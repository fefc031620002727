"""The HTTP API: PDFs in, records out.

    POST /ingest ─▶ refuse early ─▶ body ─▶ store ─▶ ticket ─▶ queue ─▶ 202

Owns the routes and what they answer. Does not own what becomes a ticket (`intake` does), and reads
no PDF: a worker has a child do that. A ticket is called a job in paths and fields.
"""

import tempfile
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from typing import Annotated, Any, TypeAlias

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Security
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.security import APIKeyHeader

from pdfingest.service import documents, events, metrics, problems, queue
from pdfingest.service.body import check_headers, whole
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.documents import Health, TicketDocument, TicketList, ticket_document
from pdfingest.service.edge import Edge
from pdfingest.service.intake import Intake
from pdfingest.service.keys import HEADER, Keys
from pdfingest.service.page import load_page
from pdfingest.service.problems import Problem, answers, unavailable
from pdfingest.service.settings import Settings
from pdfingest.service.store import open_store
from pdfingest.service.ticket import State, Ticket
from pdfingest.service.upload import FORM_BYTES, receive_upload

_MOST_JSON_BYTES = 64 << 10
_PROBE_BYTES = 4096
_EARLY = (400, 401, 403, 503)
"""Statuses that any request may be answered with."""
_TEXT: Mapping[str, Any] = {"type": "string"}
_TicketId: TypeAlias = Annotated[str, Path(alias="job_id")]


def make_api(settings: Settings) -> FastAPI:
    """Make the ASGI application.

    Raises:
        UsageError: the keys cannot be read, or the store needs a library.
        OutputError: the store cannot be made.
    """
    tickets, store = queue.connect(settings), open_store(settings.store)
    intake = Intake(settings, tickets, store, queue.make_app(settings))
    api = _Api(Keys(settings.api_keys_file), intake)
    app = FastAPI(
        title="pdfingest",
        version=version("pdfingest"),
        description="PDFs to JSONL, one fresh process per file. A job is the ticket of one file.",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.handle_problems(app)
    app.add_middleware(Edge)
    app.include_router(api.open_routes())
    app.include_router(api.ticket_routes())
    # FastAPI documents this as the way to change its document ("Extending OpenAPI").
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Make the OpenAPI document, with the schema of problems; FastAPI knows no way to add one."""
    if not app.openapi_schema:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        document["components"]["schemas"]["Problem"] = dict(problems.SCHEMA)
        app.openapi_schema = document
    return app.openapi_schema


class _Api:
    """The routes. Docstrings of routes are their descriptions in the OpenAPI document.

    Those that are not `async` wait for Redis or the store; FastAPI runs them in threads.
    """

    def __init__(self, keys: Keys, intake: Intake) -> None:
        self._keys, self._intake = keys, intake
        self._tickets, self._store = intake.tickets, intake.store
        self._metrics = metrics.Metrics(self._tickets)
        self._page, self._page_headers = load_page()

    async def owner(self, request: Request) -> None:
        """Find out who asks, before anything else of the request is looked at."""
        request.state.owner = self._keys.owner(request.headers)  # raises where nobody may

    def _guards(self) -> list[Any]:
        documented = Security(APIKeyHeader(name=HEADER, auto_error=False))
        return [Depends(self.owner), *([documented] if self._keys else [])]

    def open_routes(self) -> APIRouter:
        """Make the routes that need no key."""
        router = APIRouter()
        router.get("/", include_in_schema=False)(self.page)
        router.get("/healthz", tags=["service"])(self.health)
        router.get("/readyz", tags=["service"], responses=answers(503, 507))(self.ready)
        return router

    def ticket_routes(self) -> APIRouter:
        """Make the routes that need a key, if the service has keys."""
        router = APIRouter(dependencies=self._guards(), responses=answers(*_EARLY))
        post: dict[str, Any] = {
            "status_code": 202,
            "response_model": TicketDocument,
            "responses": {
                200: {"model": TicketDocument, "description": "Done before, with these options."},
                **answers(408, 409, 413, 415, 422, 429, 507),
            },
            "openapi_extra": {"requestBody": dict(documents.REQUEST_BODY)},
            "tags": ["jobs"],
        }
        router.post("/v1/jobs", operation_id="add_job", **post)(self.add)
        router.post("/ingest", operation_id="ingest", **post)(self.add)
        one, get = "/v1/jobs/{job_id}", partial(router.get, tags=["jobs"])
        get("/v1/jobs", responses=answers(422))(self.recent)
        get(one, responses=answers(404, 422))(self.show)
        router.delete(one, status_code=204, responses=answers(404, 409, 422), tags=["jobs"])(
            self.cancel
        )
        result = _stream("application/jsonl", "The records, one a line.")
        get(
            f"{one}/result",
            response_class=StreamingResponse,
            responses={200: result, **answers(404, 409, 410, 422)},
        )(self.result)
        changes = "Events `job` until the ticket has ended."
        get(
            f"{one}/events",
            response_class=StreamingResponse,
            responses={
                200: _stream(events.MEDIA_TYPE, changes, events.SCHEMA),
                **answers(404, 422),
            },
        )(self.events)
        router.get(
            "/metrics",
            response_class=Response,
            responses={200: _stream("text/plain", "The metrics as Prometheus reads them.")},
            tags=["service"],
        )(self.metrics)
        return router

    def page(self) -> Response:
        """Show a page to drop PDFs on."""
        return Response(self._page, headers=dict(self._page_headers), media_type="text/html")

    async def health(self) -> Health:
        """Tell that this process answers."""
        return Health(status="ok")

    def ready(self) -> Health:
        """Tell whether files can be taken: Redis answers, and the store has room."""
        self._tickets.client.ping()
        try:  # on a full disk a file can still be created, but not written
            with tempfile.TemporaryFile(dir=self._store.scratch) as file:
                file.write(bytes(_PROBE_BYTES))
        except OSError as error:
            raise unavailable("The store cannot be written.") from error
        return Health(status="ok")

    def metrics(self) -> Response:
        """Count tickets by state and failures by kind, and tell what they cost."""
        return Response(self._metrics.exposition(), media_type=metrics.MEDIA_TYPE)

    async def add(
        self,
        request: Request,
        idempotency_key: Annotated[
            str,
            Header(max_length=255, description="The same key with the same content is one ticket."),
        ] = "",
    ) -> Response:
        """Take a PDF, or the name of one that the workers can reach, and answer with its ticket."""
        owner, intake = request.state.owner, self._intake
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            check_headers(request, _MOST_JSON_BYTES)
            await to_thread.run_sync(intake.admit, owner)
            body = await whole(request, _MOST_JSON_BYTES)
            ticket = await to_thread.run_sync(intake.named, body, owner, idempotency_key)
        elif kind == "multipart/form-data":
            most = intake.settings.max_upload
            check_headers(request, most + FORM_BYTES)
            await to_thread.run_sync(intake.admit, owner)
            async with receive_upload(request, self._store.scratch, most) as upload:
                ticket = await to_thread.run_sync(intake.upload, upload, owner, idempotency_key)
        else:
            raise Problem(415, "Unsupported Media Type", "Send multipart/form-data, or JSON.")
        document = ticket_document(ticket)
        headers = {"Location": document.links.self}
        status = 200 if ticket.state is State.DONE else 202
        return JSONResponse(document.model_dump(mode="json"), status, headers)

    def recent(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> TicketList:
        """List the tickets of this key, the newest first."""
        found = self._tickets.newest(request.state.owner, offset, limit)
        return TicketList(jobs=list(map(ticket_document, found)), offset=offset, limit=limit)

    def show(self, request: Request, ticket_id: _TicketId) -> TicketDocument:
        """Show a ticket: its state, its progress, and its report line once it has ended."""
        return ticket_document(self._own(request, ticket_id))

    def cancel(self, request: Request, ticket_id: _TicketId) -> Response:
        """Cancel a ticket; a worker that reads the file stops within seconds."""
        ticket = self._own(request, ticket_id)
        if not self._tickets.cancel(ticket_id):
            raise Problem(409, "ended", "It has ended already, so there is nothing to cancel.")
        if ticket.source == upload_key(ticket_id):
            self._store.delete(ticket.source)
        return Response(status_code=204)

    def result(self, request: Request, ticket_id: _TicketId) -> Response:
        """Stream the records of a ticket that is done, as JSONL."""
        ticket = self._own(request, ticket_id)
        if not ticket.state.ended:
            raise Problem(409, "not done", "It has not ended. Ask later.", {"Retry-After": "1"})
        if ticket.state is State.CANCELLED:
            raise Problem(410, "cancelled", "It was cancelled, so there are no records.")
        if ticket.state is State.FAILED:
            detail = "There are no records; `report` says why."
            raise Problem(409, "failed", detail, report=ticket.report or {})
        try:
            pieces = self._store.read(result_key(ticket_id))
        except FileNotFoundError:
            raise Problem(410, "Gone", "The records were deleted, as they were too old.") from None
        headers = {"Content-Disposition": f'attachment; filename="{ticket_id}.jsonl"'}
        return StreamingResponse(pieces, headers=headers, media_type="application/jsonl")

    def events(self, request: Request, ticket_id: _TicketId) -> Response:
        """Stream a ticket as it changes, as server-sent events."""
        self._own(request, ticket_id)
        return StreamingResponse(
            events.follow(self._tickets, ticket_id),
            media_type=events.MEDIA_TYPE,
            headers={"X-Accel-Buffering": "no"},  # nginx would hold them back
        )

    def _own(self, request: Request, ticket_id: str) -> Ticket:
        """Return a ticket of the key that asks."""
        ticket = self._tickets.get(ticket_id)
        # The same answer for a ticket of another key, so that nobody learns that there is one.
        if ticket is None or ticket.owner != request.state.owner:
            raise Problem(404, "no such job", "Nothing has this id, or it is forgotten by now.")
        return ticket


def _stream(media_type: str, text: str, schema: Mapping[str, Any] = _TEXT) -> dict[str, Any]:
    """Document a streamed answer for OpenAPI."""
    return {"description": text, "content": {media_type: {"schema": dict(schema)}}}
