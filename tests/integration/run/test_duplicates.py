"""One content under several names."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import read_lines
from pdfingest import IngestOptions, Summary, ingest
from pdfingest.model import Duplicates, Order
from pdfingest.output.compact import compact
from pdfingest.values import Share

Run = Callable[..., Summary]
SKIP: dict[str, Any] = {"duplicates": Duplicates.SKIP}
ALL: dict[str, Any] = {"max_gone": Share(percent=100)}


@pytest.fixture
def run(pdfs: Path, out: Path) -> Run:
    def play(**options: Any) -> Summary:
        chosen = IngestOptions(
            output=str(out), engine="faulty", workers=1, order=Order.NAME, **options
        )
        return ingest([str(pdfs)], chosen)

    return play


@pytest.fixture(autouse=True)
def copies(pdfs: Path, faulty: Callable[..., Path]) -> Path:
    """Two names of one content, and one of another."""
    content = faulty("a.pdf", pages=2).read_bytes()
    (pdfs / "copy.pdf").write_bytes(content)
    faulty("other.pdf")
    for path in pdfs.iterdir():
        os.utime(path, (1e9, 1e9))  # so old that the time alone says that it is unchanged
    return pdfs


def report(out: Path) -> dict[str, dict[str, Any]]:
    """The newest report line of each source."""
    return {line["source"]: line for line in read_lines(out / "report.jsonl")}


def records(out: Path) -> list[str]:
    return [record["source"] for record in read_lines(out / "pages.jsonl")]


def live(out: Path) -> list[str]:
    """Sources of the records after a compaction."""
    compact(str(out))
    return records(out)


def test_a_copy_is_named_and_has_records_and_ids_of_its_own(run: Run, out: Path) -> None:
    run()
    lines = report(out)
    assert {name: line["duplicate_of"] for name, line in lines.items()} == {
        "a.pdf": "", "copy.pdf": "a.pdf", "other.pdf": "",
    }  # fmt: skip
    assert records(out) == ["a.pdf", "a.pdf", "copy.pdf", "copy.pdf", "other.pdf"]
    ids = [record["id"] for record in read_lines(out / "pages.jsonl")]
    assert len(set(ids)) == len(ids)


def test_a_copy_of_what_an_earlier_run_ingested_is_named(run: Run, copies: Path, out: Path) -> None:
    run()
    (copies / "third.pdf").write_bytes((copies / "a.pdf").read_bytes())
    run()
    assert report(out)["third.pdf"]["duplicate_of"] == "a.pdf"


def test_a_file_under_a_new_name_is_no_copy(run: Run, copies: Path, out: Path) -> None:
    (copies / "copy.pdf").unlink()
    run()
    (copies / "a.pdf").rename(copies / "new.pdf")
    run(**ALL)
    assert report(out)["new.pdf"]["duplicate_of"] == ""


def test_skipped_copies_have_a_line_and_no_records(run: Run, out: Path) -> None:
    summary = run(**SKIP)
    assert (summary.ok, summary.pages) == (3, 3)
    line = report(out)["copy.pdf"]
    assert (line["status"], line["duplicate_of"]) == ("ok", "a.pdf")
    assert (line["pages"], line["total_pages"], line["chars"]) == (0, 2, 0)
    assert records(out) == ["a.pdf", "a.pdf", "other.pdf"]
    again = run(**SKIP)
    assert (again.unchanged, again.taken_up) == (3, 0)
    assert live(out) == ["a.pdf", "a.pdf", "other.pdf"]


def test_a_skipped_copy_gets_its_records_when_the_other_is_gone(
    run: Run, copies: Path, out: Path
) -> None:
    run(**SKIP)
    (copies / "a.pdf").unlink()
    summary = run(**SKIP)
    assert (summary.gone, summary.ok, summary.unchanged) == (1, 1, 1)
    assert live(out) == ["copy.pdf", "copy.pdf", "other.pdf"]


def test_a_skipped_copy_gets_its_records_when_the_other_changes(
    run: Run, faulty: Callable[..., Path], out: Path
) -> None:
    run(**SKIP)
    faulty("a.pdf", pages=1, text="changed")
    summary = run(**SKIP)
    assert (summary.ok, summary.unchanged) == (2, 1)
    assert live(out) == ["a.pdf", "copy.pdf", "copy.pdf", "other.pdf"]


def test_a_skipped_copy_gets_its_records_when_copies_are_to_be_kept(run: Run, out: Path) -> None:
    run(**SKIP)
    assert run().ok == 1
    assert live(out) == ["a.pdf", "a.pdf", "copy.pdf", "copy.pdf", "other.pdf"]
    assert run().unchanged == 3


def test_copies_are_skipped_in_a_stream_too(
    copies: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    options = IngestOptions(output="-", engine="faulty", workers=1, order=Order.NAME, **SKIP)
    summary = ingest([str(copies)], options)
    assert summary.ok == 3
    assert capfdbinary.readouterr().out.count(b"\n") == 3
