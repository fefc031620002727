"""Connections for the client of asyncio: does the steps of flows while other tasks go on.

Owns the `httpx.AsyncClient`. Does not own what is sent when: `flows` does.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from typing import TypeVar, cast

import httpx

from pdfingest.client import calls, flows
from pdfingest.client.calls import Call
from pdfingest.client.errors import ClientError
from pdfingest.client.flows import Flow, Follow, Outcome, Pause, Send
from pdfingest.client.jobs import Job
from pdfingest.client.lines import Events

T = TypeVar("T")


class AsyncConnection:
    """Connections to a service.

    Args:
        url: base URL of the service; see `calls.service_url`.
        api_key: the key; see `calls.service_headers`.
        timeout_s: seconds of silence after which a try is given up.
        transport: how requests are sent; None for sockets.
    """

    def __init__(
        self, url: str, api_key: str, timeout_s: float, transport: httpx.AsyncBaseTransport | None
    ) -> None:
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            base_url=calls.service_url(url),
            headers=calls.service_headers(api_key),
            timeout=timeout_s,
            transport=transport,
            limits=httpx.Limits(max_connections=None),  # callers choose how much they do at a time
            trust_env=False,  # no variable of a proxy or of certificates changes where a key goes
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def run(self, flow: Flow[T]) -> T:
        """Do the steps of a flow; returns what the flow returns."""
        outcome: Outcome = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as end:
                return cast("T", end.value)
            match step:
                case Send(call):
                    outcome = await self._send(call)
                case Follow():
                    outcome = await self._follow(step)
                case Pause(seconds):
                    await asyncio.sleep(seconds)
                    outcome = None

    async def pieces(self, call: Call, patience_s: float) -> AsyncGenerator[bytes, None]:
        """Yield the body of a good answer as it comes.

        Raises:
            NotReachable: the connection broke; not all of it has come.
        """
        async with aclosing(await self.run(flows.answered(call, patience_s))) as answer:
            try:
                async for piece in answer.aiter_bytes():
                    yield piece
            except httpx.RequestError as error:
                raise calls.not_reachable(error, call) from error

    async def _send(self, call: Call) -> httpx.Response | httpx.RequestError:
        try:
            answer = await self._http.send(self._request(call), stream=True)
            if not (call.streamed and answer.is_success):
                async with aclosing(answer):
                    await answer.aread()
        except httpx.RequestError as error:
            return error
        return answer

    async def _follow(self, step: Follow) -> Job | None:
        """Read events of a job; a stream that breaks is one that ended."""
        events, job = Events(), None
        request = self._request(step.call, step.deadline.left_s())
        # A `ValueError` is an event that a proxy has cut.
        with suppress(httpx.RequestError, ValueError, ClientError):
            answer = await self._http.send(request, stream=True)
            async with aclosing(answer):
                if answer.is_success:
                    async for piece in answer.aiter_bytes():
                        for job in events.feed(piece):  # noqa: B007 - the last one is the outcome
                            pass
                        if not step.goes_on(job):
                            break
        return job

    def _request(self, call: Call, most_s: float = math.inf) -> httpx.Request:
        """Make a request that gives up after `most_s` seconds of silence, if not before."""
        read_s = min(self._timeout_s + call.wait_s, most_s)
        return self._http.build_request(
            call.method,
            call.path,
            params=call.params,
            headers=call.headers,
            json=call.json,
            content=_in_threads(call.form.pieces()) if call.form else None,
            timeout=httpx.Timeout(self._timeout_s, read=read_s),
        )


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield what an iterator yields, which reads a disk, without holding up other tasks."""
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
