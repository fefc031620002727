"""A service on loopback: Redis, its own store, the API as a program of its own."""

import logging
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from conftest import wait_for

try:
    import httpx

    from pdfingest.service import queue
    from pdfingest.service.contents import result_key
    from pdfingest.service.embedded import find_program
    from pdfingest.service.settings import Settings, read_settings
    from pdfingest.service.store import Store, open_store
    from pdfingest.service.ticket import State, new_id
    from pdfingest.service.tickets import Tickets
except ModuleNotFoundError as error:
    pytest.skip(f"needs {error.name}", allow_module_level=True)

PDF = b"%PDF-1.4\n"
"""Enough of a PDF for an upload."""
PROGRAM = [sys.executable, "-m", "pdfingest"]
"""`pdfingest`."""


def settings_in(environment: Mapping[str, str]) -> Settings:
    """The settings as a program with this environment reads them."""
    with mock.patch.dict(os.environ, environment, clear=True):
        return read_settings()


def none_is_open(ticket_id: str) -> bool:
    """Say of every ticket that it has ended."""
    del ticket_id
    return False


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program that a test started."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    """Whether a server is ready."""
    assert process.poll() is None, "it ended"
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz").status_code == 200
    return False


class Buckets:
    """An emulator of S3; a test puts and sees its objects without any client that reads keys."""

    def __init__(self) -> None:
        backends: Any = pytest.importorskip("moto.s3.models").s3_backends
        self._s3 = backends["123456789012"]["aws"]
        self._made = 0

    def make(self) -> str:
        """Make a bucket; gives its name."""
        self._made += 1
        name = f"bucket-{self._made}"
        self._s3.create_bucket(name, "us-east-1")
        return name

    def put(self, bucket: str, key: str, content: bytes = b"") -> None:
        """Put an object."""
        self._s3.put_object(bucket, key, content)

    def delete(self, bucket: str, key: str) -> None:
        """Delete an object."""
        self._s3.delete_object(bucket, key)

    def keys(self, bucket: str) -> list[str]:
        """All keys of a bucket."""
        return list(self._s3.get_bucket(bucket).keys)


@pytest.fixture(scope="session")
def buckets() -> Iterator[Buckets]:
    """S3, for this process and those that it starts."""
    pytest.importorskip("obstore")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it has a line for each request
    host, port = server.get_host_and_port()
    given = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        yield Buckets()
    server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that keeps nothing."""
    program = find_program()
    port, folder = free_port(), tmp_path_factory.mktemp("redis")
    options = {"port": port, "bind": "127.0.0.1", "dir": folder, "save": "", "appendonly": "no"}
    command = [program, *(word for k, v in options.items() for word in (f"--{k}", str(v)))]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def is_up() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    wait_for(is_up)
    yield f"redis://127.0.0.1:{port}/0"
    stop(process)


@pytest.fixture(scope="module")
def service_environment(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of all parts of a service; with nothing in its queue, and a new store."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PDFINGEST_")}
    environment = {
        **kept,
        "PDFINGEST_REDIS_URL": redis_url,
        "PDFINGEST_STORE": str(tmp_path_factory.mktemp("service") / "store"),
        "PDFINGEST_RATE": "1000000",
        "PDFINGEST_LANES": "1",
    }
    with queue.connect(settings_in(environment)).client as client:
        client.flushdb()
    return environment


@pytest.fixture(scope="module")
def settings(service_environment: dict[str, str]) -> Settings:
    """As all parts read them."""
    return settings_in(service_environment)


@pytest.fixture(scope="module")
def tickets(settings: Settings) -> Iterator[Tickets]:
    """All tickets of the service."""
    tickets = queue.connect(settings)
    yield tickets
    tickets.client.close()


@pytest.fixture(scope="module")
def store(settings: Settings) -> Store:
    """The store of the service."""
    return open_store(settings.store)


class Serve:
    """Starts APIs, each once for the same settings: `serve(MAX_UPLOAD="1M")` is its URL."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._urls: dict[frozenset[tuple[str, str]], str] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        """By URL."""

    def __call__(self, **more: str) -> str:
        key = frozenset(more.items())
        if key not in self._urls:
            port = free_port()
            process = subprocess.Popen(
                [*PROGRAM, "serve", "--port", str(port)],
                env={**self._environment, **{f"PDFINGEST_{k}": v for k, v in more.items()}},
            )
            self._urls[key] = url = f"http://127.0.0.1:{port}"
            self.processes[url] = process
            wait_for(lambda: answers(url, process))
        return self._urls[key]


@pytest.fixture(scope="module")
def serve(service_environment: dict[str, str]) -> Iterator[Serve]:
    serve = Serve(service_environment)
    yield serve
    for process in serve.processes.values():
        stop(process)


@pytest.fixture(scope="module")
def api(serve: Serve) -> str:
    """URL of an API without keys."""
    return serve()


@pytest.fixture
def scratch(store: Store) -> Path:
    """Where uploads are while they come."""
    return Path(store.scratch)


def unique(size: int = 0) -> bytes:
    """A file that no other test has sent."""
    return PDF + new_id().encode() + bytes(size)


def send(
    api: str,
    content: bytes | None = None,
    *,
    name: str = "a.pdf",
    headers: Mapping[str, str] | None = None,
    **fields: Any,
) -> httpx.Response:
    """Upload a file, with these fields beside it."""
    files = {"file": (name, unique() if content is None else content)}
    return httpx.post(f"{api}/ingest", files=files, data=fields, headers=headers, timeout=60)


def end(
    tickets: Tickets,
    store: Store,
    link: str,
    state: State = State.DONE,
    *,
    failure: str = "",
    records: bytes = b'{"text":"one","metadata":{"page":1}}\n',
) -> str:
    """Do what a worker does at the end of a ticket; gives its id."""
    ticket_id = link.rpartition("/")[2]
    assert tickets.claim(ticket_id, "token", 30, 3)[0] == "claimed"
    if state is State.DONE:
        path = os.path.join(store.scratch, new_id())
        Path(path).write_bytes(records)
        store.put(result_key(ticket_id), path)
    ticket = tickets.get(ticket_id)
    assert ticket
    report = {
        "source": ticket.name,
        "sha256": ticket.sha256,
        "pages": 2,
        "wall_s": 0.25,
        "failure": failure,
        "message": "",
        "status": "failed" if failure else "ok",
        "peak_rss_bytes": 40 << 20,
    }
    assert tickets.finish(ticket_id, "token", state, report)
    return ticket_id
