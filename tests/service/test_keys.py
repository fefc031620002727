"""Who may ask: keys, and what protects a service without any."""

import hashlib
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from conftest import wait_for
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
    ticket_id = link["self"].rpartition("/")[2]
    assert httpx.get(f"{keyed}/v1/jobs?id={ticket_id}", headers=BOB).json()["jobs"] == []
    assert httpx.get(f"{keyed}/v1/results?id={ticket_id}", headers=BOB).status_code == 404


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


def keys_file(folder: Path, **scopes: str) -> Path:
    """A file of keys, each of which is its own name; with `:scopes` if there are some."""
    path = folder / "keys"
    lines = (
        f"{name}:{hashlib.sha256(name.encode()).hexdigest()}{f':{of}' if of else ''}\n"
        for name, of in scopes.items()
    )
    path.write_text("".join(lines))
    return path


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


def test_a_key_is_for_what_its_scopes_say(
    serve: Serve, tmp_path: Path, tickets: Tickets, store: Store
) -> None:
    path = keys_file(tmp_path, sender="ingest", reader="read", scraper="metrics", all="")
    api = serve(API_KEYS_FILE=str(path))
    link = send(api, headers=bearer("all")).json()["links"]
    end(tickets, store, link["self"])
    asked = {
        "ingest": [("POST", "/v1/jobs"), ("POST", "/ingest"), ("POST", "/v1/convert")],
        "read": [("GET", "/v1/jobs"), *(("GET", path) for path in link.values())],
        "metrics": [("GET", "/metrics")],
    }
    asked["ingest"].append(("DELETE", link["self"]))
    asked["read"].append(("GET", f"/v1/results?id={'0' * 32}"))
    names = {"sender": "ingest", "reader": "read", "scraper": "metrics"}
    for name, scope in names.items():
        for of, requests in asked.items():
            for method, path_ in requests:
                answer = httpx.request(method, f"{api}{path_}", headers=bearer(name))
                refused = (answer.status_code, answer.text.count("not for this key")) == (403, 1)
                assert refused == (of != scope), (name, method, path_, answer.text)


def test_a_key_may_come_as_bearer_or_in_its_own_header(serve: Serve, tmp_path: Path) -> None:
    api = serve(API_KEYS_FILE=str(keys_file(tmp_path, ann="")))
    for headers in (bearer("ann"), {"Authorization": "bearer  ann"}, {"X-API-Key": "ann"}):
        assert httpx.get(f"{api}/v1/jobs", headers=headers).status_code == 200
    for headers in ({"Authorization": "Basic ann"}, {"Authorization": "ann"}):
        assert httpx.get(f"{api}/v1/jobs", headers=headers).status_code == 401


def test_the_keys_are_read_again_when_they_change(serve: Serve, tmp_path: Path) -> None:
    path = keys_file(tmp_path, ann="", bob="")
    api = serve(API_KEYS_FILE=str(path))

    def status(name: str) -> int:
        return httpx.get(f"{api}/v1/jobs", headers=bearer(name)).status_code

    assert (status("ann"), status("bob")) == (200, 200)
    keys_file(tmp_path, bob="", eve="")
    wait_for(lambda: (status("ann"), status("eve")) == (401, 200), 5)
    path.write_text("nonsense\n")
    time.sleep(1.5)
    assert (status("ann"), status("bob")) == (401, 200), "the keys stay as they were"
    path.unlink()
    time.sleep(1.5)
    assert (status("ann"), status("bob")) == (401, 200)
    keys_file(tmp_path, ann="")
    wait_for(lambda: (status("ann"), status("bob")) == (200, 401), 5)


@pytest.mark.parametrize("line", ["run:{0}", "a:{0}:", "a:{0}:write", "a:{0}:read,", "a:{0}: read"])
def test_a_key_that_cannot_be_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "keys"
    path.write_text(line.format("0" * 64))
    with pytest.raises(UsageError, match="line 1"):
        Keys(str(path))


def test_one_key_cannot_fill_the_queue(serve: Serve, tmp_path: Path, tickets: Tickets) -> None:
    path = keys_file(tmp_path, greedy="", modest="")
    api = serve(API_KEYS_FILE=str(path), MAX_QUEUE_PER_KEY="3")
    links = [send(api, headers=bearer("greedy")).json()["links"]["self"] for _ in range(3)]
    refused = send(api, headers=bearer("greedy"))
    assert (refused.status_code, refused.json()["title"]) == (429, "too many open")
    assert refused.headers["Retry-After"]
    assert send(api, headers=bearer("modest")).status_code == 202
    assert httpx.delete(f"{api}{links[0]}", headers=bearer("greedy")).status_code == 204
    assert send(api, headers=bearer("greedy")).status_code == 202
    assert tickets.admit("greedy").open == 3


def test_more_files_at_once_than_a_key_may_send_are_refused_one_by_one(
    serve: Serve, tmp_path: Path
) -> None:
    api = serve(API_KEYS_FILE=str(keys_file(tmp_path, hasty="")), RATE="2")
    files = [("file", (f"{each}.pdf", unique())) for each in range(4)]
    answer = httpx.post(f"{api}/v1/jobs", files=files, headers=bearer("hasty"), timeout=30)
    assert [job["name"] for job in answer.json()["jobs"]] == ["0.pdf", "1.pdf"]
    refused = {each["problem"]["title"] for each in answer.json()["refused"]}
    assert refused == {"too many requests"}
