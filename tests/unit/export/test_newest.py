"""Of a file of records, whatever its order, the newest record of each page is given, in order."""

import gc
import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_records import Records, records_of, write_records
from pdfingest import load
from pdfingest.errors import ExitCode, NoInputError, RecordsError


def texts(path: Path) -> list[str]:
    return [record["text"] for record in load(path)]


def test_records_are_in_order_of_sources_and_pages(tmp_path: Path) -> None:
    names = ["b.pdf", "a.pdf", "é.pdf", "\U0001f600.pdf", "z/a.pdf", "Z.pdf", "\uffee.pdf"]
    records = [record for name in names for record in reversed(records_of(name, pages=11))]
    found = list(load(write_records(tmp_path / "some.jsonl", records)))
    places = [(record["source"].encode(), record["metadata"]["page"]) for record in found]
    assert places == sorted(places)
    assert [dict(record) for record in found] == sorted(
        records, key=lambda record: (record["source"].encode(), record["metadata"]["page"])
    )


def test_of_two_contents_of_a_source_the_later_one_counts(tmp_path: Path) -> None:
    records = [*records_of("a.pdf", "1", pages=3), *records_of("b.pdf", "1", pages=1)]
    records += records_of("a.pdf", "2", pages=2)
    path = write_records(tmp_path / "some.jsonl", records)
    assert texts(path) == ["a.pdf 2 1", "a.pdf 2 2", "b.pdf 1 1"]


def test_of_two_records_of_a_page_the_later_one_counts(tmp_path: Path) -> None:
    again = {**records_of("a.pdf")[1], "text": "newer"}
    path = write_records(tmp_path / "some.jsonl", [*records_of("a.pdf"), again])
    assert texts(path) == ["a.pdf a 1", "newer", "a.pdf a 3"]


@given(st.randoms(use_true_random=False), st.integers(1, 6), st.integers(1, 6))
def test_no_order_of_the_lines_loses_one(
    tmp_path_factory: pytest.TempPathFactory, draw: Random, sources: int, pages: int
) -> None:
    whole = [each for n in range(sources) for each in records_of(f"{n}.pdf", pages=pages)]
    shuffled = draw.sample(whole, len(whole))
    path = write_records(tmp_path_factory.mktemp("shuffled") / "some.jsonl", shuffled)
    assert [dict(record) for record in load(path)] == whole


def test_chunks_of_a_page_are_in_order_of_their_numbers(tmp_path: Path) -> None:
    (page,) = records_of("a.pdf", pages=1)
    chunks = [
        {**page, "text": f"{n}", "metadata": {**page["metadata"], "chunk": n}} for n in (10, 9)
    ]
    assert texts(write_records(tmp_path / "some.jsonl", chunks)) == ["9", "10"]


def test_a_last_line_that_is_not_ended_is_left_out(tmp_path: Path) -> None:
    path = write_records(tmp_path / "some.jsonl", records_of("a.pdf", pages=3))
    path.write_bytes(path.read_bytes()[:-1])
    assert texts(path) == ["a.pdf a 1", "a.pdf a 2"]


def without(key: str) -> Records:
    (record,) = records_of("b.pdf", pages=1)
    del record[key]
    return [record]


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"\xff\n",
        b"[]",
        b"7",
        b"null",
        b"",
        json.dumps(without("id")[0]).encode(),
        json.dumps(without("source")[0]).encode(),
        json.dumps(without("metadata")[0]).encode(),
        json.dumps(without("text")[0]).encode(),
        json.dumps({**without("text")[0], "text": None}).encode(),
        json.dumps({**without("text")[0], "text": "", "id": 3}).encode(),
    ],
)
def test_a_damaged_line_is_named_by_its_place(line: bytes, tmp_path: Path) -> None:
    path = write_records(tmp_path / "some.jsonl", records_of("a.pdf"))
    place = path.stat().st_size
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())
    with pytest.raises(
        RecordsError, match=rf"some\.jsonl: the line at byte {place:,} is"
    ) as caught:
        list(load(path))
    assert caught.value.exit_code is ExitCode.ENVIRONMENT


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match=r"there is no .*none\.jsonl"):
        next(load(tmp_path / "none.jsonl"))
    with pytest.raises(NoInputError, match="holds no records"):
        next(load(tmp_path))


def test_a_reader_may_stop_early(tmp_path: Path) -> None:
    records = load(write_records(tmp_path / "some.jsonl", records_of("a.pdf")))
    assert next(records)["text"] == "a.pdf a 1"
    del records
    gc.collect()  # what fails here, pytest turns into an error


def test_a_file_without_records_has_none(tmp_path: Path) -> None:
    assert list(load(write_records(tmp_path / "pages.jsonl", []))) == []
