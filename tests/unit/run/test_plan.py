"""What the plan of a run costs while the run goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pdfingest import IngestOptions
from pdfingest.model import FailureKind, Source
from pdfingest.outcome import Extracted, Failed, Finished, Gone
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
