"""Webhooks: told at least once, signed, later again, and never at the cost of a file."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from conftest import wait_for
from pdfingest.service import webhook
from pdfingest.service.settings import Settings
from pdfingest.service.ticket import State, Ticket, Told, new_id
from pdfingest.service.tickets import Tickets
from pdfingest.service.webhook import Webhooks, is_allowed, is_url, signature

from .asgi import changed
from .conftest import send

pytestmark = pytest.mark.service


class Host:
    """A host that is told of ends, and answers as it is asked to."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.name = f"127.0.0.1:{server.server_port}"
        self.told: list[str] = []
        self.statuses: list[int] = []
        """What it answers next; 204 afterwards."""
        self.hangs = threading.Event()
        self.hangs.set()


@pytest.fixture
def host() -> Iterator[Host]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.hangs.wait(30)
            self.rfile.read(int(self.headers["Content-Length"]))
            found.told.append(self.headers["webhook-id"])
            status = found.statuses.pop(0) if found.statuses else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        found = Host(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        found.hangs.set()
        server.shutdown()


@pytest.fixture
def webhooks(
    settings: Settings, tickets: Tickets, host: Host, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Webhooks]:
    monkeypatch.setattr(webhook, "_FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(webhook, "_FACTOR", 1.0)
    given = changed(settings, webhook_hosts=host.name, webhook_secret="s3cret")
    webhooks = Webhooks(given, tickets)
    yield webhooks
    webhooks.close()


def ended(tickets: Tickets, host: Host, how: str = "cancel") -> str:
    """A ticket with a webhook that has ended."""
    ticket_id = new_id()
    tickets.add(Ticket(ticket_id, "a.pdf", "", webhook=f"http://{host.name}/hook"))
    if how == "cancel":
        assert tickets.cancel(ticket_id)
    return ticket_id


def told(tickets: Tickets, ticket_id: str) -> Ticket:
    ticket = tickets.get(ticket_id)
    assert ticket is not None
    return ticket


def tell_until(webhooks: Webhooks, condition: Any) -> None:
    def step() -> bool:
        webhooks.tell_due()
        time.sleep(0.01)
        return bool(condition())

    wait_for(step)


def test_a_cancelled_ticket_is_told_too(webhooks: Webhooks, tickets: Tickets, host: Host) -> None:
    ticket_id = ended(tickets, host)
    assert told(tickets, ticket_id).told is Told.PENDING
    tell_until(webhooks, lambda: told(tickets, ticket_id).told is Told.DELIVERED)
    assert host.told == [ticket_id]
    assert told(tickets, ticket_id).tellings == 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_fails_is_told_again_and_says_why(
    webhooks: Webhooks, tickets: Tickets, host: Host, status: int
) -> None:
    host.statuses = [status, status]
    ticket_id = ended(tickets, host)
    tell_until(webhooks, lambda: told(tickets, ticket_id).telling_error)
    assert str(status) in told(tickets, ticket_id).telling_error
    tell_until(webhooks, lambda: told(tickets, ticket_id).told is Told.DELIVERED)
    assert (told(tickets, ticket_id).tellings, len(host.told)) == (3, 3)
    assert told(tickets, ticket_id).telling_error == ""


def test_a_webhook_is_given_up_in_the_end(
    webhooks: Webhooks, tickets: Tickets, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "_TRIES", 3)
    host.statuses = [500] * 10
    ticket_id = ended(tickets, host)
    before = tickets.counts().get("webhooks:failed", 0)
    tell_until(webhooks, lambda: told(tickets, ticket_id).told is Told.FAILED)
    assert told(tickets, ticket_id).tellings == 3
    assert tickets.counts()["webhooks:failed"] == before + 1
    webhooks.tell_due()
    time.sleep(0.1)
    assert len(host.told) == 3


def test_a_host_that_hangs_holds_up_no_caller(
    webhooks: Webhooks, tickets: Tickets, host: Host
) -> None:
    host.hangs.clear()
    for _ in range(20):
        ended(tickets, host)
    began_s = time.monotonic()
    for _ in range(5):
        webhooks.tell_due()
    assert time.monotonic() - began_s < 1
    host.hangs.set()
    tell_until(webhooks, lambda: len(set(host.told)) >= 20)


def test_what_a_teller_that_died_had_taken_is_told_by_another(
    webhooks: Webhooks, tickets: Tickets, host: Host
) -> None:
    ticket_id = ended(tickets, host)
    assert tickets.tell(ticket_id, 0.5) == 1  # and then it dies
    webhooks.tell_due()
    time.sleep(0.1)
    assert host.told == []
    tell_until(webhooks, lambda: told(tickets, ticket_id).told is Told.DELIVERED)
    assert host.told == [ticket_id]


def test_a_ticket_that_has_not_ended_is_not_told(tickets: Tickets, host: Host) -> None:
    ticket_id = ended(tickets, host, how="not")
    assert ticket_id not in tickets.due_webhooks(1000)
    assert tickets.tell(ticket_id, 1) == 0


def test_a_deleted_ticket_is_not_told(tickets: Tickets, host: Host) -> None:
    ticket_id = ended(tickets, host)
    assert tickets.delete(ticket_id)
    assert ticket_id not in tickets.due_webhooks(1000)


def test_a_host_that_is_not_allowed_any_more_is_not_told(
    settings: Settings, tickets: Tickets, host: Host
) -> None:
    other = Webhooks(changed(settings, webhook_hosts="a:1", webhook_secret="s"), tickets)
    ticket_id = ended(tickets, host)
    tell_until(other, lambda: told(tickets, ticket_id).telling_error)
    assert "PDFINGEST_WEBHOOK_HOSTS" in told(tickets, ticket_id).telling_error
    assert host.told == []
    other.close()


WRONG = [
    "ftp://host/x",
    "http://",
    "http:///x",
    "host/x",
    "http://host/ok\r\nX-Evil: 1",
    "http://host/a b",
    " http://host/",
    "http://host/ü",
    "http://hö/",
    "http://host:x/",
    "http://host:99999/",
    "http://host\\@other/",
    "http://[::1/",
    "javascript:alert(1)",
    "",
]


@pytest.mark.parametrize("url", WRONG)
def test_a_webhook_that_could_not_be_reached_is_refused(api: str, url: str) -> None:
    assert not is_url(url)
    if url:
        answer = send(api, webhook=url)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["where"] == "body.webhook"


def test_only_allowed_hosts_are_told(settings: Settings, api: str) -> None:
    given = changed(settings, webhook_hosts="a.example, b.example:8080", webhook_secret="s")
    for url in ("https://a.example/x?y=1", "http://b.example:8080"):
        assert is_allowed(url, given)
    for url in ("http://a.example:81/", "http://b.example/", "http://user@a.example/"):
        assert not is_allowed(url, given)
    assert send(api, webhook="https://a.example/x").status_code == 403


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # From the reference of Standard Webhooks, libraries/python/tests.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_state_of_a_webhook_is_told_with_the_ticket(api: str, tickets: Tickets) -> None:
    ticket = send(api).json()
    assert ticket["webhook"] is None
    found = tickets.get(ticket["id"])
    assert found is not None
    tickets.add(replace(found, id=new_id(), webhook="http://a/", state=State.QUEUED))
    shown = httpx.get(f"{api}/v1/jobs").json()["jobs"][0]
    assert shown["webhook"] == {"state": "", "tries": 0, "message": ""}
