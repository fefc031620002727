"""Streams: neither a file nor a result is ever in memory as a whole, and none is cut short."""

import json
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pdfingest.client import ClientError, NotReachable
from pdfingest.client.lines import Events, Lines

from .mishaps import hang_up
from .stage import Scene, Stage, done

LONG_BYTES = 24 << 20
FEW_BYTES = 6 << 20
"""More than the pieces that both sides have in hand, and much less than a file."""


def pieces(line: bytes) -> Iterator[bytes]:
    """A long result, made as it is sent."""
    for _ in range(LONG_BYTES // (len(line) * 64)):
        yield line * 64


def peak() -> int:
    return tracemalloc.get_traced_memory()[1]


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
def test_a_long_file_is_sent_in_pieces(client: Any, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "long.pdf"
    with open(path, "wb") as file:
        file.truncate(LONG_BYTES)
    client.submit(path)
    with open(path, "rb") as file:
        client.submit(file)
    assert [seen.size > LONG_BYTES for seen in stage.seen] == [True, True]
    assert peak() < FEW_BYTES


@pytest.mark.usefixtures("_traced")
def test_a_long_result_is_read_in_pieces(client: Any, stage: Stage, tmp_path: Path) -> None:
    done(stage.add())
    line = json.dumps({"text": "x" * 1000}).encode() + b"\n"
    stage.results["j1"] = pieces(line)
    assert sum(1 for _ in client.records("j1")) == LONG_BYTES // (len(line) * 64) * 64
    stage.results["j1"] = pieces(line)
    client.save("j1", tmp_path / "records.jsonl")
    assert (tmp_path / "records.jsonl").stat().st_size > LONG_BYTES * 0.99
    assert peak() < FEW_BYTES


def test_a_record_comes_before_the_next_one_is_sent(client: Any, stage: Stage) -> None:
    came = threading.Event()

    def waiting() -> Iterator[bytes]:
        yield b'{"n":1}\n{"n":'
        yield b"2}\n" if came.wait(10) else b"0}\n"

    done(stage.add())
    stage.results["j1"] = waiting()
    records = client.records("j1")
    assert next(records) == {"n": 1}
    came.set()
    assert list(records) == [{"n": 2}]


def test_a_record_may_hold_what_other_texts_take_for_the_end_of_a_line(
    client: Any, stage: Stage
) -> None:
    record = {"text": "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\rh"}
    escaped = json.dumps(record, ensure_ascii=False).encode()
    done(stage.add(name="a\u2028.pdf"))
    stage.results["j1"] = [escaped + b"\n" + escaped[:9], escaped[9:]]  # nor need the last end
    assert list(client.records("j1")) == [record, record]
    assert client.wait("j1").name == "a\u2028.pdf"


def cut(scene: Scene) -> bool:
    scene.start("application/jsonl")
    scene.piece(b'{"n":1}\n')
    return hang_up(scene)


def test_a_result_that_is_cut_short_is_an_error(client: Any, stage: Stage) -> None:
    stage.fault("GET", ".*/result", cut)
    records = client.records("j1")
    assert next(records) == {"n": 1}
    with pytest.raises(NotReachable):
        next(records)


def test_a_line_that_is_no_record_is_an_error(client: Any, stage: Stage) -> None:
    done(stage.add())
    stage.results["j1"] = [b'{"n":1}\n{"n":']
    with pytest.raises(ClientError, match="not JSON"):
        list(client.records("j1"))


def test_a_saved_file_is_whole_or_as_it_was(client: Any, stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    stage.fault("GET", ".*/result", cut)
    with pytest.raises(NotReachable):
        client.save("j1", path)
    assert path.read_text() == "before"
    assert [*tmp_path.iterdir()] == [path]
    done(stage.add())
    stage.results["j1"] = [b'{"n":1}\n', b'{"n":2}\n']
    client.save("j1", path)
    assert path.read_text() == '{"n":1}\n{"n":2}\n'
    assert [*tmp_path.iterdir()] == [path]


def test_a_reader_that_stops_leaves_the_client_usable(client: Any, stage: Stage) -> None:
    done(stage.add())
    stage.results["j1"] = pieces(b'{"n":1}\n')
    records = client.records("j1")
    next(records)
    records.close()
    assert client.job("j1").ended


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_and_events_do_not_depend_on_how_they_come(size: int) -> None:
    events = b': hello\n\nevent: job\r\ndata: {\r\ndata: "id":"a","state":"done"}\r\n\r\n'
    events += b'event: other\ndata: x\n\ndata: y\n\nevent:job\ndata:{"id":"b","state":"q"}\n\n'
    lines, parser = Lines(), Events()
    split = [events[at : at + size] for at in range(0, len(events), size)]
    found = [line for piece in split for line in lines.feed(piece)]
    assert found == events.split(b"\n")[:-1]
    assert [job.id for piece in split for job in parser.feed(piece)] == ["a", "b"]
