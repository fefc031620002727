"""What every answer passes: headers that browsers heed, HEAD, a log line, and an end that arrives.

A server that refuses a body and closes at once resets the connection, and with it the answer that
is still on its way. So the answer goes out, and what still comes is read and dropped for a moment
(lingering close; RFC 9112, 9.6). A client that sends on and on costs no more than that moment.

A request that has both `Content-Length` and `Transfer-Encoding` is refused: a proxy in front may
believe the one, and the server the other, and what is the body of the one is the next request of
the other (RFC 9112, 6.1).
"""

import logging
import re
import time
import uuid
from collections.abc import Mapping

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pdfingest.service.problems import Problem

_LINGER_S = 5.0
_LINGER_IDLE_S = 1.0
"""Seconds of silence after which nothing more is expected."""
_LINGER_BYTES = 64 << 20
_REQUEST_ID = "X-Request-ID"
_GIVEN_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_PROBES = ("/healthz", "/readyz")
"""Paths that are asked for all day; they are logged where they fail."""
_FIRST_FAILURE = 400
_log = logging.getLogger("pdfingest.access")

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
        headers = Headers(scope=scope)
        app: ASGIApp = self._app
        if "content-length" in headers and "transfer-encoding" in headers:
            detail = "Content-Length and Transfer-Encoding do not go together."
            app = Problem(400, "Bad Request", detail).answer()
            exchange.ends_connection = True
        try:
            if scope["method"] == "HEAD":  # as GET, without the content (RFC 9110, 9.3.2)
                await _answer_head(app, scope, exchange)
            else:
                await app(scope, exchange.receive, exchange.send)
        finally:
            exchange.log()


async def _answer_head(app: ASGIApp, scope: Scope, exchange: "_Exchange") -> None:
    """Answer as if it were GET, and stop where the content would begin."""
    is_over = False

    async def receive() -> Message:
        if is_over:
            return {"type": "http.disconnect"}
        return await exchange.receive()

    async def send(message: Message) -> None:
        nonlocal is_over
        if is_over:
            raise OSError("HEAD has no content")  # ends a stream, as a client does that goes away
        if message["type"] == "http.response.body":
            is_over = True
            message = {"type": "http.response.body", "body": b""}
        await exchange.send(message)

    try:
        await app({**scope, "method": "GET"}, receive, send)
    except (ClientDisconnect, OSError):
        if not is_over:
            raise


class _Exchange:
    """One request and its answer, between the server and the application."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._waits = headers.get("expect", "").lower() == "100-continue"
        self._unread, self._begun = has_body, False
        self._scope, self._receive, self._send = scope, receive, send
        given = headers.get(_REQUEST_ID, "")
        self._id = given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        self._status, self._began_s = 0, time.monotonic()
        self.ends_connection = False
        """Whether nothing that follows on the connection may be taken for a request."""

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
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            headers[_REQUEST_ID] = self._id
            # What is left of the body must not be read as the next request.
            if self._unread or self.ends_connection:
                headers["Connection"] = "close"
        elif self._unread and not message.get("more_body", False):
            await self._linger(message)
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    def log(self) -> None:
        """Log the request, without its query, as that may hold what is nobody's business."""
        is_probe = self._scope["path"].endswith(_PROBES) and self._status < _FIRST_FAILURE
        _log.log(
            logging.DEBUG if is_probe else logging.INFO,
            "request",
            extra={
                "fields": {
                    "method": self._scope["method"],
                    "path": self._scope["path"],
                    "status": self._status,
                    "ms": round(1000 * (time.monotonic() - self._began_s), 1),
                    "owner": self._scope.get("state", {}).get("owner", ""),
                    "request_id": self._id,
                }
            },
        )

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
