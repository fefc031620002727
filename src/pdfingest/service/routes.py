"""The routes of the HTTP API: PDFs in, records out.

    POST /v1/jobs ─▶ refuse early ─▶ body ─▶ store ─▶ ticket ─▶ queue ─▶ 202

Owns the routes and what they answer. Does not own what becomes a ticket (`intake` does), nor the
forms of results (`renditions`), and reads no PDF: a worker has a child do that. A ticket is called
a job in paths and fields.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from anyio import to_thread
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Security
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer
from redis.exceptions import RedisError

from pdfingest.service import events, metrics, openapi
from pdfingest.service.body import check_headers, whole
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.documents import (
    Batch,
    Health,
    RefusedDocument,
    TicketDocument,
    TicketList,
    ticket_document,
)
from pdfingest.service.form import MOST_FILES
from pdfingest.service.intake import Intake, Refused
from pdfingest.service.keys import HEADER, Keys, Scope
from pdfingest.service.page import load_docs, load_page
from pdfingest.service.problems import Problem, answers, unavailable
from pdfingest.service.renditions import Collection, Rendition, chosen
from pdfingest.service.results import Results
from pdfingest.service.ticket import State, Ticket
from pdfingest.service.upload import FORM_BYTES, receive_form

_MOST_JSON_BYTES = 64 << 10
_MOST_IDS = 200
_FORM = "multipart/form-data"
_TicketId: TypeAlias = Annotated[str, Path(alias="job_id")]
_Ids: TypeAlias = Annotated[list[str], Query(alias="id", max_length=_MOST_IDS)]
_Key: TypeAlias = Annotated[
    str, Header(max_length=255, description="The same key with the same content is one job.")
]


class Routes:
    """The routes. Docstrings of routes are their descriptions in the OpenAPI document.

    Those that are not `async` wait for Redis or the store; FastAPI runs them in threads.
    """

    def __init__(self, keys: Keys, intake: Intake) -> None:
        self._keys, self._intake = keys, intake
        self._tickets, self._store = intake.tickets, intake.store
        self._root = intake.settings.root_path
        self._metrics = metrics.Metrics(self._tickets)
        self._results = Results(self._store, self._root)
        self._page, self._docs = load_page(), load_docs()

    def open_routes(self) -> APIRouter:
        """Make the routes that need no key."""
        router = APIRouter()
        router.get("/", include_in_schema=False)(self.page)
        router.get("/docs", include_in_schema=False)(self.docs)
        router.get("/healthz", tags=["service"])(self.health)
        router.get("/readyz", tags=["service"], responses=answers(503))(self.ready)
        return router

    def ticket_routes(self) -> APIRouter:
        """Make the routes that need a key, if the service has keys."""
        router = APIRouter(responses=openapi.EARLY, generate_unique_id_function=_name)
        ingest, read = self._needs(Scope.INGEST), self._needs(Scope.READ)
        one, post, get = "/v1/jobs/{job_id}", router.post, router.get
        post("/v1/jobs", operation_id="add_job", dependencies=ingest, **openapi.QUEUES)(self.add)
        post("/ingest", operation_id="ingest", dependencies=ingest, **openapi.QUEUES)(self.add)
        post("/v1/convert", dependencies=ingest, **openapi.CONVERTS)(self.convert)
        get("/v1/jobs", dependencies=read, **openapi.LISTS)(self.list_jobs)
        get(one, dependencies=read, **openapi.SHOWS)(self.show_job)
        router.delete(one, status_code=204, dependencies=ingest, **openapi.SHOWS)(self.remove_job)
        get(f"{one}/result", dependencies=read, **openapi.RESULT)(self.get_result)
        get("/v1/results", dependencies=read, **openapi.RESULTS)(self.get_results)
        get(f"{one}/events", dependencies=read, **openapi.EVENTS)(self.follow_job)
        counts = self._needs(Scope.METRICS)
        get("/metrics", dependencies=counts, **openapi.METRICS)(self.metrics)
        return router

    def _needs(self, scope: Scope) -> list[Any]:
        """Make the dependencies that find out who asks, before the request is looked at."""

        async def check(request: Request) -> None:
            request.state.owner = self._keys.owner(request.headers, scope)  # raises if nobody may

        documented = APIKeyHeader(name=HEADER, auto_error=False), HTTPBearer(auto_error=False)
        return [Depends(check), *(Security(each) for each in documented if self._keys)]

    def page(self) -> Response:
        """Show a page to drop PDFs on."""
        text, headers = self._page
        return Response(text, headers=dict(headers), media_type="text/html")

    def docs(self) -> Response:
        """Show the interface as a page."""
        text, headers = self._docs
        return Response(text, headers=dict(headers), media_type="text/html")

    async def health(self) -> Health:
        """Tell that this process answers."""
        return Health(status="ok")

    def ready(self) -> Health:
        """Tell whether files can be taken: Redis and the store take what is written."""
        try:
            self._tickets.check()
        except RedisError as error:  # it may answer and take no writes: no memory, a full disk
            raise unavailable("The queue takes nothing.") from error
        self._store.check()
        return Health(status="ok")

    def metrics(self) -> Response:
        """Count jobs by state and failures by kind, and tell what files and workers cost."""
        return Response(self._metrics.exposition(), media_type=metrics.MEDIA_TYPE)

    async def add(self, request: Request, idempotency_key: _Key = "") -> Response:
        """Take PDFs, or the name of one that the workers can reach, and answer with their jobs."""
        made = await self._take(request, idempotency_key)
        if len(made) > 1:
            batch = self._batch(made)
            return JSONResponse(batch.model_dump(mode="json"), 202)
        (ticket,) = made
        assert isinstance(ticket, Ticket), "a file that is refused alone is a problem"
        return self._accepted(ticket)

    async def convert(
        self,
        request: Request,
        wait: Annotated[float, Query(ge=0, le=300, description="Seconds to wait for it.")] = 30.0,
        idempotency_key: _Key = "",
    ) -> Response:
        """Take one PDF, and answer with its records; or with its job if that takes too long."""
        rendition = Rendition(chosen(request.headers.get("accept", ""), list(Rendition)))
        wanted = {"format": "markdown"} if rendition is Rendition.MARKDOWN else {}
        made = await self._take(request, idempotency_key, wanted, most_files=1)
        (ticket,) = made
        assert isinstance(ticket, Ticket), "a file that is refused alone is a problem"
        ended = await events.wait_for_end(self._tickets, ticket, wait)
        if not ended.state.ended:
            return self._accepted(ended)
        return await to_thread.run_sync(self._results.one, ended, rendition, 422)

    async def _take(
        self,
        request: Request,
        key: str,
        defaults: Mapping[str, str] | None = None,
        most_files: int = MOST_FILES,
    ) -> Sequence[Ticket | Refused]:
        """Read the body of a request, and make tickets of what is in it."""
        owner, intake = request.state.owner, self._intake
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            check_headers(request, _MOST_JSON_BYTES)
            await to_thread.run_sync(intake.admit, owner)
            body = await whole(request, _MOST_JSON_BYTES)
            return [await to_thread.run_sync(intake.named, body, owner, key, defaults or {})]
        if kind == _FORM:
            most = intake.settings.max_upload
            check_headers(request, most + FORM_BYTES)
            await to_thread.run_sync(intake.admit, owner)
            async with receive_form(request, self._store.scratch, most, most_files) as form:
                for name, value in (defaults or {}).items():
                    form.fields.setdefault(name, [value])
                return await to_thread.run_sync(intake.form, form, owner, key)
        raise Problem(415, "Unsupported Media Type", f"Send {_FORM}, or JSON.")

    def _accepted(self, ticket: Ticket) -> Response:
        document = ticket_document(ticket, self._root)
        headers = {"Location": document.links.self}
        status = 200 if ticket.state is State.DONE else 202
        return JSONResponse(document.model_dump(mode="json"), status, headers)

    def _batch(self, made: Sequence[Ticket | Refused]) -> Batch:
        return Batch(
            jobs=[ticket_document(each, self._root) for each in made if isinstance(each, Ticket)],
            refused=[
                RefusedDocument(name=each.name, problem=each.problem.document)
                for each in made
                if isinstance(each, Refused)
            ],
        )

    def list_jobs(
        self,
        request: Request,
        ids: _Ids = [],  # noqa: B006 - FastAPI copies it
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    ) -> TicketList:
        """List the jobs of this key, the newest first; or those of the ids, in their order."""
        owner = request.state.owner
        if ids:
            found = [each for each in self._tickets.get_all(ids) if each.owner == owner]
            total = len(found)
        else:
            found, total = self._tickets.newest(owner, offset, limit)
        jobs = [ticket_document(each, self._root) for each in found]
        return TicketList(jobs=jobs, total=total, offset=offset, limit=limit)

    def show_job(self, request: Request, ticket_id: _TicketId) -> TicketDocument:
        """Show a job: its state, its progress, and its report line once it has ended."""
        return ticket_document(self._own(request, ticket_id), self._root)

    def remove_job(self, request: Request, ticket_id: _TicketId) -> Response:
        """Cancel a job, whose worker stops within seconds; delete one that has ended."""
        ticket = self._own(request, ticket_id)
        if not self._tickets.cancel(ticket_id):
            self._tickets.delete(ticket_id)
            self._store.delete(result_key(ticket_id))
        if ticket.source == upload_key(ticket_id):
            self._store.delete(ticket.source)
        return Response(status_code=204)

    def get_result(self, request: Request, ticket_id: _TicketId) -> Response:
        """Stream the records of a job that is done, in the form that `Accept` names."""
        rendition = Rendition(chosen(request.headers.get("accept", ""), list(Rendition)))
        return self._results.one(self._own(request, ticket_id), rendition)

    def get_results(self, request: Request, ids: _Ids) -> Response:
        """Stream the records of several jobs that have ended, as JSONL or as a zip.

        The zip has the report lines of all, also of those without records. With JSONL a header
        says which have none.
        """
        form = Collection(chosen(request.headers.get("accept", ""), list(Collection)))
        tickets = [self._own(request, each) for each in dict.fromkeys(ids)]
        return self._results.several(tickets, form)

    def follow_job(self, request: Request, ticket_id: _TicketId) -> Response:
        """Stream a job as it changes, as server-sent events."""
        self._own(request, ticket_id)
        return StreamingResponse(
            events.follow(self._tickets, ticket_id, self._root),
            media_type=events.MEDIA_TYPE,
            headers={"X-Accel-Buffering": "no"},  # nginx would hold them back
        )

    def _own(self, request: Request, ticket_id: str) -> Ticket:
        """Return a ticket of the key that asks."""
        ticket = self._tickets.get(ticket_id)
        # The same answer for a ticket of another key, so that nobody learns that there is one.
        if ticket is None or ticket.owner != request.state.owner:
            raise Problem(404, "no such job", "Nothing has this id, or it is deleted by now.")
        return ticket


def _name(route: APIRoute) -> str:
    """Name an operation by its function, as the links between operations do."""
    return route.name
