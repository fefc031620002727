"""Uploads of clients that are careless, slow or hostile: bounded, answered, nothing left behind."""

import asyncio
import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Request

from conftest import wait_for
from pdfingest.service.body import pieces
from pdfingest.service.contents import MARK
from pdfingest.service.problems import Problem
from pdfingest.service.tickets import Tickets

from . import wire
from .conftest import PDF, Serve, send, unique

pytestmark = pytest.mark.service
MIB = 1 << 20


@pytest.fixture(autouse=True)
def nothing_left(scratch: Path) -> Iterator[None]:
    yield
    wait_for(lambda: not list(scratch.iterdir()), 5)


def upload(api: str, *parts: bytes, more: tuple[str, ...] = ()) -> bytes:
    sent = wire.form(*parts)
    return wire.exchange(api, [wire.head(api, len(sent), *more), sent])


NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\\\windows\\\\a.pdf": "a.pdf",
    "..": "upload.pdf",
    "": "upload.pdf",
    "a\x07\x1b[31m.pdf": "a��[31m.pdf",
    "fdp.\u202eexe": "fdp.\\u202eexe",
    "ünï.pdf": "ünï.pdf",
    "<img src=x onerror=alert(1)>.pdf": "<img src=x onerror=alert(1)>.pdf",
}


@pytest.mark.parametrize(("given", "shown"), NAMES.items())
def test_the_name_of_a_file_is_shown_and_never_part_of_a_path(
    api: str, given: str, shown: str, scratch: Path
) -> None:
    sent = wire.part("file", unique(), f'; filename="{given}"')
    got = upload(api, sent)
    assert wire.status(got) == 202, got
    assert httpx.Response(202, content=got.partition(b"\r\n\r\n")[2]).json()["name"] == shown
    names = {path.name for path in scratch.parent.rglob("*") if path.is_file()} - {MARK}
    assert all(len(name) == 36 and name.endswith(".pdf") for name in names)


def test_a_long_name_is_cut(api: str) -> None:
    ticket = send(api, name=f"{'x' * 3000}.pdf").json()
    assert len(ticket["name"]) == 255
    assert ticket["name"].endswith("x.pdf")
    assert send(api, name=f"{'x' * 5000}.pdf").status_code == 400


@pytest.mark.parametrize("content", [b"", b"PK\3\4" + bytes(5000), bytes(1020) + PDF])
def test_a_file_that_is_not_a_pdf_is_refused(api: str, content: bytes, tickets: Tickets) -> None:
    waiting = tickets.queued()
    answer = send(api, content)
    assert (answer.status_code, answer.json()["title"]) == (415, "not a PDF")
    assert tickets.queued() == waiting


def test_a_pdf_may_begin_anywhere_in_its_first_kib(api: str) -> None:
    assert send(api, bytes(1019) + unique()).status_code == 202


def test_a_file_that_is_too_large_is_refused_by_its_length_before_it_is_read(serve: Serve) -> None:
    api = serve(MAX_UPLOAD="1M")
    assert send(api, unique(MIB - 100)).status_code == 202
    assert send(api, unique(MIB)).status_code == 413
    assert wire.status(wire.exchange(api, [wire.head(api, 10**12)])) == 413


def test_a_file_that_is_too_large_is_refused_while_it_is_read(serve: Serve) -> None:
    api = serve(MAX_UPLOAD="1M")

    def sent() -> Iterator[bytes]:
        yield wire.head(api, None)
        for piece in (wire.part("file", PDF)[:-2], *[bytes(MIB)] * 200):
            yield b"%x\r\n%b\r\n" % (len(piece), piece)

    assert wire.status(wire.exchange(api, sent())) == 413


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_compressed_body_is_refused(api: str, coding: str) -> None:
    packed = gzip.compress(wire.form(wire.part("file", PDF + bytes(MIB))))
    head = wire.head(api, len(packed), f"Content-Encoding: {coding}")
    assert wire.status(wire.exchange(api, [head, packed])) == 415


FORMS = {
    "no boundary": (400, ["Content-Type: multipart/form-data"], wire.form(wire.part("file", PDF))),
    "no form": (415, ["Content-Type: application/pdf"], PDF),
    "no end": (400, [], wire.part("file", PDF)),
    "no parts": (400, [], b""),
    "empty form": (422, [], wire.form()),
    "another boundary": (400, [], wire.form(wire.part("file", PDF)).replace(b"frontier", b"other")),
    "no file": (422, [], wire.form(wire.part("unit", b"page"))),
    "unknown field": (422, [], wire.form(wire.part("file", PDF), wire.part("x", b""))),
    "unit twice": (422, [], wire.form(wire.part("file", PDF), *[wire.part("unit", b"page")] * 2)),
    "no unit": (422, [], wire.form(wire.part("unit", b"word"), wire.part("file", PDF))),
    "no engine": (422, [], wire.form(wire.part("engine", b"nix"), wire.part("file", PDF))),
    "engines": (422, [], wire.form(wire.part("engine", b"auto," * 30), wire.part("file", PDF))),
    "not UTF-8": (422, [], wire.form(wire.part("password", b"\xff"), wire.part("file", PDF))),
    "long field": (413, [], wire.form(wire.part("password", bytes(70_000)))),
    "long header": (400, [], wire.form(wire.part("file", PDF, f'; x="{"y" * 5000}"'))),
    "many headers": (400, [], wire.form(wire.part("file", PDF, "\r\nX: y" * 100))),
    "nameless part": (400, [], wire.form(wire.part("file", PDF).replace(b"form-data", b"x"))),
    "10,000 parts": (413, [], wire.form(*[wire.part("password", b"x")] * 10_000)),
}


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_that_does_not_fit_is_refused(api: str, kind: str) -> None:
    expected, more, sent = FORMS[kind]
    got = wire.exchange(api, [wire.head(api, len(sent), *more), sent])
    assert wire.status(got) == expected, got
    assert b"\r\ncontent-type: application/problem+json\r\n" in got.lower()


def test_huge_headers_are_refused(api: str) -> None:
    for sent in (
        wire.head(api, 0, f"X-Long: {'x' * 100_000}"),
        wire.head(api, 0, *[f"X-{number}: {'y' * 50}" for number in range(5000)]),
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ):
        assert wire.status(wire.exchange(api, [sent])) in {0, 400}
    assert httpx.get(f"{api}/healthz").status_code == 200


def test_what_is_not_http_is_refused(api: str) -> None:
    assert wire.status(wire.exchange(api, [b"\x16\x03\x01 no HTTP\r\n\r\n"])) == 400


@pytest.mark.parametrize("path", ["/healthz", "/ingest"])
def test_a_length_and_chunks_do_not_go_together(api: str, path: str) -> None:
    smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = wire.head(api, None, f"Content-Length: {len(smuggled)}", path=path)
    with wire.open_socket(api) as client:
        client.sendall(head + smuggled)
        client.settimeout(20)
        got = b""
        while piece := client.recv(65536):  # until the server closes
            got += piece
    assert wire.status(got) == 400
    assert got.count(b"HTTP/1.1 ") == 1, "what follows is no request"


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "9" * 100, "10, 20", "0x10"])
def test_a_content_length_that_is_not_a_number_is_refused(api: str, length: str) -> None:
    head = wire.head(api, 0).replace(b"Content-Length: 0", f"Content-Length: {length}".encode())
    assert wire.status(wire.exchange(api, [head])) in {400, 413}


def test_a_body_shorter_than_its_length_leaves_nothing(
    api: str, tickets: Tickets, scratch: Path
) -> None:
    waiting = tickets.queued()
    with wire.open_socket(api) as client:
        client.sendall(wire.head(api, 50 * MIB) + wire.part("file", PDF + bytes(2 * MIB)))
        wait_for(lambda: list(scratch.iterdir()))
    wait_for(lambda: not list(scratch.iterdir()), 5)
    assert tickets.queued() == waiting


def test_what_follows_a_body_is_not_taken_for_a_second_request(api: str) -> None:
    sent = wire.form(wire.part("file", unique()))
    got = wire.exchange(api, [wire.head(api, len(sent) - 30), sent])
    assert wire.status(got) == 400


def test_a_refused_client_that_goes_on_sending_gets_its_answer_and_then_the_end(api: str) -> None:
    began_s, sent_bytes = time.monotonic(), 0
    with wire.open_socket(api) as client:
        client.sendall(wire.head(api, 10**9, "Content-Type: text/plain"))
        try:
            while True:
                sent_bytes += client.send(bytes(MIB))
        except OSError:
            pass
    assert sent_bytes < 200 * MIB
    assert time.monotonic() - began_s < 15


def test_a_client_that_waits_to_be_asked_is_refused_without_being_asked(api: str) -> None:
    more = ("Expect: 100-continue", "Content-Type: text/plain")
    assert wire.status(wire.exchange(api, [wire.head(api, 10**6, *more)])) == 415
    sent = wire.form(wire.part("file", unique()))
    with wire.open_socket(api) as client:
        client.sendall(wire.head(api, len(sent), more[0]))
        assert client.recv(1000).startswith(b"HTTP/1.1 100")
        client.sendall(sent)
        assert wire.status(wire.answer(client)) == 202


def test_a_full_queue_and_too_many_files_of_a_key_are_told_when_to_come_again(serve: Serve) -> None:
    full = serve(MAX_QUEUE="0")
    assert wire.status(got := wire.exchange(full, [wire.head(full, 10**6)])) == 503
    assert b"\r\nretry-after: 10\r\n" in got.lower()
    quick = serve(RATE="1")
    answers = [send(quick) for _ in range(3)]
    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def refused(*sent: bytes, pause_s: float = 0.0) -> int:
    """The status for a client that sends these pieces, and then nothing for ever."""
    rest = list(sent)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause_s if rest else 3600)
        return {"type": "http.request", "body": rest.pop(0), "more_body": True}

    async def read() -> None:
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        async for _ in pieces(request, MIB, patience_s=0.3):
            pass

    with pytest.raises(Problem) as refusal:
        asyncio.run(read())
    return refusal.value.status


def test_a_client_that_falls_silent_is_given_up() -> None:
    assert refused(PDF, bytes(1000)) == 408


def test_a_client_that_sends_a_trickle_is_given_up() -> None:
    assert refused(*[b"x"] * 100, pause_s=0.05) == 408


def test_a_connection_without_a_request_is_given_up(api: str) -> None:
    with wire.open_socket(api) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert client.recv(100) == b""


def test_a_second_request_without_an_end_is_given_up(api: str) -> None:
    with wire.open_socket(api) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert wire.status(wire.answer(client)) == 200
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: ")
        assert client.recv(100) == b""
