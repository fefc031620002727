import sqlite3
from pathlib import Path

import pytest

from pdfingest.errors import ExitCode, LedgerError
from pdfingest.model import FailureKind, Source
from pdfingest.outcome import Cost, Extracted, Failed, Finished, Outcome, Unchanged
from pdfingest.output.ledger import Ledger, Place
from pdfingest.run.plan import Plan

EXTRACTED = Extracted(Cost(), "ab", "pdfium", pages=3, chars=9, needs_ocr_pages=1)
CANCELLED = Failed(FailureKind.CANCELLED, "")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / ".pdfingest" / "ledger.sqlite3"


@pytest.fixture
def opened(path: Path) -> Path:
    """The path of a ledger that has one committed source."""
    path.parent.mkdir(parents=True)
    with Ledger(str(path)) as ledger:
        note(ledger, "a.pdf", EXTRACTED)
        ledger.commit(lambda: {"pages.jsonl": 10})
    return path


def note(ledger: Ledger, name: str, outcome: Outcome) -> None:
    place = Place("pages.jsonl", 0, 10, 0, 5)
    ledger.note(Finished(Source(name, f"/{name}", 100, 7), outcome), place, "digest")


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def test_what_is_committed_is_there_and_what_is_not_is_forgotten(opened: Path) -> None:
    with Ledger(str(opened)) as ledger:
        note(ledger, "b.pdf", EXTRACTED)
    with Ledger(str(opened)) as ledger:
        assert ledger.lengths() == {"pages.jsonl": 10}
        assert ledger.earlier("a.pdf") == Unchanged("ab", "pdfium", 3, 9, 1)
    assert rows(opened, "SELECT name, status, size_bytes FROM source") == [("a.pdf", "ok", 100)]


def test_outputs_reach_the_disk_before_the_ledger_names_them(opened: Path) -> None:
    def disk_full() -> dict[str, int]:
        raise OSError("disk full")

    with Ledger(str(opened)) as ledger:
        note(ledger, "b.pdf", EXTRACTED)
        with pytest.raises(OSError, match="disk full"):
            ledger.commit(disk_full)
    assert rows(opened, "SELECT name FROM source") == [("a.pdf",)]


def test_what_nobody_looked_at_keeps_its_state(opened: Path) -> None:
    with Ledger(str(opened)) as ledger:
        note(ledger, "a.pdf", CANCELLED)
        note(ledger, "new.pdf", CANCELLED)
        ledger.commit(dict)
    assert rows(opened, "SELECT name, status FROM source") == [
        ("a.pdf", "ok"),
        ("new.pdf", "failed"),
    ]


def test_a_run_is_interrupted_until_it_has_ended(opened: Path) -> None:
    with Ledger(str(opened)) as ledger:
        ledger.begin_run(dict)
        assert ledger.was_interrupted()
        ledger.end_run(ExitCode.INTERRUPTED, dict)
        assert ledger.was_interrupted()
        ledger.begin_run(dict)
        ledger.end_run(ExitCode.OK, dict)
        assert not ledger.was_interrupted()


def scribble_over_the_start(path: Path) -> None:
    with open(path, "r+b") as file:
        file.write(b"\xff" * 500)


def scribble_over_a_table(path: Path) -> None:
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def cut_in_half(path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 8192 * 4096)


def be_text(path: Path) -> None:
    path.write_text("not a database, but some text that somebody has put here\n" * 50)


def be_foreign(path: Path) -> None:
    path.unlink()
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE source (name TEXT)")
    database.close()


def be_newer(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 1000")
    database.close()


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (scribble_over_the_start, "not a database"),
        (scribble_over_a_table, "damaged|malformed"),
        (cut_in_half, "damaged|malformed"),
        (be_text, "not a database"),
        (be_foreign, "is not a ledger"),
        (be_newer, "newer pdfingest"),
    ],
)
def test_a_ledger_that_cannot_be_trusted_is_refused_and_left_as_it_is(
    opened: Path, harm: object, said: str
) -> None:
    assert callable(harm)
    harm(opened)
    before = opened.read_bytes()
    with pytest.raises(LedgerError, match=said) as caught:
        Ledger(str(opened))
    assert "name another --output" in str(caught.value)
    assert caught.value.exit_code is ExitCode.ENVIRONMENT
    assert opened.read_bytes() == before


def test_a_ledger_that_another_program_holds_is_refused(
    opened: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pdfingest.output.database._BUSY_S", 0.1)
    database = sqlite3.connect(opened)
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("BEGIN EXCLUSIVE")
    with pytest.raises(LedgerError, match="Another program has it open"):
        Ledger(str(opened))
    database.close()


@pytest.mark.parametrize("others", ["of other content", "copies"])
def test_to_look_for_a_duplicate_takes_no_longer_among_more_sources(
    path: Path, others: str
) -> None:
    path.parent.mkdir(parents=True)
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    original = EXTRACTED._replace(sha256="ab" * 32)
    place = Place("pages.jsonl", 0, 10, 0, 5)
    with Ledger(str(path)) as ledger, Plan(ledger):
        ledger.note(Finished(Source("original.pdf", "/o.pdf", 1), original), place, "digest")
        taken: list[int] = []
        for size in (100, 3000):
            for number in range(size):
                other, of = original, "original.pdf"
                if others != "copies":
                    other, of = EXTRACTED._replace(sha256=f"{number:064x}"[::-1]), ""
                finished = Finished(Source(f"{number}.pdf", "/a.pdf", 1), other, duplicate_of=of)
                ledger.note(finished, place, "digest")
            steps = 0
            ledger.database.connection.set_progress_handler(count, 10)
            copy = Finished(Source("copy.pdf", "/copy.pdf", 1), original)
            assert ledger.original_of(copy, "digest") == "original.pdf"
            ledger.database.connection.set_progress_handler(None, 0)
            taken.append(steps)
    assert taken[1] <= taken[0] + 5
