"""Who may ask: keys, and what protects a service without any."""

import hashlib
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from pdfingest.errors import UsageError
from pdfingest.service.fleet import OWNER
from pdfingest.service.keys import Keys, is_loopback
from pdfingest.service.store import Store
from pdfingest.service.ticket import Ticket, new_id
from pdfingest.service.tickets import Tickets

from . import wire
from .conftest import PROGRAM, Serve, end, send, unique

pytestmark = pytest.mark.service
ANN, BOB = {"X-API-Key": "ann's key"}, {"X-API-Key": "bob's key"}


def hashed(headers: dict[str, str]) -> str:
    return hashlib.sha256(headers["X-API-Key"].encode()).hexdigest()


@pytest.fixture(scope="module")
def keyed(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of an API with the keys of Ann, who has two, and Bob."""
    path = tmp_path_factory.mktemp("keys") / "keys"
    other = hashlib.sha256(b"another").hexdigest()
    path.write_text(f"# who\nann:{hashed(ANN)}\nann:{other}  # new\n\nbob:{hashed(BOB).upper()}\n")
    return serve(API_KEYS_FILE=str(path))


def test_a_wrong_key_is_refused_before_the_body_is_read(keyed: str, scratch: Path) -> None:
    for key in ((), ("X-API-Key: wrong",), ("X-API-Key: ",), (f"X-API-Key: {hashed(ANN)}",)):
        with wire.open_socket(keyed) as client:
            client.sendall(wire.head(keyed, 10**9, *key))  # and no byte of the body
            began_s = time.monotonic()
            got = wire.answer(client)
        assert wire.status(got) == 401, got
        assert time.monotonic() - began_s < 1
    assert not list(scratch.iterdir())


@pytest.mark.parametrize("path", ["/v1/jobs", "/metrics", "/v1/jobs/x", "/v1/jobs/x/result"])
def test_tickets_and_metrics_of_a_service_with_keys_need_one(keyed: str, path: str) -> None:
    answer = httpx.get(f"{keyed}{path}")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("ApiKey")
    assert httpx.get(f"{keyed}{path}", headers=ANN).status_code in {200, 404}


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/openapi.json"])
def test_what_monitors_and_browsers_ask_first_is_open(keyed: str, path: str) -> None:
    assert httpx.get(f"{keyed}{path}").status_code == 200


def test_another_key_sees_nothing_of_a_ticket(keyed: str, tickets: Tickets, store: Store) -> None:
    content = unique()
    link = send(keyed, content, headers=ANN).json()["links"]
    end(tickets, store, link["self"])
    for path in link.values():
        assert httpx.get(f"{keyed}{path}", headers=BOB).status_code == 404
        assert httpx.get(f"{keyed}{path}", headers=ANN).status_code == 200
    assert httpx.get(f"{keyed}{link['self']}", headers={"X-API-Key": "another"}).status_code == 200
    assert httpx.delete(f"{keyed}{link['self']}", headers=BOB).status_code == 404
    assert httpx.get(f"{keyed}/v1/jobs", headers=BOB).json()["jobs"] == []


def test_an_idempotency_key_is_of_one_owner(keyed: str) -> None:
    key = {"Idempotency-Key": "1"}
    assert send(keyed, headers={**ANN, **key}).status_code == 202
    assert send(keyed, headers={**BOB, **key}).status_code == 202
    assert send(keyed, headers={**BOB, **key}).status_code == 409


def test_the_files_of_a_run_are_shown_to_no_client(
    api: str, keyed: str, tickets: Tickets, tmp_path: Path
) -> None:
    ticket_id = new_id()
    tickets.add(Ticket(ticket_id, "a.pdf", "/a.pdf", owner=OWNER))
    for url, headers in ((api, {}), (keyed, ANN)):
        listed = httpx.get(f"{url}/v1/jobs", headers=headers).json()["jobs"]
        assert ticket_id not in {each["id"] for each in listed}
        assert httpx.get(f"{url}/v1/jobs/{ticket_id}", headers=headers).status_code == 404
    path = tmp_path / "keys"
    path.write_text(f"{OWNER}:{hashed(ANN)}\n")
    with pytest.raises(UsageError):
        Keys(str(path))


BAD_FILES = {
    "no key": "# nothing\n",
    "no hash": "ann:secret\n",
    "no name": f":{'0' * 64}\n",
    "odd name": f"a:b:{'0' * 64}\n",
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_without_valid_keys_is_a_usage_error(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(BAD_FILES[kind])
    with pytest.raises(UsageError):
        Keys(str(path))
    with pytest.raises(UsageError):
        Keys(str(tmp_path / "missing"))


SITES: dict[str, tuple[dict[str, str], int]] = {
    "curl": ({}, 200),
    "localhost": ({"Host": "localhost:80"}, 200),
    "the page itself": ({"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"}, 200),
    "IPv6": ({"Host": "[::1]:8000"}, 200),
    "a name for loopback": ({"Host": "evil.example:8000"}, 403),
    "another site": ({"Origin": "https://evil.example"}, 403),
    "another port": ({"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:9000"}, 403),
    "a sandboxed frame": ({"Origin": "null"}, 403),
    "nonsense": ({"Host": "[", "Origin": "http://[:x"}, 403),
}


@pytest.mark.parametrize("kind", SITES)
def test_without_keys_no_other_site_may_ask(api: str, kind: str) -> None:
    headers, expected = SITES[kind]
    assert httpx.get(f"{api}/v1/jobs", headers=headers).status_code == expected


def test_without_keys_nothing_but_loopback_is_served(service_environment: dict[str, str]) -> None:
    serve = [*PROGRAM, "serve", "--port", "1", "--host"]
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org", ""):
        ended = subprocess.run(
            [*serve, host], env=service_environment, capture_output=True, check=False
        )
        assert ended.returncode == 2, ended.stderr
        assert b"PDFINGEST_API_KEYS_FILE" in ended.stderr


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("127.1.2.3", True), ("10.0.0.1", False)],
)
def test_an_address_is_loopback_or_not(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_the_page_runs_nothing_but_its_own(keyed: str) -> None:
    headers = httpx.get(keyed).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
