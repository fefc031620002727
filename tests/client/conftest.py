"""A service that a test plays, on loopback, and both clients of it."""

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("httpx")

from pdfingest.client import AsyncClient, Client

from .stage import Stage


class Blocking:
    """`AsyncClient` with the manners of `Client`, so that one test holds for both."""

    def __init__(self, client: AsyncClient) -> None:
        self._client, self._runner = client, asyncio.Runner()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            made = getattr(self._client, name)(*args, **options)
            return self._each(made) if inspect.isasyncgen(made) else self._runner.run(made)

        return call

    def _each(self, found: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._runner.run(anext(found))
                except StopAsyncIteration:
                    return
        finally:
            self._runner.run(found.aclose())

    def end(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PDFINGEST_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


Connect = Callable[..., Any]


@pytest.fixture(params=["sync", "async"])
def connect(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Make a client of the stage; one for asyncio is as easy to call as the other."""
    made: list[Client | Blocking] = []

    def connect(url: str = stage.url, **options: Any) -> Any:
        options = {"patience_s": 10, **options}
        made.append(
            Client(url, **options)
            if request.param == "sync"
            else Blocking(AsyncClient(url, **options))
        )
        return made[-1]

    yield connect
    for client in made:
        if isinstance(client, Client):
            client.close()
        else:
            client.end()


@pytest.fixture
def client(connect: Connect) -> Any:
    return connect()
