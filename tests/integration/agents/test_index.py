"""The index of search: how it follows the states, also where it has no time for it."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conftest import make_pdf
from pdfingest import IngestOptions, ingest
from pdfingest.agents import index as index_module
from pdfingest.agents.index import Index
from pdfingest.output.states import States


@pytest.fixture
def states(out: Path) -> Iterator[States]:
    with States(str(out)) as states:
        yield states


@pytest.fixture
def index(out: Path) -> Iterator[Index]:
    with Index(str(out)) as index:
        yield index


def read(pdfs: Path, out: Path, states: States) -> None:
    """Have a run take in what has changed."""
    ingest(pdfs, IngestOptions(output=out))
    states.refresh()


def sources(index: Index, word: str) -> list[str]:
    return sorted(spot.source for spot in index.find(f'"{word}"', "", 10))


def test_what_was_superseded_is_forgotten_before_anything_is_added(
    pdfs: Path, out: Path, states: States, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        make_pdf(pdfs / f"{name}.pdf", ["old"])
    read(pdfs, out, states)
    assert index.follow(states) == (3, 3)
    for name in ("a", "b"):
        make_pdf(pdfs / f"{name}.pdf", ["new words"])
    read(pdfs, out, states)
    monkeypatch.setattr(index_module, "_UPDATE_S", 0.0)
    monkeypatch.setattr(index_module, "_COMMIT_S", 0.0)
    counts = []
    for _ in range(3):
        counts.append(index.follow(states))
        assert sources(index, "old") == ["c.pdf"]
    assert counts == [(2, 3), (3, 3), (3, 3)]
    assert sources(index, "new") == ["a.pdf", "b.pdf"]


def test_an_index_that_is_mostly_old_is_made_anew(
    pdfs: Path, out: Path, states: States, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_REBUILT_ROWS", 3)
    for number in range(6):
        make_pdf(pdfs / "a.pdf", [f"word{number}", "page two"])
        read(pdfs, out, states)
        index.follow(states)
        assert sources(index, f"word{number}") == ["a.pdf"]
    with closing(index_module._connected(str(out / ".pdfingest" / "search.sqlite3"))) as database:
        [(highest,)] = database.execute("SELECT max(id) FROM passage").fetchall()
    assert highest < 12


def test_two_servers_share_an_index(pdfs: Path, out: Path, states: States, index: Index) -> None:
    make_pdf(pdfs / "a.pdf", ["one"])
    read(pdfs, out, states)
    with Index(str(out)) as other:
        assert index.follow(states) == other.follow(states) == (1, 1)
        make_pdf(pdfs / "a.pdf", ["two"])
        read(pdfs, out, states)
        assert other.follow(states) == index.follow(states) == (1, 1)
        assert sources(index, "one") == sources(other, "one") == []
        assert sources(index, "two") == sources(other, "two") == ["a.pdf"]


def test_an_index_of_another_version_is_made_anew(
    pdfs: Path, out: Path, states: States, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_pdf(pdfs / "a.pdf", ["one"])
    read(pdfs, out, states)
    index.follow(states)
    tables = index_module._TABLES.replace("user_version = 1", "user_version = 2")
    monkeypatch.setattr(index_module, "_TABLES", tables)
    monkeypatch.setattr(index_module, "_VERSION", 2)
    with Index(str(out)) as other:
        assert sources(other, "one") == []
        assert other.follow(states) == (1, 1)
        assert sources(other, "one") == ["a.pdf"]
