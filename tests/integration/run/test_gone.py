"""Sources of earlier runs that are not there any more, and names that two files have."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import read_lines
from pdfingest import ExitCode, IngestOptions, Summary, ingest
from pdfingest.errors import InputGoneError, NoInputError, UsageError
from pdfingest.values import Share, share

Run = Callable[..., Summary]
ALL = Share(percent=100)


@pytest.fixture
def run(pdfs: Path, out: Path) -> Run:
    """Ingest a directory into the one output directory."""

    def play(*inputs: Path, **options: Any) -> Summary:
        chosen = IngestOptions(output=str(out), engine="faulty", workers=1, **options)
        return ingest([str(each) for each in inputs or (pdfs,)], chosen)

    return play


def sources(out: Path) -> list[str]:
    return sorted({record["source"] for record in read_lines(out / "pages.jsonl")})


def test_a_source_that_is_gone_is_told_once_and_is_no_failure(
    run: Run, faulty: Callable[..., Path], out: Path
) -> None:
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        faulty(name)
    run()
    sha256 = {line["source"]: line["sha256"] for line in read_lines(out / "report.jsonl")}
    os.unlink(faulty("b.pdf"))
    summary = run()
    assert (summary.gone, summary.unchanged, summary.failed) == (1, 2, 0)
    assert summary.exit_code(IngestOptions()) is ExitCode.OK
    line = read_lines(out / "report.jsonl")[-1]
    assert (line["source"], line["status"], line["failure"]) == ("b.pdf", "gone", "")
    assert line["sha256"] == sha256["b.pdf"]
    assert run().gone == 0


def test_a_mount_that_is_away_is_not_a_deletion_of_all_that_was_on_it(
    run: Run, faulty: Callable[..., Path], pdfs: Path, out: Path, tmp_path: Path
) -> None:
    for number in range(3):
        faulty(f"{number}.pdf")
    run()
    report = (out / "report.jsonl").read_bytes()
    pdfs.rename(tmp_path / "elsewhere")
    pdfs.mkdir()  # the empty mount point
    with pytest.raises(InputGoneError, match=r"gave 3 files .* Is a disk not mounted") as caught:
        run()
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert (out / "report.jsonl").read_bytes() == report
    pdfs.rmdir()
    (tmp_path / "elsewhere").rename(pdfs)
    assert run().unchanged == 3, "nothing was forgotten"


def test_one_input_of_several_that_gives_nothing_any_more_stops_the_run(
    run: Run, faulty: Callable[..., Path], pdfs: Path, tmp_path: Path
) -> None:
    for number in range(4):
        faulty(f"{number}.pdf")
    more = tmp_path / "more"
    more.mkdir()
    faulty("x.pdf").rename(more / "x.pdf")
    run(pdfs, more)
    (more / "x.pdf").unlink()
    with pytest.raises(InputGoneError, match="more gave 1 files"):
        run(pdfs, more)
    assert run(pdfs, more, max_gone=ALL).gone == 1


def test_an_input_that_never_gave_anything_is_no_loss(
    run: Run, faulty: Callable[..., Path], pdfs: Path, tmp_path: Path
) -> None:
    faulty("a.pdf")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run(pdfs, empty).ok == 1
    assert run(pdfs, empty).unchanged == 1
    with pytest.raises(NoInputError):
        run(empty)


@pytest.mark.parametrize(
    ("limit", "removed", "stops"),
    [("50%", 2, False), ("50%", 3, True), ("1", 1, False), ("1", 2, True), ("100%", 3, False)],
)
def test_more_than_may_be_gone_stops_the_run_before_it_forgets_any(
    run: Run, faulty: Callable[..., Path], out: Path, limit: str, removed: int, stops: bool
) -> None:
    paths = [faulty(f"{number}.pdf") for number in range(4)]
    run()
    before = (out / "report.jsonl").read_bytes()
    for path in paths[:removed]:
        path.unlink()
    if stops:
        with pytest.raises(InputGoneError, match=f"{removed} of 4 files .* --max-gone is {limit}"):
            run(max_gone=share(limit))
        assert (out / "report.jsonl").read_bytes() == before
    else:
        assert run(max_gone=share(limit)).gone == removed


def test_all_may_be_gone_where_that_is_said(
    run: Run, faulty: Callable[..., Path], out: Path
) -> None:
    path = faulty("a.pdf")
    run()
    path.unlink()
    summary = run(max_gone=ALL)
    assert (summary.planned, summary.gone) == (0, 1)
    assert json.loads((out / "summary.json").read_text())["gone"] == 1


def test_a_name_that_another_file_has_does_not_replace_its_records(
    run: Run, faulty: Callable[..., Path], pdfs: Path, out: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    faulty("a.pdf", text="the other").rename(other / "a.pdf")
    faulty("a.pdf", text="the first")
    run()
    records = (out / "pages.jsonl").read_bytes()
    with pytest.raises(
        UsageError, match=r"would replace the records of .* Name the inputs of both"
    ):
        run(other)
    assert (out / "pages.jsonl").read_bytes() == records
    assert run(pdfs, other, max_gone=ALL).ok == 2, "the way out"
    assert sources(out) == ["a.pdf", "other/a.pdf", "pdfs/a.pdf"]


def test_a_file_that_was_moved_keeps_its_name(
    run: Run, faulty: Callable[..., Path], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = faulty("a.pdf")
    run()
    path.rename(other / "a.pdf")
    summary = run(other)
    assert (summary.unchanged, summary.gone) == (1, 0)


def test_another_path_to_the_same_file_is_no_other_file(
    run: Run, faulty: Callable[..., Path], pdfs: Path, tmp_path: Path
) -> None:
    faulty("a.pdf")
    run()
    (tmp_path / "link").symlink_to(pdfs)
    assert run(tmp_path / "link").unchanged == 1
    linked = tmp_path / "linked"
    linked.mkdir()
    os.link(pdfs / "a.pdf", linked / "a.pdf")
    summary = run(linked)
    assert summary.ok + summary.unchanged == 1
