"""How long a client may take to send the headers of a request, for which uvicorn has no limit.

    connection ─▶ a deadline ─▶ request: none ─▶ answered: a deadline again

Of uvicorn nothing is used but that its protocol is one of asyncio, and that a request has the
address of its client (ASGI, `scope["client"]`): by that the middleware finds the connection.
"""

import asyncio
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_Address: TypeAlias = tuple[Any, ...]
_HEADERS_S = 10.0
"""Seconds in which the headers of the first request must come."""
_NEXT_S = 15.0
"""Seconds after an answer in which those of the next must come."""
_connections: dict[_Address, asyncio.BaseTransport] = {}
"""The connections of this process, by the address of the client."""
_deadlines: dict[_Address, asyncio.TimerHandle] = {}
"""Those of them on which no request has come yet, or no further one."""


class ImpatientProtocol(H11Protocol):
    """A connection, for `uvicorn.run(http=…)`."""

    _client: _Address = ()

    def connection_made(self, transport: Any) -> None:
        """Wait for the headers of the first request."""
        super().connection_made(transport)
        self._client = tuple(transport.get_extra_info("peername") or ())[:2]  # IPv6 has four parts
        _connections[self._client] = transport
        _expect(self._client, _HEADERS_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        _relax(self._client)
        _connections.pop(self._client, None)
        super().connection_lost(exc)


class Patience:
    """ASGI middleware that says when a request has come, and when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and wait for the headers of the next."""
        client = tuple(scope.get("client") or ())
        _relax(client)
        try:
            await self._app(scope, receive, send)
        finally:
            if client in _connections:
                _expect(client, _NEXT_S)


def _expect(client: _Address, seconds: float) -> None:
    """Close a connection unless a request comes in time."""
    _relax(client)
    transport = _connections[client]
    _deadlines[client] = asyncio.get_running_loop().call_later(seconds, transport.close)


def _relax(client: _Address) -> None:
    if deadline := _deadlines.pop(client, None):
        deadline.cancel()
