"""What every answer passes: headers that browsers heed, and an end that reaches the client.

A server that refuses a body and closes at once resets the connection, and with it the answer that
is still on its way. So the answer goes out, and what still comes is thrown away for a moment
(lingering close; RFC 9112, 9.6). A client that sends on and on costs no more than that moment.
"""

from collections.abc import Mapping
from typing import Any

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LINGER_S = 5.0
_LINGER_IDLE_S = 1.0
_LINGER_BYTES = 64 << 20

_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class Edge:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._waits = headers.get("expect", "").lower() == "100-continue"
        self._unread, self._begun = has_body, False
        self._receive, self._send = receive, send

    async def receive(self) -> Message:
        """A part of the body, on its way to the application."""
        self._begun = True
        message = await self._receive()
        if not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer, on its way to the client."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._unread:
                headers["Connection"] = "close"
        elif self._unread and not message.get("more_body", False):
            await self._linger(message)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self, last: dict[str, Any] | Message) -> None:
        """Send the last part, and read for a moment what nobody wants."""
        await self._send({**last, "more_body": True})
        left = _LINGER_BYTES
        if self._waits and not self._begun:
            return  # the client has not sent anything, and will not
        with anyio.move_on_after(_LINGER_S):
            while left > 0 and self._unread:
                with anyio.move_on_after(_LINGER_IDLE_S) as idle:
                    left -= len((await self.receive()).get("body", b""))
                if idle.cancelled_caught:
                    return
