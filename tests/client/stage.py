"""A service as a test wants it: jobs that end when they are looked at, and faults on order."""

import json
import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .received import Seen, Upload, parsed

KEPT_BYTES = 1 << 20
"""A longer body is counted and thrown away."""

Fault = Callable[["Scene"], bool]
"""Does something instead of the usual answer; False where the usual one is to follow."""


class Stage:
    """The service; `url` is where it is."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        """The documents of all jobs, the oldest first."""
        self.results: dict[str, Iterable[bytes]] = {}
        """Pieces of the result of a job, by its id."""
        self.uploads: list[Upload] = []
        self.seen: list[Seen] = []
        self.looks = 1
        """How often a job is asked for before it ends."""
        self.end: Callable[[dict[str, Any]], None] = done
        """How jobs end."""
        self.has_total = True
        self.most_open = 0
        self.lock = threading.RLock()
        self._added = 0
        self._keys: dict[str, str] = {}
        self._looked: dict[str, int] = defaultdict(int)
        self._faults: list[tuple[str, re.Pattern[str], deque[Fault]]] = []
        stage = self

        class Handler(Scene):
            def __init__(self, *args: Any) -> None:
                self.stage = stage
                super().__init__(*args)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop, if it has not been stopped."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def fault(self, method: str, path: str, *faults: Fault) -> None:
        """Have the next requests to a path (a regular expression) go wrong, one after the other."""
        self._faults.append((method, re.compile(path), deque(faults)))

    def next_fault(self, seen: Seen) -> Fault | None:
        for method, path, faults in self._faults:
            if faults and method == seen.method and path.fullmatch(seen.path):
                return faults.popleft()
        return None

    def count(self, method: str, path: str) -> int:
        """How many requests there were to a path (a regular expression)."""
        return sum(x.method == method and bool(re.fullmatch(path, x.path)) for x in self.seen)

    def add(self, name: str = "a.pdf", key: str = "", **more: Any) -> dict[str, Any]:
        """Add a job, or return the one that has this key."""
        with self.lock:
            if key in self._keys:
                return self.jobs[self._keys[key]]
            self._added += 1
            job_id = f"j{self._added}"
            self.jobs[job_id] = {
                "id": job_id,
                "state": "queued",
                "name": name,
                "bytes": 9,
                "sha256": "ab",
                "attempts": 0,
                "created_at": "2026-01-02T03:04:05.678901+00:00",
                "started_at": None,
                "ended_at": None,
                "progress": {"pages_done": 0, "total_pages": 2},
                "report": None,
                **more,
            }
            if key:
                self._keys[key] = job_id
            open_ = sum(job["state"] == "queued" for job in self.jobs.values())
            self.most_open = max(self.most_open, open_)
            return self.jobs[job_id]

    def look(self, job_id: str) -> dict[str, Any] | None:
        """The document of a job, which comes nearer to its end."""
        with self.lock:
            job = self.jobs.get(job_id)
            if job and job["state"] in {"queued", "running"}:
                self._looked[job_id] += 1
                if self._looked[job_id] > self.looks:
                    self.end(job)
            return job


class Scene(BaseHTTPRequestHandler):
    """One connection."""

    stage: Stage
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._act()

    do_POST = do_DELETE = do_GET  # noqa: N815 - as the server calls them

    def _act(self) -> None:
        url = urlsplit(self.path)
        try:
            size, body = self._body()
        except ConnectionError:
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.asked = Seen(self.command, url.path, parse_qs(url.query), headers, size, body)
        with self.stage.lock:
            self.stage.seen.append(self.asked)
            fault = self.stage.next_fault(self.asked)
        with suppress(ConnectionError):
            if fault is None or not fault(self):
                self.usual()

    def _body(self) -> tuple[int, bytes]:
        kept, size = bytearray(), 0
        for piece in self._pieces():
            size += len(piece)
            if size <= KEPT_BYTES:
                kept += piece
        return size, bytes(kept)

    def _pieces(self) -> Iterable[bytes]:
        left = int(self.headers.get("Content-Length", 0))
        while left and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)
            yield piece
        if left:
            raise ConnectionError("half a body")
        if self.headers.get("Transfer-Encoding") == "chunked":
            while length := int(self.rfile.readline(), 16):
                yield self.rfile.read(length)
                self.rfile.readline()
            self.rfile.readline()

    def usual(self) -> None:
        """Answer as the service does."""
        match self.command, self.asked.path.split("/")[1:]:
            case "POST", ["v1", "jobs" | "convert"]:
                self.document(self._added(), 202)
            case "GET", ["v1", "jobs"]:
                self._list()
            case "DELETE", ["v1", "jobs", job_id]:
                self._delete(job_id)
            case "GET", ["v1", "jobs", job_id] if job := self.stage.look(job_id):
                self.document(job)
            case "GET", ["v1", "jobs", job_id, "events"] if job_id in self.stage.jobs:
                self.start("text/event-stream")
                while (job := self.stage.look(job_id)) and self.event(job):
                    pass
                self.piece(b"")
            case "GET", ["v1", "jobs", job_id, "result"] if job := self.stage.jobs.get(job_id):
                self._result(job)
            case _:
                self.problem(404, "no such job")

    def _added(self) -> dict[str, Any]:
        key = self.asked.headers.get("idempotency-key", "")
        kind = self.asked.headers["content-type"]
        if kind == "application/json":
            return self.stage.add(json.loads(self.asked.body)["source"], key)
        if self.asked.size > KEPT_BYTES:
            return self.stage.add("long", key)
        upload = parsed(kind.partition("boundary=")[2].encode(), self.asked.body)
        self.stage.uploads.append(upload)
        return self.stage.add(upload.name, key)

    def _list(self) -> None:
        query = self.asked.query
        limit, offset = int(query["limit"][0]), int(query["offset"][0])
        jobs = [*self.stage.jobs.values()][::-1]
        total = {"total": len(jobs)} if self.stage.has_total else {}
        page = {"jobs": jobs[offset : offset + limit], **total, "offset": offset, "limit": limit}
        self.document(page)

    def _delete(self, job_id: str) -> None:
        job = self.stage.jobs.get(job_id)
        if job and job["state"] in {"queued", "running"}:
            job["state"] = "cancelled"
        elif job:
            del self.stage.jobs[job_id]
        self.answer(204)

    def _result(self, job: dict[str, Any]) -> None:
        if job["state"] == "failed":
            self.problem(409, "failed", report=job["report"])
        elif job["state"] != "done":
            self.problem(409, "not done", detail="It has not ended.")
        else:
            media = self.asked.headers["accept"]
            self.start(media)
            for piece in self.stage.results.get(job["id"], [media.encode()]):
                self.piece(piece)
            self.piece(b"")

    def start(self, media: str, status: int = 200) -> None:
        """Begin an answer that comes in pieces."""
        self.send_response(status)
        self.send_header("Content-Type", f"{media}; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def piece(self, piece: bytes) -> None:
        """Send a piece; an empty one is the end."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    def event(self, job: dict[str, Any]) -> bool:
        """Send an event; whether there are more to come."""
        text = json.dumps(job, ensure_ascii=False)
        self.piece(f"event: job\ndata: {text}\n\n".encode())
        return job["state"] in {"queued", "running"}

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Answer at once."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def document(
        self, document: Any, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Answer with JSON."""
        kind = {"Content-Type": "application/json", **(headers or {})}
        self.answer(status, json.dumps(document).encode(), kind)

    def problem(
        self, status: int, title: str, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        """Answer with a problem document."""
        kind = {"Content-Type": "application/problem+json", **(headers or {})}
        self.document({"title": title, "status": status, **more}, status, kind)


def done(job: dict[str, Any]) -> None:
    """End a job well."""
    job.update(state="done", attempts=1, report={"status": "ok", "pages": 2})
    job.update(ended_at="2026-01-02T03:04:06+00:00", progress={"pages_done": 2, "total_pages": 2})


def failed(job: dict[str, Any]) -> None:
    """End a job badly."""
    report = {"status": "failed", "failure": "malformed", "message": "No page can be read."}
    job.update(state="failed", report=report)
