"""HTTP/1.1 as uvicorn speaks it, with what it leaves open: problem documents, and slow headers.

Uvicorn has no settings for these, so this subclasses its protocol and relies on names that it does
not document. Here is why, with the test in `tests/service` that fails if one of them moves:

    connections, limit_concurrency, app: refuse one connection too many with a problem document
        test_load.py::test_one_connection_too_many_is_told_so
    send_400_response, conn, transport: say what is wrong with bytes that are not HTTP
        test_uploads.py::test_what_is_not_http_gets_a_problem
    loop, cycle: give up a client that does not send whole headers
        test_uploads.py::test_a_connection_without_a_request_is_given_up
    on_response_complete, timeout_keep_alive: the same for its next request
        test_uploads.py::test_a_second_request_without_an_end_is_given_up
"""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from pdfingest.service.problems import MEDIA_TYPE, Problem

_HEADERS_S = 10.0
"""Seconds in which the headers of a request must come; uvicorn would wait for ever."""


class Protocol(H11Protocol):
    """One connection."""

    _deadline: asyncio.TimerHandle | None = None
    _served: object = None
    """The last request that was answered."""

    def connection_made(self, transport: Any) -> None:
        """Wait for the headers; they are answered with 503 if this is one connection too many."""
        super().connection_made(transport)
        if self.limit_concurrency and len(self.connections) > self.limit_concurrency:
            full = Problem(503, "busy", "Too many connections.", {"Retry-After": "5"})
            self.app = full.answer()
        self.limit_concurrency = None  # uvicorn itself would answer with plain text
        self._expect(_HEADERS_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Wait for the headers of the next request."""
        self._served = self.cycle  # before uvicorn begins a request that has come meanwhile
        super().on_response_complete()
        self._expect(_HEADERS_S + self.timeout_keep_alive)

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP."""
        self._refuse(Problem(400, "Bad Request", "This is not HTTP/1.1 that can be understood."))

    def _expect(self, seconds: float) -> None:
        """Give up the client unless it begins a request within `seconds`."""
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._out_of_time)

    def _out_of_time(self) -> None:
        """Give up the client if no request has begun since the last answer."""
        if self.cycle is self._served and not self.transport.is_closing():
            self._refuse(Problem(408, "Request Timeout", "No request came."))

    def _refuse(self, problem: Problem) -> None:
        """Close the connection, with an answer unless another is on its way."""
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
