"""The body of a request as it comes: bounded in bytes and in time.

Owns how much a client may send and how slowly. Does not own what the bytes mean: `upload` and
`intake` do.
"""

import time
from collections.abc import AsyncIterator

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from pdfingest.service.problems import Problem

PATIENCE_S = 30.0
"""Seconds for which a client may send nothing."""
_LEAST_BYTES_PER_S = 1024
"""What a client must send on average beyond that: a trickle would hold a connection for days."""


def too_large(most: int) -> Problem:
    """Make the problem of a body, or a file in it, that has more than `most` bytes."""
    return Problem(413, "too large", f"At most {most:,} bytes are taken.")


def check_headers(request: Request, most: int) -> None:
    """Refuse a body by what the headers say of it, before any of it is read.

    Raises:
        Problem: 413, the body is longer than `most` bytes; 415, it is compressed, so that its
            length says nothing.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Problem(415, "compressed", "Send the body as it is, without Content-Encoding.")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length) > most:
        raise too_large(most)


async def pieces(
    request: Request, most: int, patience_s: float = PATIENCE_S
) -> AsyncIterator[bytes]:
    """Read a body piece by piece.

    Args:
        request: the request, whose body is still to be read.
        most: bytes that the body may have.
        patience_s: seconds for which the client may send nothing.

    Raises:
        Problem: 400, the client went away; 408, it sends nothing, or a trickle; 413, it sends more
            than `most` bytes.
    """
    stream = aiter(request.stream())
    began_s, total = time.monotonic(), 0
    while True:
        try:
            with anyio.fail_after(patience_s):
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
        if time.monotonic() - began_s > patience_s + total / _LEAST_BYTES_PER_S:
            raise _too_slow()
        yield piece


def _too_slow() -> Problem:
    return Problem(408, "too slow", "The body did not come in time. Send it again.")


async def whole(request: Request, most: int) -> bytes:
    """Read a body of at most `most` bytes into memory; raises as `pieces`."""
    return b"".join([piece async for piece in pieces(request, most)])
