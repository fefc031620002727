"""The stack of examples/deploy in containers, for whoever has docker or podman.

`nox -s containers` runs these tests. Elsewhere they skip: they build an image, which takes minutes.
"""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from conftest import wait_for

from .engine import Engine, Stack, find_engine

try:
    import httpx
except ModuleNotFoundError as error:
    pytest.skip(f"needs {error.name}", allow_module_level=True)  # nox -s containers installs it


@pytest.fixture(scope="session")
def engine() -> Engine:
    """The engine, with the image built."""
    if "PDFINGEST_TEST_CONTAINERS" not in os.environ:
        pytest.skip("nox -s containers runs it")  # it builds images, which takes minutes
    found = find_engine()
    if found is None:
        pytest.skip("needs docker or podman, with Compose")  # nothing else runs the images
    return Engine(*found)


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(url: str) -> bool:
    """Whether an API is ready."""
    with suppress(httpx.TransportError):
        return bool(httpx.get(f"{url}/readyz", timeout=5).status_code == 200)
    return False


@pytest.fixture(scope="session")
def image(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The image, built as `docker compose up --build` does."""
    stack = Stack(engine, "pdfingest-build", 0, tmp_path_factory.mktemp("build"))
    stack.configure()
    stack.compose("build", "api")


@pytest.fixture
def stack(engine: Engine, image: None, tmp_path: Path) -> Iterator[Stack]:  # noqa: ARG001 - built
    """A stack that a test starts, by `configure` and `up`; it has no volumes of others."""
    project = f"pdfingest-{uuid.uuid4().hex[:8]}"
    stack = Stack(engine, project, free_port(), tmp_path)
    (tmp_path / "pdfs").mkdir()
    tmp_path.chmod(0o755)
    stack.configure()
    yield stack
    for container in stack.containers():
        print(container, stack.engine.logs(container)[-2000:])
    stack.down()


class Client:
    """Somebody who sends files."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def send(self, name: str, content: bytes) -> str:
        """Upload a file; returns the path of its job."""
        answer = self.http.post("/ingest", files={"file": (name, content)})
        assert answer.status_code in {200, 202}, answer.text
        return str(answer.json()["links"]["self"])

    def job(self, path: str) -> dict[str, Any]:
        """The document of a job."""
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def state(self, path: str) -> str:
        """The state of a job."""
        return str(self.job(path)["state"])

    def ended(self, path: str, seconds: float = 60.0) -> dict[str, Any]:
        """The document of a job, once it has ended."""
        wait_for(lambda: self.state(path) not in {"queued", "running"}, seconds)
        return self.job(path)

    def text(self, path: str) -> str:
        """What a path answers."""
        return str(self.http.get(path).text)


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    """A client of the stack, which need not run yet."""
    with httpx.Client(base_url=stack.url, timeout=60) as http:
        yield Client(http)


def start(stack: Stack, workers: int = 1) -> None:
    """Start a stack, and wait for its API."""
    stack.up(workers)
    wait_for(lambda: answers(stack.url), 90)
