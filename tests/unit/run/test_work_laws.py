"""Laws of `work`: however a source is split, its parts are all of it, once, in order."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest.job import EngineSpec, Job, Limits, PageRange, Sandbox
from pdfingest.model import FailureKind, Source, Unit
from pdfingest.outcome import Cost, Extracted, Failed, Outcome
from pdfingest.run.work import Work, joined

ENGINE = EngineSpec("e", "m:f", "1")


def work(folder: str = "", output_bytes: int = 1000) -> Work:
    limits = Limits(1, output_bytes, 1)
    spool = f"{folder}/spool"
    return Work(Job(Source("a", "/a"), (ENGINE,), (), Unit.PAGE, limits, spool, Sandbox.OFF))


def split(first: Work, pages: int, at: list[int], spool: Callable[[int], str] = str) -> list[Work]:
    """Split the part that holds each of these pages, where that can be done."""
    for page in at:
        part = next(each for each in first.parts if page in each.pages(pages))
        if page != part.pages(pages).start:
            part.split(page, pages, spool(page), 0.0)
    return first.parts


@given(st.integers(2, 60), st.lists(st.integers(1, 60), max_size=9))
def test_parts_are_a_partition_of_the_pages_in_order(pages: int, at: list[int]) -> None:
    parts = split(work(), pages, [page for page in at if page <= pages])
    assert [page for part in parts for page in part.pages(pages)] == [*range(1, pages + 1)]
    assert all(part.parts is parts for part in parts)
    assert all(part.job.attempt.first_page == part.pages(pages).start for part in parts)


@given(
    st.integers(2, 30), st.lists(st.integers(1, 30), max_size=5), st.sets(st.integers(0, 5)),
    st.sets(st.integers(1, 30)),
)  # fmt: skip
def test_what_is_joined_has_each_page_as_a_record_or_as_lost(
    pages: int, at: list[int], dead: set[int], lost: set[int]
) -> None:
    with TemporaryDirectory() as folder:
        first = work(folder)
        parts = split(first, pages, [p for p in at if p <= pages], lambda p: f"{folder}/{p}")
        kept: list[int] = []
        for index, part in enumerate(parts):
            mine = part.pages(pages)
            Path(part.job.spool).write_bytes(b"torn")
            if index in dead:
                part.ended = Failed(FailureKind.CRASHED, "it died", Cost())
                continue
            read = [page for page in mine if page not in lost]
            kept += read
            Path(part.job.spool).write_bytes(b"".join(b"%d\n" % page for page in read))
            gone = tuple(page for page in mine if page in lost)
            part.ended = Extracted(
                Cost(), "s", "e", len(read), 0, 0, 0, gone,
                FailureKind.ENGINE_ERROR if gone else None, last_page=mine.stop - 1,
            )  # fmt: skip
        outcome = joined(parts)
        if len(parts) == 1:
            assert outcome is parts[0].ended
            return
        if isinstance(outcome, Extracted):
            assert outcome.pages == len(kept)
            assert [int(page) for page in Path(first.job.spool).read_bytes().split()] == kept
        assert isinstance(outcome, Extracted | Failed)
        assert sorted([*kept, *outcome.failed_pages]) == [*range(1, pages + 1)]


def ended(sha256: str = "s", last_page: int = 0) -> Extracted:
    return Extracted(Cost(), sha256, "e", 1, 0, 0, last_page=last_page)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (ended(last_page=4), ended("other", last_page=9)),
        (ended(last_page=5), ended(last_page=9)),
        (ended(last_page=4), ended(last_page=8)),
        (ended(last_page=4), Failed(FailureKind.TOO_LARGE, "", Cost())),
    ],
    ids=["another content", "one page twice", "one page missing", "too large"],
)
def test_what_does_not_fit_together_is_done_anew(
    first: Outcome, second: Outcome, tmp_path: Path
) -> None:
    part, other = split(work(str(tmp_path)), 9, [5], lambda page: f"{tmp_path}/{page}")
    part.ended, other.ended = first, second
    for each in (part, other):
        Path(each.job.spool).write_bytes(b"1\n")
    assert joined([part, other]) is None
    again = part.again()
    assert (again.job.pages, again.whole, again.parts) == (PageRange(), True, [again])


def test_together_they_may_not_exceed_the_limit_of_one(tmp_path: Path) -> None:
    part, other = split(work(str(tmp_path), 10), 9, [5], lambda page: f"{tmp_path}/{page}")
    part.ended, other.ended = ended(last_page=4), ended(last_page=9)
    for each in (part, other):
        Path(each.job.spool).write_bytes(b"123456")
    assert joined([part, other]) is None


@pytest.mark.parametrize("kind", [FailureKind.CHANGED, FailureKind.UNREADABLE])
def test_a_failure_of_the_file_is_one_of_all_its_parts(kind: FailureKind, tmp_path: Path) -> None:
    part, other = split(work(str(tmp_path)), 9, [5])
    part.ended, other.ended = ended(last_page=4), Failed(kind, "", Cost())
    outcome = joined([part, other])
    assert isinstance(outcome, Failed)
    assert outcome.failure is kind
