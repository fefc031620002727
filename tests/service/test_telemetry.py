"""Traces go where the variables of OpenTelemetry say, and nowhere if they say nothing."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from conftest import wait_for
from pdfingest.errors import UsageError
from pdfingest.service import telemetry

from .conftest import Serve, send

pytestmark = pytest.mark.service


@pytest.fixture
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector of traces: its URL, and what it got."""
    got: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(self.path.encode() + body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()


def test_requests_are_traced_where_a_place_is_named(
    service_environment: dict[str, str], collector: tuple[str, list[bytes]]
) -> None:
    pytest.importorskip("opentelemetry.instrumentation.fastapi")
    url, got = collector
    serve = Serve(
        {
            **service_environment,
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
    )
    api = serve()
    assert send(api).status_code == 202
    wait_for(lambda: b"POST /ingest" in b"".join(got))
    assert all(each.startswith(b"/v1/traces") for each in got)
    assert b"pdfingest-api" in b"".join(got)
    for process in serve.processes.values():
        process.kill()
        process.wait()


def test_nothing_is_traced_where_none_is(api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    assert not telemetry.is_wanted()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    assert telemetry.is_wanted()
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not telemetry.is_wanted()
    assert httpx.get(f"{api}/healthz").status_code == 200


def test_traces_without_the_extra_are_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318")
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.celery", None)
    with pytest.raises(UsageError, match=r"pdfingest\[otel\]"):
        telemetry.instrument_worker()
