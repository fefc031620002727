"""The API behind the nginx of examples/deploy: what it lets through, and what it cuts off."""

import hashlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from conftest import ROOT, wait_for
from pdfingest.service.store import Store
from pdfingest.service.tickets import Tickets

from . import wire
from .conftest import Serve, end, free_port, stop, unique

pytestmark = [
    pytest.mark.service,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx"),
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl"),
]
KEY = "a key"
CONFIGURATION = (ROOT / "examples" / "deploy" / "nginx.conf").read_text()


@dataclass(frozen=True)
class Proxy:
    """A proxy with TLS on loopback."""

    port: int
    context: ssl.SSLContext
    """Trusts its certificate."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def client(self) -> httpx.Client:
        """A client that has the key."""
        headers = {"X-API-Key": KEY}
        return httpx.Client(base_url=self.url, verify=self.context, headers=headers, timeout=30)

    def connect(self) -> ssl.SSLSocket:
        """A connection, with nothing sent."""
        plain = socket.create_connection(("127.0.0.1", self.port), 30)
        return self.context.wrap_socket(plain, server_hostname="localhost")


def replaced(text: str, *pairs: tuple[str, str]) -> str:
    """The text with each first part replaced by the second; all must be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def proxy(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "keys").write_text(f"me:{hashlib.sha256(KEY.encode()).hexdigest()}\n")
    api = serve(API_KEYS_FILE=str(folder / "keys"))
    readme = (ROOT / "examples" / "deploy" / "README.md").read_text()
    (certificate,) = re.findall(r"^openssl req .*?[^\\]$", readme, re.DOTALL | re.MULTILINE)
    subprocess.run(["bash", "-c", certificate], cwd=folder, check=True, capture_output=True)
    port = free_port()
    text = replaced(
        CONFIGURATION,
        (" /tmp/", f" {folder}/"),  # before other paths, which may be below /tmp too
        ("api:8000", urlsplit(api).netloc),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/run/secrets/tls_certificate", f"{folder}/tls.crt"),
        ("/run/secrets/tls_key", f"{folder}/tls.key"),
    )
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    folder.chmod(0o777)  # where root runs the tests, nginx becomes another user
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen([*command, "-g", "daemon off;"], stdout=log, stderr=log)
    proxy = Proxy(port, ssl.create_default_context(cafile=str(folder / "tls.crt")))
    with proxy.client() as client:

        def is_up() -> bool:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                return client.get("/readyz").status_code == 200
            except httpx.TransportError:
                return False

        wait_for(is_up)
    yield proxy
    stop(process)


def upload(client: httpx.Client, content: bytes) -> str:
    """Send a file; returns the path of its job."""
    answer = client.post("/ingest", files={"file": ("a.pdf", content)})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["links"]["self"])


def test_an_upload_and_its_result_go_through(proxy: Proxy, tickets: Tickets, store: Store) -> None:
    with proxy.client() as client:
        link = upload(client, unique(5 << 20))
        end(tickets, store, link)
        answer = client.get(f"{link}/result")
        assert answer.status_code == 200
        assert json.loads(answer.text)["text"] == "one"


def test_events_come_when_they_happen(proxy: Proxy, tickets: Tickets, store: Store) -> None:
    with proxy.client() as client:
        link = upload(client, unique())
        with client.stream("GET", f"{link}/events") as stream:
            lines = (line for line in stream.iter_lines() if line.startswith("data:"))
            assert '"queued"' in next(lines)
            end(tickets, store, link)
            began_s = time.monotonic()
            assert '"done"' in list(lines)[-1]
            assert time.monotonic() - began_s < 5


def test_without_a_key_an_upload_is_refused_before_it_has_come(proxy: Proxy) -> None:
    with proxy.connect() as client:
        client.sendall(wire.head(proxy.url, 10**9))  # and no byte of the body
        assert wire.status(wire.answer(client, 5)) == 401


def test_an_upload_that_is_too_large_is_refused_by_the_proxy(proxy: Proxy) -> None:
    with proxy.connect() as client:
        client.sendall(wire.head(proxy.url, 2 << 30, f"X-API-Key: {KEY}"))
        assert wire.status(wire.answer(client, 5)) == 413


def test_plain_http_is_refused(proxy: Proxy) -> None:
    answer = httpx.get(f"http://127.0.0.1:{proxy.port}/readyz")
    assert answer.status_code == 400


def test_headers_that_do_not_come_are_cut_off(proxy: Proxy) -> None:
    (seconds,) = re.findall(r"client_header_timeout (\d+)s", CONFIGURATION)
    with proxy.connect() as client:
        began_s = time.monotonic()
        client.settimeout(int(seconds) + 5)
        client.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n")
        got = b""
        while time.monotonic() - began_s < int(seconds) + 5:  # a header a second, for ever
            try:
                client.sendall(b"X-Slow: 1\r\n")
                client.settimeout(1)
                got = client.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                pass
            break
        assert wire.status(got) in {0, 408}  # nginx closes without a word, or says why
        assert int(seconds) - 1 <= time.monotonic() - began_s <= int(seconds) + 3


def test_one_client_has_only_so_many_requests_at_a_time(proxy: Proxy) -> None:
    (most,) = re.findall(r"limit_conn per_client (\d+)", CONFIGURATION)
    with proxy.client() as client, ExitStack() as streams:
        events = f"{upload(client, unique())}/events"
        head = f"GET {events} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n\r\n".encode()
        # The connection of the upload is idle, and does not count.
        for _ in range(int(most)):
            stream = streams.enter_context(proxy.connect())
            stream.sendall(head)
            assert wire.status(stream.recv(4096)) == 200
        with proxy.connect() as one_more:
            one_more.sendall(head)
            assert wire.status(wire.answer(one_more, 5)) == 503
        assert client.get("/healthz").status_code == 503
    with proxy.client() as client:
        wait_for(lambda: client.get("/healthz").status_code == 200)
