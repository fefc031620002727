"""The API against its own OpenAPI document: no answer that is not in it, and no error of ours."""

from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from pdfingest.service.store import Store
from pdfingest.service.ticket import State
from pdfingest.service.tickets import Tickets

from .conftest import Serve, end, send

schemathesis = pytest.importorskip("schemathesis")
checks = pytest.importorskip("schemathesis.checks")
openapi_checks = pytest.importorskip("schemathesis.specs.openapi.checks")

pytestmark = [pytest.mark.service, pytest.mark.slow]
CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.unsupported_method,
    openapi_checks.allow_header_conformance,
]
"""Not whether random bytes are taken: they are no PDF."""


@pytest.fixture(scope="module")
def document(serve: Serve) -> Any:
    """What the API says of itself."""
    return schemathesis.openapi.from_url(f"{serve(SOURCE_PREFIXES='/')}/openapi.json")


OPERATIONS = [
    "DELETE /v1/jobs/{job_id}",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "GET /v1/jobs",
    "GET /v1/jobs/{job_id}",
    "GET /v1/jobs/{job_id}/events",
    "GET /v1/jobs/{job_id}/result",
    "GET /v1/results",
    "POST /ingest",
    "POST /v1/convert",
    "POST /v1/jobs",
]


def test_all_operations_are_looked_at(document: Any) -> None:
    assert sorted(each.ok().label for each in document.get_all_operations()) == OPERATIONS


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_all_answers_are_documented(document: Any, operation: str, mode: str) -> None:
    method, path = operation.split()
    strategy = document[path][method].as_strategy(getattr(schemathesis.GenerationMode, mode))

    @given(case=strategy)
    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        if path == "/v1/convert":  # nobody reads the file, so nobody waits for it
            case.query = {"wait": 0} | (case.query or {})
        case.call_and_validate(checks=CHECKS, timeout=30)

    try:
        ask()
    except Unsatisfiable:
        assert (mode, method) != ("POSITIVE", "POST"), "nothing is wrong with what takes nothing"


def test_answers_about_tickets_in_each_state_are_documented(
    serve: Serve, document: Any, tickets: Tickets, store: Store
) -> None:
    api = serve(SOURCE_PREFIXES="/")
    links = [send(api).json()["links"]["self"] for _ in range(4)]
    end(tickets, store, links[0])
    end(tickets, store, links[1], State.FAILED, failure="timeout")
    assert httpx.delete(f"{api}{links[2]}").status_code == 204
    seen = set()
    for path in ("/v1/jobs/{job_id}", "/v1/jobs/{job_id}/result", "/v1/jobs/{job_id}/events"):
        for link in links[: 3 if path.endswith("events") else 4]:
            ticket_id = link.rpartition("/")[2]
            case = document[path]["GET"].Case(path_parameters={"job_id": ticket_id})
            seen.add(case.call_and_validate(checks=CHECKS).status_code)
    for link in links:
        case = document["/v1/jobs/{job_id}"]["DELETE"].Case(
            path_parameters={"job_id": link.rpartition("/")[2]}
        )
        seen.add(case.call_and_validate(checks=CHECKS).status_code)
    assert seen == {200, 204, 409, 410}


def test_problems_have_their_schema(serve: Serve) -> None:
    document = httpx.get(f"{serve(SOURCE_PREFIXES='/')}/openapi.json").json()
    assert document["components"]["schemas"]["Problem"]["required"] == ["type", "title", "status"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                problem = int(status) >= 400
                assert problem == ("application/problem+json" in answer.get("content", {})), (
                    path,
                    method,
                    status,
                )


def test_what_follows_from_an_answer_is_documented_too(document: Any) -> None:
    seen = set()

    flow = document.exclude(operation_id="follow_job")  # it lasts as long as the job

    class Flow(flow.as_state_machine()):  # type: ignore[misc]
        """Goes from answer to answer by their links."""

        def before_call(self, case: Any) -> None:
            """Name a source that may be named, as random ones are refused."""
            if case.method == "POST":
                case.media_type, case.body = "application/json", {"source": "/nowhere/a.pdf"}
                case.headers = {"Content-Type": "application/json"}
                case.query = {"wait": 0} if case.path == "/v1/convert" else {}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            """Check what is documented."""
            seen.add((case.method, case.path, response.status_code))
            case.validate_response(response, checks=CHECKS)

    Flow.run(
        settings=settings(
            max_examples=30,
            stateful_step_count=6,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
    )
    one = "/v1/jobs/{job_id}"
    wanted = {("GET", one, 200), ("DELETE", one, 204), ("GET", f"{one}/result", 409)}
    assert wanted <= seen, "links are followed"
