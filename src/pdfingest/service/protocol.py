"""HTTP/1.1 as uvicorn speaks it, and what it leaves open: problem documents and slow headers."""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pdfingest.service.problems import MEDIA_TYPE, Problem

_HEADERS_S = 10.0
"""How long the headers of a request may take to come; uvicorn would wait for ever."""


class Protocol(H11Protocol):
    """One connection."""

    _deadline: asyncio.TimerHandle | None = None
    _served: object = None
    """The last request that was answered."""

    def connection_made(self, transport: Any) -> None:
        """Give it time for its headers; one too many is told so, once it has sent them."""
        super().connection_made(transport)
        if self.limit_concurrency and len(self.connections) > self.limit_concurrency:
            full = Problem(503, "busy", "Too many connections.", {"Retry-After": "5"})
            self.app = full.answer()
        self.limit_concurrency = None  # uvicorn itself would answer with plain text
        self._expect(_HEADERS_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Give it time for the next request."""
        self._served = self._current()
        super().on_response_complete()
        self._expect(_HEADERS_S + self.timeout_keep_alive)

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with a request that is none."""
        self._refuse(Problem(400, "Bad Request", "This is no HTTP/1.1 that can be understood."))

    def _expect(self, seconds: float) -> None:
        """Have a request begin within so long."""
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._out_of_time)

    def _out_of_time(self) -> None:
        """See whether one has begun."""
        if self._current() is self._served and not self.transport.is_closing():
            self._refuse(Problem(408, "Request Timeout", "No request came."))

    def _current(self) -> object:
        """The request that is being answered or was the last; None before the first."""
        return getattr(self, "cycle", None)

    def _refuse(self, problem: Problem) -> None:
        """Answer, unless another answer is on its way, and end."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            body = json.dumps(problem.document).encode()
            headers = [
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            answer = h11.Response(status_code=problem.status, headers=headers, reason=problem.title)
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
