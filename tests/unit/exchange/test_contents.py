"""What of a spool counts as records, however it was written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest.exchange.contents import _PIECE_BYTES, Contents, audited, read_contents
from pdfingest.exchange.record import (
    DocumentFacts,
    chunk_record,
    encode,
    page_record,
    record_id,
)
from pdfingest.exchange.said import Cut, Joined
from pdfingest.exchange.spool import SpoolWriter, join_pages
from pdfingest.job import EngineSpec, Job, Limits, Sandbox
from pdfingest.model import Format, Source, Unit
from pdfingest.outcome import Cost, Extracted, Failed
from pdfingest.pages import INFO_NAMES, Page

SHA256 = "ab" * 32
SOURCE = "sub/ä\u2028.pdf"
FACTS = DocumentFacts(
    record_id(SOURCE, SHA256), SOURCE, SHA256, 9,
    dict.fromkeys(INFO_NAMES, "") | {"title": 'A "title"', "created": "2026-01-02"},
    Format.TEXT, EngineSpec("pdfium", "m:f", "1"),
)  # fmt: skip
ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates and NUL included


def line(number: int, text: str = "text", **page: Any) -> bytes:
    return encode(page_record(FACTS, number, Page(text, **page)))


def read(path: Path, content: bytes, unit: Unit = Unit.PAGE) -> Contents:
    path.write_bytes(content)
    return read_contents(str(path), unit, SOURCE, SHA256)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@given(
    st.lists(
        st.tuples(st.integers(1, 3), ANY_TEXT, ANY_TEXT, st.lists(ANY_TEXT), st.booleans()),
        max_size=5,
    )
)
def test_whatever_is_written_as_a_record_counts(
    tmp_path_factory: pytest.TempPathFactory, pages: list[tuple[int, str, str, list[str], bool]]
) -> None:
    number, lines, chars = 0, b"", 0
    for step, text, label, links, ink in pages:
        number += step
        lines += line(number, text, label=label, links=tuple(links), ink=ink)
        chars += json.loads(lines.split(b"\n")[-2])["metadata"]["char_count"]
    contents = read(tmp_path_factory.getbasetemp() / "spool", lines)
    assert contents.is_whole
    assert (contents.records, contents.length) == (len(pages), len(lines))
    assert (contents.last_page, contents.chars) == (number, chars)
    assert len(contents.lost) == number - len(pages)


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1))
def test_a_file_may_have_any_name(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    facts = FACTS._replace(id=record_id(name, SHA256), source=name)
    spool = tmp_path_factory.getbasetemp() / "named"
    spool.write_bytes(encode(page_record(facts, 1, Page("text"))))
    assert read_contents(str(spool), Unit.PAGE, name, SHA256).records == 1


@pytest.mark.parametrize("size", [_PIECE_BYTES - 60, _PIECE_BYTES, 3 * _PIECE_BYTES + 1])
@pytest.mark.parametrize("unit", ["\n", "ü", "燈", '"', "\u2028", "\\n"])
def test_a_record_may_be_longer_than_what_is_read_at_a_time(
    spool: Path, unit: str, size: int
) -> None:
    for shift in range(7):
        text = "x" * shift + unit * (size // len(unit.encode()))
        lines = line(2, text) + line(3)
        contents = read(spool, lines)
        assert (contents.is_whole, contents.records, contents.lost) == (True, 2, [1])


def test_a_document_is_a_record_that_names_no_page(spool: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.write_bytes(line(1, "one") + line(3, "three"))
    with SpoolWriter(str(spool)) as writer:
        join_pages(str(pages), FACTS, writer)
    contents = read(spool, spool.read_bytes(), Unit.DOCUMENT)
    assert (contents.is_whole, contents.records, contents.last_page) == (True, 1, 0)
    assert read(spool, spool.read_bytes() * 2, Unit.DOCUMENT).records == 1
    assert read(spool, spool.read_bytes(), Unit.PAGE).records == 0
    assert read(spool, pages.read_bytes(), Unit.DOCUMENT).records == 0


def chunk(number: int, page: int = 2) -> bytes:
    cut = Cut(number, 10 * number, 10 * number + 4, "gpt-4o")
    return encode(chunk_record(FACTS, {**PLACE, "page": page}, "text", cut, Joined()))


PLACE = {"page": 2, "page_label": "", "section": ""}


def test_chunks_are_records_that_follow_each_other(spool: Path) -> None:
    contents = read(spool, chunk(1) + chunk(2) + chunk(3, 9), Unit.CHUNK)
    assert (contents.is_whole, contents.records) == (True, 3)
    assert read(spool, chunk(1), Unit.PAGE).records == 0
    assert read(spool, line(1), Unit.CHUNK).records == 0
    of_another = chunk(2).replace(b'"chunk":2', b'"chunk":3')
    for follower in (chunk(1), chunk(3), of_another, chunk(2).replace(b"p0002", b"p0000")):
        contents = read(spool, chunk(1) + follower, Unit.CHUNK)
        assert (contents.is_whole, contents.records) == (False, 1)


def test_a_spool_that_is_not_there_is_empty(spool: Path) -> None:
    assert read_contents(str(spool), Unit.PAGE, SOURCE, SHA256) == Contents()


def changed(change: Callable[[Any], object]) -> bytes:
    """The record of page 2 with a change, in the form that records have."""
    record = json.loads(line(2))
    change(record)
    return encode(record)


FORGED = {
    "no JSON": b"not JSON\n",
    "not UTF-8 in the text": line(2, "caf\u00e9").replace("é".encode(), b"\xe9"),
    "not UTF-8 in a link": line(2, links=("caf\u00e9",)).replace("é".encode(), b"\xe9"),
    "half a character at the end": line(2, "xé").replace("é".encode(), b"\xc3"),
    "a surrogate": line(2, "x").replace(b"x", b"\xed\xa0\x80", 1),
    "an escaped surrogate": line(2, "y").replace(b'"y"', b'"\\ud800"'),
    "a control character": line(2, "y").replace(b'"y"', b'"\x01"'),
    "an escape that JSON has not": line(2, "y").replace(b'"y"', b'"\\x"'),
    "a line end within": line(2, "y").replace(b'"y"', b'"\n"'),
    "no line end": line(2)[:-1],
    "an empty line": b"\n",
    "a NUL": b"\0" * 500,
    "spaces": line(2).replace(b":", b": "),
    "two objects": line(2)[:-1] + line(2),
    "something behind it": line(2)[:-1] + b" \n",
    "another source": changed(lambda record: record.update(source="other.pdf")),
    "another source in its metadata": changed(
        lambda record: record["metadata"].update(source="other.pdf")
    ),
    "another id": changed(lambda record: record.update(id="0" * 16 + ":p0002")),
    "the id of another page": changed(lambda record: record.update(id=record["id"][:-1] + "3")),
    "another hash": changed(lambda record: record["metadata"].update(sha256="0" * 64)),
    "the page before again": line(1),
    "page 0": changed(lambda record: record["metadata"].update(page=0)),
    "a key too many": changed(lambda record: record.update(more=1)),
    "a key too few": changed(lambda record: record.pop("links")),
    "keys in another order": changed(lambda record: record.update(text=record.pop("text"))),
    "a key twice": line(2).replace(b'"tables":"[]"', b'"tables":"[]","tables":"[]"'),
    "a text that is a number": changed(lambda record: record.update(text=1)),
    "null": changed(lambda record: record["metadata"].update(title=None)),
    "a number that is a text": changed(lambda record: record["metadata"].update(total_pages="9")),
    "a number that is no integer": changed(
        lambda record: record["metadata"].update(total_pages=9.5)
    ),
    "a number that no double holds": changed(
        lambda record: record["metadata"].update(total_pages=10**16)
    ),
    "a number below 0": changed(lambda record: record["metadata"].update(char_count=-1)),
    "a link that is a list": changed(lambda record: record.update(links=[["x"]])),
    "a table": changed(lambda record: record.update(tables=[{"deep": [[[]]]}])),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
def test_what_is_no_record_of_the_source_is_cut_off(spool: Path, forged: bytes) -> None:
    first = line(1)
    contents = read(spool, first + forged + line(4))
    assert (contents.is_whole, contents.records, contents.length) == (False, 1, len(first))
    assert (contents.last_page, contents.lost) == (1, [])


@pytest.mark.parametrize("garbage", [b"", b"no record\n"])
def test_chunks_behind_which_something_else_stands_count_for_nothing(
    spool: Path, garbage: bytes
) -> None:
    spool.write_bytes(chunk(1) + chunk(2) + garbage)
    limits = Limits(1 << 30, 1 << 30, 100)
    job = Job(
        Source(SOURCE, "a.pdf"), (FACTS.engine,), (), Unit.CHUNK, limits, str(spool), Sandbox.OFF
    )
    outcome = audited(Extracted(Cost(), SHA256, "pdfium", 9, 8, 0, last_page=9), job)
    # Which pages were lost cannot be told, so that all of them are.
    assert isinstance(outcome, Failed if garbage else Extracted)
    assert len(outcome.failed_pages) == (9 if garbage else 0)
