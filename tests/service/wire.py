"""HTTP as bytes: what a client library would never send."""

import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

BOUNDARY = "frontier"


def part(name: str, value: bytes, more: str = "") -> bytes:
    """One part of a form."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def head(api: str, length: int | None, *more: str, path: str = "/ingest") -> bytes:
    """The head of an upload."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {urlsplit(api).netloc}", *more]
    if not any(line.lower().startswith("content-type") for line in more):
        lines.append(f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode()


def open_socket(api: str) -> socket.socket:
    """A connection."""
    port = urlsplit(api).port
    assert port
    return socket.create_connection(("127.0.0.1", port), 20)


def answer(client: socket.socket, seconds: float = 20.0) -> bytes:
    """The answer, until the server closes or the head and a problem have come."""
    client.settimeout(seconds)
    got, deadline = b"", time.monotonic() + seconds
    with suppress(TimeoutError, ConnectionResetError):
        while time.monotonic() < deadline and (piece := client.recv(65536)):
            got += piece
            if b"\r\n\r\n" in got and got.rstrip().endswith(b"}"):
                break
    return got


def status(got: bytes) -> int:
    """The status of an answer; 0 for none."""
    return int(got.split(b" ", 2)[1]) if got.startswith(b"HTTP/1.1 ") else 0


def exchange(api: str, sent: Iterable[bytes]) -> bytes:
    """Send pieces, as long as the server takes them, and read the answer."""
    with open_socket(api) as client:
        with suppress(OSError):
            for piece in sent:
                client.sendall(piece)
        return answer(client)
