"""Uploads that are large, connections that are many, a disk that is full, an API that is killed."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest

from conftest import wait_for
from pdfingest.service.store import Store
from pdfingest.service.tickets import Tickets

from . import wire
from .conftest import PDF, Serve, none_is_open, send, unique

pytestmark = [pytest.mark.service, pytest.mark.slow]
MIB = 1 << 20


@pytest.fixture(autouse=True)
def nothing_left(scratch: Path) -> Iterator[None]:
    yield
    wait_for(lambda: not list(scratch.iterdir()), 5)


def test_one_connection_too_many_is_refused_as_long_as_there_are_too_many(serve: Serve) -> None:
    api, ask = serve(MAX_UPLOAD="2M"), b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ExitStack() as stack:
        held = [stack.enter_context(wire.open_socket(api)) for _ in range(1000)]
        late = stack.enter_context(wire.open_socket(api))
        late.sendall(ask)
        got = b""
        while piece := late.recv(65536):  # to the end: it is not kept to be refused for ever
            got += piece
        assert wire.status(got) == 503
        for client in held:
            client.close()
        wait_for(lambda: httpx.get(f"{api}/healthz").status_code == 200)


def test_an_api_that_is_killed_leaves_no_ticket_and_only_what_expires(
    serve: Serve, tickets: Tickets, scratch: Path, store: Store
) -> None:
    api, waiting = serve(MAX_UPLOAD="63M"), tickets.queued()
    with wire.open_socket(api) as client:
        client.sendall(wire.head(api, 50 * MIB) + wire.part("file", PDF + bytes(2 * MIB)))
        wait_for(lambda: list(scratch.iterdir()))
        process = serve.processes[api]
        process.kill()
        process.wait()
    assert tickets.queued() == waiting
    assert store.expire(0, none_is_open) > 0


def test_a_full_disk_is_answered_with_507_and_what_fits_is_taken(serve: Serve) -> None:
    api = serve(MAX_UPLOAD="64M")
    process = psutil.Process(serve.processes[api].pid)
    process.rlimit(psutil.RLIMIT_FSIZE, (4 * MIB, 4 * MIB))  # writes fail as on a full disk
    assert send(api, unique(8 * MIB)).status_code == 507
    assert send(api, unique(MIB)).status_code == 202


def test_a_large_upload_costs_the_api_little_memory(serve: Serve) -> None:
    api = serve(MAX_UPLOAD="400M")
    send(api)
    process = psutil.Process(serve.processes[api].pid)
    process_status = Path(f"/proc/{process.pid}/status")

    def peak() -> int:
        line = next(x for x in process_status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) << 10

    before = peak()
    total = 300 * MIB

    def sent() -> Iterator[bytes]:
        first = wire.part("file", unique())[:-2]
        length = len(first) + total + len(wire.form()) + 2
        yield wire.head(api, length)
        yield first
        for _ in range(300):
            yield bytes(MIB)
        yield b"\r\n" + wire.form()

    began_s = time.monotonic()
    assert wire.status(wire.exchange(api, sent())) == 202
    grown = peak() - before
    print(f"300 MiB in {time.monotonic() - began_s:.1f} s, RSS up by {grown / MIB:.1f} MiB")
    assert grown < 20 * MIB
