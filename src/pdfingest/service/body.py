"""The body of a request as it comes: bounded in bytes and in time."""

import time
from collections.abc import AsyncIterator

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from pdfingest.service.problems import Problem

PATIENCE_S = 30.0
"""How long a client may send nothing."""
_LEAST_BYTES_PER_S = 1024
"""What it must send beyond that, on the average: a trickle would hold a connection for days."""


def too_large(most: int) -> Problem:
    """The body, or the file in it, has more bytes than it may have."""
    return Problem(413, "too large", f"At most {most:,} bytes are taken.")


def check_headers(request: Request, most: int) -> None:
    """Refuse a body by what the headers say of it.

    Raises:
        Problem: 413, it is too long; 415, it is compressed.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Problem(415, "compressed", "Send the body as it is, without Content-Encoding.")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most:
        raise too_large(most)


async def pieces(request: Request, most: int) -> AsyncIterator[bytes]:
    """The body, piece by piece.

    Raises:
        Problem: 400, the client went away; 408, it sends nothing, or a trickle; 413, too much.
    """
    stream = aiter(request.stream())
    began_s, total = time.monotonic(), 0
    while True:
        try:
            with anyio.fail_after(PATIENCE_S):
                piece = await anext(stream)
        except StopAsyncIteration:
            return
        except ClientDisconnect:
            raise Problem(400, "incomplete", "The body ended before its end.") from None
        except TimeoutError:
            raise _too_slow() from None
        total += len(piece)
        if total > most:
            raise too_large(most)
        if time.monotonic() - began_s > PATIENCE_S + total / _LEAST_BYTES_PER_S:
            raise _too_slow()
        yield piece


def _too_slow() -> Problem:
    """The client keeps us waiting."""
    return Problem(408, "too slow", "The body did not come in time. Send it again.")


async def whole(request: Request, most: int) -> bytes:
    """A small body.

    Raises:
        Problem: as `pieces`.
    """
    body = bytearray()
    async for piece in pieces(request, most):
        body += piece
    return bytes(body)
