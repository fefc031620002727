"""What every answer passes: HEAD, request ids, log lines, other origins, a path in front."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import wait_for
from pdfingest.service.api import make_api
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store
from pdfingest.service.tickets import Tickets

from .asgi import asked, changed
from .conftest import PROGRAM, Serve, end, free_port, send, stop

pytestmark = pytest.mark.service


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/healthz", "/readyz", "/metrics", "/v1/jobs", "/nothing", "/ingest"]
)
def test_head_is_answered_as_get_without_the_content(api: str, path: str) -> None:
    got, wanted = httpx.head(f"{api}{path}"), httpx.get(f"{api}{path}")
    assert (got.status_code, got.content) == (wanted.status_code, b"")
    differ = {"date", "x-request-id", "content-length", "transfer-encoding"}
    assert got.headers.keys() - differ == wanted.headers.keys() - differ


def test_head_of_a_stream_ends_at_once(api: str, tickets: Tickets, store: Store) -> None:
    links = send(api).json()["links"]
    began_s = time.monotonic()
    assert httpx.head(f"{api}{links['events']}").status_code == 200
    assert time.monotonic() - began_s < 2, "the job has not ended"
    end(tickets, store, links["self"])
    assert httpx.head(f"{api}{links['result']}").headers["Content-Type"] == "application/jsonl"
    assert httpx.get(f"{api}/healthz").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/jobs", "GET, HEAD, POST"),
        ("POST", f"/v1/jobs/{'0' * 32}", "DELETE, GET, HEAD"),
        ("GET", "/ingest", "POST"),
        ("DELETE", "/", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_taken_is_told_those_that_are(
    api: str, method: str, path: str, allowed: str
) -> None:
    answer = httpx.request(method, f"{api}{path}")
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_a_request_has_an_id_of_its_own_or_the_one_that_it_brings(api: str) -> None:
    first, second = (httpx.get(f"{api}/healthz").headers["X-Request-ID"] for _ in range(2))
    assert first != second
    brought = httpx.get(f"{api}/healthz", headers={"X-Request-ID": "abc-1.2"})
    assert brought.headers["X-Request-ID"] == "abc-1.2"
    for evil in ("x" * 65, "a b", "<script>"):
        answer = httpx.get(f"{api}/healthz", headers={"X-Request-ID": evil})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_each_request_has_a_line_in_the_log(
    service_environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    command = [*PROGRAM, "serve", "--port", str(port), "--log-format", "json"]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(command, env=service_environment, stderr=log)

    def lines() -> list[Any]:
        found = (tmp_path / "log").read_text().splitlines()
        return [json.loads(line) for line in found if "GET" in line]

    try:
        url = f"http://127.0.0.1:{port}/v1/jobs?id=secret"
        wait_for(lambda: process.poll() is None and _is_up(port))
        answer = httpx.get(url, headers={"X-Request-ID": "mine"})
        wait_for(lambda: [line for line in lines() if line["request_id"] == "mine"])
    finally:
        stop(process)
    (line,) = (line for line in lines() if line["request_id"] == "mine")
    wanted = ("request", "info", "GET", "/v1/jobs", answer.status_code, "")
    assert wanted == tuple(
        line[key] for key in ("event", "level", "method", "path", "status", "owner")
    )
    assert "secret" not in (tmp_path / "log").read_text()


def _is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_pages_of_other_origins_may_ask_only_if_they_are_allowed(settings: Settings) -> None:
    preflight = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "X-API-Key",
    }
    strict = make_api(settings)
    assert "Access-Control-Allow-Origin" not in asked(strict, "GET", "/healthz").headers
    assert asked(strict, "OPTIONS", "/v1/jobs", headers=preflight).status_code == 405
    open_ = make_api(changed(settings, cors_origins="https://app.example, https://b.example"))
    answer = asked(open_, "OPTIONS", "/v1/jobs", headers=preflight)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
    for origin, status in (("https://app.example", 200), ("https://evil.example", 403)):
        got = asked(open_, "GET", "/v1/jobs", headers={"Origin": origin})
        assert got.status_code == status
        assert ("Access-Control-Allow-Origin" in got.headers) == (status == 200)


def test_links_have_the_path_that_a_proxy_strips(serve: Serve) -> None:
    api = serve(ROOT_PATH="/pdf")
    made = send(api)
    assert made.headers["Location"] == f"/pdf/v1/jobs/{made.json()['id']}"
    assert made.json()["links"]["result"] == f"/pdf/v1/jobs/{made.json()['id']}/result"
    assert httpx.get(f"{api}/openapi.json").json()["servers"] == [{"url": "/pdf"}]


def test_the_docs_load_nothing_from_elsewhere(api: str) -> None:
    page = httpx.get(f"{api}/docs")
    sources = re.findall(r"(?:src|href)=\"([^\"]+)\"", page.text)
    assert len(sources) >= 3
    for source in sources:
        assert "//" not in source
        assert httpx.get(f"{api}/{source}").status_code == 200
    assert "cdn" not in page.headers["Content-Security-Policy"]


def test_the_service_is_not_ready_while_redis_takes_no_writes(
    serve: Serve, tickets: Tickets
) -> None:
    api = serve()
    assert httpx.get(f"{api}/readyz").status_code == 200
    tickets.client.config_set("maxmemory", 1)  # as of a Redis that is full
    try:
        assert tickets.client.ping()
        answer = httpx.get(f"{api}/readyz")
        assert (answer.status_code, answer.json()["title"]) == (503, "unavailable")
        assert send(api).status_code == 503
    finally:
        tickets.client.config_set("maxmemory", 0)
    wait_for(lambda: httpx.get(f"{api}/readyz").status_code == 200)


def test_the_service_is_not_ready_while_the_store_cannot_be_written(
    serve: Serve, store: Store
) -> None:
    api = serve()
    scratch = Path(store.scratch)
    away = scratch.rename(scratch.with_name("away"))
    try:
        assert httpx.get(f"{api}/readyz").status_code == 503
        assert httpx.get(f"{api}/healthz").status_code == 200
    finally:
        away.rename(scratch)
    assert httpx.get(f"{api}/readyz").status_code == 200
