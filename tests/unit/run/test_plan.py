"""What the plan of a run costs while the run goes on, and which files it takes for unchanged."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pdfingest import IngestOptions
from pdfingest.model import FailureKind, Source
from pdfingest.outcome import Cost, Extracted, Failed, Finished, Gone
from pdfingest.output.ledger import Ledger, Place
from pdfingest.run.found import Found
from pdfingest.run.plan import Plan

SOURCES = 4000
COMMIT_EVERY = 8
MOST_BYTES = 6 << 20
"""SQLite writes its log back to the ledger once it has 4 MiB, at the next commit."""
LOST = Failed(FailureKind.MALFORMED, "broken")

Outcome = Extracted | Failed | Gone


def files(error: str = "") -> Iterator[Found]:
    names = (f"{number:06}.pdf" for number in range(SOURCES))
    return (Found(name, f"/nowhere/{name}", 1, error) for name in names)


def of_jobs(plan: Plan) -> Iterator[tuple[Source, Outcome]]:
    plan.fill(files())
    plan.settle(IngestOptions(), "digest")
    return ((source, LOST) for source, _ in plan.jobs())


def of_unreadable(plan: Plan) -> Iterator[tuple[Source, Outcome]]:
    plan.fill(files(error="not allowed"))
    plan.settle(IngestOptions(), "digest")
    return ((source, LOST) for source in plan.unreadable())


def of_gone(plan: Plan) -> Iterator[tuple[Source, Outcome]]:
    plan.settle(IngestOptions(), "digest")
    plan.find_gone(())
    return iter(plan.gone())


@pytest.mark.parametrize(
    ("of", "earlier"), [(of_jobs, False), (of_unreadable, False), (of_gone, True)]
)
def test_the_write_ahead_log_stays_bounded_while_sources_are_taken_from_the_plan(
    tmp_path: Path, of: Callable[[Plan], Iterator[tuple[Source, Outcome]]], earlier: bool
) -> None:
    path = tmp_path / "ledger.sqlite3"
    log = tmp_path / "ledger.sqlite3-wal"
    taken = most_bytes = 0
    with Ledger(str(path)) as ledger, Plan(ledger) as plan:
        for each in files() if earlier else ():
            source = Source(each.name, each.path, each.size_bytes)
            ledger.note(Finished(source, LOST), Place(), "digest")
        ledger.commit(dict)
        for source, outcome in of(plan):
            taken += 1
            ledger.note(Finished(source, outcome), Place(), "digest")
            if taken % COMMIT_EVERY == 0:
                ledger.commit(dict)
                most_bytes = max(most_bytes, log.stat().st_size)
    assert taken == SOURCES
    assert 0 < most_bytes < MOST_BYTES


BEFORE = Found("a.pdf", "/before/a.pdf", 1, "", 1_000, is_settled=True)


@pytest.mark.parametrize(
    ("now", "is_unchanged", "is_known"),
    [
        (BEFORE, True, True),
        (BEFORE._replace(path="/now/a.pdf"), False, True),
        (BEFORE._replace(mtime_ns=1_001), False, True),
        (BEFORE._replace(is_settled=False), False, True),
        (BEFORE._replace(size_bytes=2), False, False),
        (BEFORE._replace(name="b.pdf"), False, False),
    ],
)
def test_a_file_is_unchanged_if_size_and_time_and_path_are_those_of_before(
    now: Found, *, is_unchanged: bool, is_known: bool
) -> None:
    with Ledger("") as ledger, Plan(ledger) as plan:
        source = Source(BEFORE.name, BEFORE.path, BEFORE.size_bytes, BEFORE.mtime_ns)
        read = Extracted(Cost(), "sha256", "pdfium", 1, 1, 0, last_page=1)
        ledger.note(Finished(source, read), Place(), "digest")
        ledger.commit(dict)
        plan.fill([now])
        plan.settle(IngestOptions(), "digest")
        assert plan.count_unchanged() == (int(is_unchanged), 0)
        # What is known is hashed, and read only if the hash is another one.
        assert [earlier is not None for _, earlier in plan.jobs()] == [is_known] * (
            not is_unchanged
        )
