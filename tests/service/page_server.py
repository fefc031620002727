"""A service in this process, for what a page must bear: many jobs, refusals, keys, no network.

It speaks the wire protocol of the API with jobs that a test moves along, below a path of its own,
as behind a proxy. What the API really does is tested elsewhere, and with the page in `test_page`.
"""

import asyncio
import io
import socket
import threading
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from conftest import wait_for
from pdfingest.service.page import load_page
from pdfingest.service.ticket import new_id

PATH = "/pdf"
"""Where the page is."""
TEXTS = {
    "application/jsonl": b'{"text":"one","metadata":{"page":1}}\n',
    "text/markdown": b"# one",
    "text/plain": b"one",
}


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


def problem(status: int, title: str, detail: str = "", **headers: str) -> Response:
    """Answer with a problem document."""
    kind = f"urn:pdfingest:problem:{title.replace(' ', '-')}"
    document = {"type": kind, "title": title, "status": status, "detail": detail}
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse(document, status, more, "application/problem+json")


@dataclass
class FakeService:
    """What the service knows, and how it answers."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By id, the oldest first."""
    asked: list[Asked] = field(default_factory=list)
    refusals: list[Response] = field(default_factory=list)
    """Answers to the next uploads, which are refused."""
    keys: dict[str, set[str]] = field(default_factory=dict)
    """Scopes of each key; empty where no key is wanted."""
    sent: list[dict[str, Any]] = field(default_factory=list)
    """The fields of each form that was taken."""
    inside: int = 0
    most_inside: int = 0
    """Uploads at the same time, and the most there were."""
    gate: threading.Event = field(default_factory=threading.Event)
    """Uploads are answered when it is set."""

    def __post_init__(self) -> None:
        self.gate.set()

    def add(self, name: str, state: str = "queued", **report: Any) -> str:
        """Add a job; one that has ended has a report."""
        job_id, second = new_id(), len(self.jobs)
        created = f"2026-01-02T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+00:00"
        self.jobs[job_id] = {
            "id": job_id,
            "state": "queued",
            "name": name,
            "attempts": 1,
            "created_at": created,
            "progress": {"pages_done": 0, "total_pages": 0},
            "report": None,
            "webhook": None,
        }
        if state != "queued":
            self.end(job_id, state, **report)
        return job_id

    def end(self, job_id: str, state: str = "done", **report: Any) -> None:
        """End a job."""
        line = {"status": "ok", "failure": "", "message": "", "pages": 2, "total_pages": 2}
        line |= {"failed_pages": [], "needs_ocr_pages": 0, "peak_rss_bytes": 40 << 20}
        line |= {"wall_s": 0.25, **report}
        progress = {"pages_done": line["pages"], "total_pages": line["total_pages"]}
        self.jobs[job_id] |= {"state": state, "report": line, "progress": progress}

    def count(self, method: str, path: str) -> int:
        """Count requests."""
        return sum(a.method == method and a.path == PATH + path for a in list(self.asked))

    def app(self) -> Starlette:
        """Make the application."""

        def route(path: str, method: str, answer: Any, scope: str = "") -> Route:
            async def guarded(request: Request) -> Response:
                url, headers = request.url, dict(request.headers)
                self.asked.append(Asked(request.method, url.path, url.query, headers))
                return self._refused(headers, scope) or await answer(request)

            return Route(PATH + path, guarded, methods=[method])

        return Starlette(
            routes=[
                route("/", "GET", self._page),
                route("/healthz", "GET", self._health),
                route("/v1/jobs", "POST", self._post, "ingest"),
                route("/v1/jobs", "GET", self._list, "read"),
                route("/v1/jobs/{id}", "DELETE", self._delete, "ingest"),
                route("/v1/jobs/{id}/result", "GET", self._result, "read"),
                route("/v1/results", "GET", self._results, "read"),
            ]
        )

    def _refused(self, headers: Mapping[str, str], scope: str) -> Response | None:
        if not scope or not self.keys:
            return None
        key = headers.get("x-api-key", "")
        if key not in self.keys:
            return problem(401, "no key", "Send a key.")
        if scope not in self.keys[key]:
            return problem(403, "not for this key", f"The key lacks the scope `{scope}`.")
        return None

    async def _page(self, request: Request) -> Response:
        text, headers = load_page()
        return Response(text, headers=dict(headers), media_type="text/html")

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _post(self, request: Request) -> Response:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        async with request.form() as form:
            fields = {name: form.getlist(name) for name in form if name != "file"}
            name = getattr(form["file"], "filename", "")
        await asyncio.to_thread(self.gate.wait, 30)
        self.inside -= 1
        if self.refusals:
            return self.refusals.pop(0)
        self.sent.append(fields)
        return JSONResponse(self.jobs[self.add(name)], 202)

    async def _list(self, request: Request) -> Response:
        query, newest = request.query_params, list(self.jobs.values())[::-1]
        limit, offset = int(query.get("limit", 50)), int(query.get("offset", 0))
        ids = query.getlist("id")
        if len(ids) > 200 or limit > 200:
            return problem(422, "invalid")
        found = [self.jobs[i] for i in ids if i in self.jobs] if ids else newest[offset:][:limit]
        total = len(found) if ids else len(newest)
        return JSONResponse({"jobs": found, "total": total, "offset": offset, "limit": limit})

    async def _delete(self, request: Request) -> Response:
        job = self.jobs.get(request.path_params["id"])
        if job is None:
            return problem(404, "no such job")
        if job["state"] in {"queued", "running"}:
            job["state"] = "cancelled"
        else:
            del self.jobs[job["id"]]
        return Response(status_code=204)

    async def _result(self, request: Request) -> Response:
        if request.path_params["id"] not in self.jobs:
            return problem(404, "no such job", "Nothing has this id.")
        accept = request.headers["accept"]
        return Response(TEXTS[accept], media_type=accept)

    async def _results(self, request: Request) -> Response:
        ids = request.query_params.getlist("id")
        if len(ids) > 200 or any(i not in self.jobs for i in ids):
            return problem(404, "no such job")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for job_id in ids:
                archive.writestr(f"{job_id}.jsonl", TEXTS["application/jsonl"])
        return Response(buffer.getvalue(), media_type=request.headers["accept"])


class Server:
    """Serves a fake on a port of its own; can go away and come back there."""

    def __init__(self, service: FakeService) -> None:
        self._app = service.app()
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self._port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}{PATH}/"

    def start(self) -> None:
        config = uvicorn.Config(
            self._app, port=self._port, log_level="critical", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        wait_for(lambda: self._server.started)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)


def serve(service: FakeService) -> Iterator[Server]:
    """Serve a fake; the body of a fixture."""
    server = Server(service)
    server.start()
    yield server
    server.stop()
