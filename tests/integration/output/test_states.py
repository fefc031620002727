"""The newest states of sources, while runs write them."""

from pathlib import Path

import pytest

from conftest import make_pdf
from pdfingest import IngestOptions, ingest
from pdfingest.errors import NoInputError
from pdfingest.output.compact import compact
from pdfingest.output.states import States


def test_a_state_is_that_of_the_newest_run(pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["one"])
    make_pdf(pdfs / "b.pdf", ["two", "three"])
    with States(str(out)) as states:
        with pytest.raises(NoInputError):
            states.refresh()
        ingest(pdfs, IngestOptions(output=out))
        states.refresh()
        before = {each.name: each for each in states.walk()}
        assert [each.pages for each in before.values()] == [1, 2]

        make_pdf(pdfs / "a.pdf", ["one", "more"])
        (pdfs / "b.pdf").unlink()
        ingest(pdfs, IngestOptions(output=out))
        assert states.get("b.pdf") == before["b.pdf"]
        states.refresh()
        assert states.get("b.pdf") is None
        (after,) = states.walk()
        assert (after.name, after.pages) == ("a.pdf", 2)
        assert after.finished_at > before["a.pdf"].finished_at

        compact(str(out))
        states.refresh()
        moved = states.get("a.pdf")
        assert moved is not None
        assert (moved.records_at, after.records_at > 0) == (0, True)
        assert moved.finished_at == after.finished_at


def test_a_source_in_two_parts_counts_once_and_as_it_was_read_last(pdfs: Path, out: Path) -> None:
    for number in range(8):
        make_pdf(pdfs / f"{number}.pdf", ["one"])
    for index in range(2):
        ingest(pdfs, IngestOptions(output=out, shard=f"{index}/2"))
    make_pdf(pdfs / "3.pdf", ["one", "two"])
    for index in range(3):
        ingest(pdfs, IngestOptions(output=out, shard=f"{index}/3"))
    with States(str(out)) as states:
        states.refresh()
        found = list(states.walk())
        assert [each.name for each in found] == [f"{number}.pdf" for number in range(8)]
        assert [each.pages for each in found] == [1, 1, 1, 2, 1, 1, 1, 1]
        assert {each.folder[-2:] for each in found} == {"03"}
        assert [each.name for each in states.walk("5.pdf")] == ["6.pdf", "7.pdf"]
        assert states.get("3.pdf") == found[3]
