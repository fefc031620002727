"""What every answer passes: headers that browsers heed, and an end that reaches the client.

A server that refuses a body and closes at once resets the connection, and with it the answer that
is still on its way. So the answer goes out, and what still comes is read and dropped for a moment
(lingering close; RFC 9112, 9.6). A client that sends on and on costs no more than that moment.
"""

from collections.abc import Mapping

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LINGER_S = 5.0
_LINGER_IDLE_S = 1.0
"""Seconds of silence after which nothing more is expected."""
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
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; runs in the event loop, as all of this module."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        await self._app(scope, exchange.receive, exchange.send)


class _Exchange:
    """One request and its answer, between the server and the application."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._waits = headers.get("expect", "").lower() == "100-continue"
        self._unread, self._begun = has_body, False
        self._receive, self._send = receive, send

    async def receive(self) -> Message:
        """Pass a part of the body to the application."""
        self._begun = True
        message = await self._receive()
        if not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        """Pass a part of the answer to the client, and linger before the last."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._unread:  # what is left of the body must not be read as the next request
                headers["Connection"] = "close"
        elif self._unread and not message.get("more_body", False):
            await self._linger(message)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self, last: Message) -> None:
        """Send the last part of an answer, and read for a moment what the client still sends."""
        await self._send({**last, "more_body": True})
        if self._waits and not self._begun:
            return  # a client that waits to be asked for the body has sent none, and will not
        left = _LINGER_BYTES
        with anyio.move_on_after(_LINGER_S):
            while left > 0 and self._unread:
                with anyio.move_on_after(_LINGER_IDLE_S) as idle:
                    left -= len((await self.receive()).get("body", b""))
                if idle.cancelled_caught:
                    return
