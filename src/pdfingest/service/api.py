"""The API: jobs in, records out, over HTTP. It reads no PDF; a worker has a child do that.

POST /ingest ─▶ refuse early ─▶ body ─▶ store ─▶ job ─▶ queue ─▶ 202
"""

import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Security
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.security import APIKeyHeader

from pdfingest.service import documents, events, metrics, problems, queue
from pdfingest.service.body import check_headers, whole
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.documents import Health, JobDocument, JobList, job_document, job_link
from pdfingest.service.edge import Edge
from pdfingest.service.intake import Intake
from pdfingest.service.jobs import Job, State
from pdfingest.service.keys import HEADER, Keys
from pdfingest.service.page import load_page
from pdfingest.service.problems import Problem, answers, unavailable
from pdfingest.service.settings import Settings
from pdfingest.service.store import open_store
from pdfingest.service.upload import check_upload, receive_upload

_MOST_JSON_BYTES = 64 << 10
_PROBE_BYTES = 4096
_EARLY = (400, 401, 403, 503)
"""What any request may be answered with."""


def make_api(settings: Settings) -> FastAPI:
    """The application.

    Args:
        settings: of the service.

    Raises:
        UsageError: the keys cannot be read, or the store needs a library.
        OutputError: the store cannot be made.
    """
    jobs, store = queue.connect(settings), open_store(settings.store)
    api = _Api(
        Keys(settings.api_keys_file), Intake(settings, jobs, store, queue.make_app(settings))
    )
    app = FastAPI(
        title="pdfingest",
        version=version("pdfingest"),
        description="PDFs to JSONL, one fresh process per file.",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.handle_problems(app)
    app.add_middleware(Edge)
    app.include_router(api.open_routes())
    app.include_router(api.job_routes())
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # as its documentation says
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """OpenAPI, with the schema of problems."""
    if not app.openapi_schema:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        document["components"]["schemas"]["Problem"] = dict(problems.SCHEMA)
        app.openapi_schema = document
    return app.openapi_schema


class _Api:
    """The routes.

    Args:
        keys: who may ask.
        intake: makes jobs; has the jobs and the store.
    """

    def __init__(self, keys: Keys, intake: Intake) -> None:
        self._keys, self._intake = keys, intake
        self._jobs, self._store = intake.jobs, intake.store
        self._metrics = metrics.Metrics(self._jobs)
        self._page, self._page_headers = load_page()

    async def owner(self, request: Request) -> None:
        """See who asks, before anything else is looked at."""
        request.state.owner = self._keys.owner(request.headers)

    def _guards(self) -> list[Any]:
        """Dependencies of routes that need a key."""
        documented = Security(APIKeyHeader(name=HEADER, auto_error=False))
        return [Depends(self.owner), *([documented] if self._keys else [])]

    def open_routes(self) -> APIRouter:
        """Routes without a key."""
        router = APIRouter()
        router.get("/", include_in_schema=False)(self.page)
        router.get("/healthz", tags=["service"])(self.health)
        router.get("/readyz", tags=["service"], responses=answers(503, 507))(self.ready)
        return router

    def job_routes(self) -> APIRouter:
        """Routes that need a key, if there are keys."""
        router = APIRouter(dependencies=self._guards(), responses=answers(*_EARLY))
        post: dict[str, Any] = {
            "status_code": 202,
            "response_model": JobDocument,
            "responses": {
                200: {"model": JobDocument, "description": "Done before, with these options."},
                **answers(408, 409, 413, 415, 422, 429, 507),
            },
            "openapi_extra": {"requestBody": dict(documents.REQUEST_BODY)},
            "tags": ["jobs"],
        }
        router.post("/v1/jobs", operation_id="add_job", **post)(self.add)
        router.post("/ingest", operation_id="ingest", **post)(self.add)
        router.get("/v1/jobs", responses=answers(422), tags=["jobs"])(self.recent)
        one = "/v1/jobs/{job_id}"
        router.get(one, responses=answers(404, 422), tags=["jobs"])(self.show)
        router.delete(one, status_code=204, responses=answers(404, 409, 422), tags=["jobs"])(
            self.cancel
        )
        router.get(
            f"{one}/result",
            response_class=StreamingResponse,
            responses={
                200: _stream("application/jsonl", "The records, one a line."),
                **answers(404, 409, 410, 422),
            },
            tags=["jobs"],
        )(self.result)
        router.get(
            f"{one}/events",
            response_class=StreamingResponse,
            responses={
                200: {
                    "description": "Events `job` until the job has ended.",
                    "content": {events.MEDIA_TYPE: {"schema": dict(events.SCHEMA)}},
                },
                **answers(404, 422),
            },
            tags=["jobs"],
        )(self.events)
        router.get(
            "/metrics",
            response_class=Response,
            responses={200: _stream("text/plain", "As Prometheus reads them.")},
            tags=["service"],
        )(self.metrics)
        return router

    def page(self) -> Response:
        """A page to drop PDFs on."""
        return Response(self._page, headers=dict(self._page_headers), media_type="text/html")

    async def health(self) -> Health:
        """Whether this process answers."""
        return Health(status="ok")

    def ready(self) -> Health:
        """Whether jobs can be taken: Redis answers, and the store has room."""
        self._jobs.client.ping()
        try:
            with tempfile.TemporaryFile(dir=self._store.scratch) as file:
                file.write(bytes(_PROBE_BYTES))
        except OSError as error:
            raise unavailable("The store cannot be written.") from error
        return Health(status="ok")

    def metrics(self) -> Response:
        """Jobs by state, failures by kind, and what they cost."""
        return Response(self._metrics.exposition(), media_type=metrics.MEDIA_TYPE)

    async def add(
        self,
        request: Request,
        idempotency_key: Annotated[
            str,
            Header(
                max_length=255, description="The same key with the same content is the same job."
            ),
        ] = "",
    ) -> Response:
        """Take a PDF, or the name of one, and answer with its job."""
        owner, settings = request.state.owner, self._intake.settings
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json":
            check_headers(request, _MOST_JSON_BYTES)
            await to_thread.run_sync(self._intake.admit, owner)
            body = await whole(request, _MOST_JSON_BYTES)
            job, done = await to_thread.run_sync(self._intake.named, body, owner, idempotency_key)
        elif kind == "multipart/form-data":
            check_upload(request, settings.max_upload)
            await to_thread.run_sync(self._intake.admit, owner)
            async with receive_upload(request, self._store.scratch, settings.max_upload) as upload:
                job, done = await to_thread.run_sync(
                    self._intake.upload, upload, owner, idempotency_key
                )
        else:
            raise Problem(415, "Unsupported Media Type", "Send multipart/form-data, or JSON.")
        headers = {"Location": job_link(job.id)}
        content = job_document(job).model_dump(mode="json")
        return JSONResponse(content, 200 if done else 202, headers)

    def recent(
        self,
        request: Request,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> JobList:
        """Jobs of this key, the newest first."""
        found = self._jobs.recent(request.state.owner, offset, limit)
        return JobList(jobs=list(map(job_document, found)), offset=offset, limit=limit)

    def show(self, request: Request, job_id: str) -> JobDocument:
        """One job."""
        return job_document(self._own(request, job_id))

    def cancel(self, request: Request, job_id: str) -> Response:
        """Cancel a job; a worker that has it stops within seconds."""
        job = self._own(request, job_id)
        if not self._jobs.cancel(job_id):
            raise Problem(409, "ended", "The job has ended already.")
        if job.source == upload_key(job_id):
            self._store.delete(job.source)
        return Response(status_code=204)

    def result(self, request: Request, job_id: str) -> Response:
        """The records of a job that is done, as JSONL."""
        job = self._own(request, job_id)
        if not job.state.ended:
            raise Problem(409, "not done", "The job has not ended.", {"Retry-After": "1"})
        if job.state is State.CANCELLED:
            raise Problem(410, "cancelled", "The job was cancelled.")
        if job.state is State.FAILED:
            report: Mapping[str, Any] = job.report or {}
            raise Problem(409, "failed", "There are no records; `report` says why.", report=report)
        try:
            pieces = self._store.read(result_key(job_id))
        except FileNotFoundError:
            raise Problem(410, "Gone", "The records were deleted, as they were too old.") from None
        headers = {"Content-Disposition": f'attachment; filename="{job_id}.jsonl"'}
        return StreamingResponse(pieces, headers=headers, media_type="application/jsonl")

    def events(self, request: Request, job_id: str) -> Response:
        """A job as it changes, as server-sent events."""
        self._own(request, job_id)
        return StreamingResponse(
            events.follow(self._jobs, job_id),
            media_type=events.MEDIA_TYPE,
            headers={"X-Accel-Buffering": "no"},
        )

    def _own(self, request: Request, job_id: str) -> Job:
        """A job of the key that asks.

        Raises:
            Problem: 404; whether another key has it is not told.
        """
        job = self._jobs.get(job_id)
        if job is None or job.owner != request.state.owner:
            raise Problem(404, "no such job", "It never was, or is forgotten by now.")
        return job


def _stream(media_type: str, text: str) -> dict[str, Any]:
    """A streamed answer as OpenAPI has it."""
    return {"description": text, "content": {media_type: {"schema": {"type": "string"}}}}
