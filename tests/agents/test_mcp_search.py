"""What a search finds, and that it finds nothing that was superseded."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("mcp")

from agent import Agent, agent_of

from conftest import ROOT, make_pdf
from pdfingest import IngestOptions, ingest
from pdfingest.output.compact import compact
from pdfingest.output.lock import held


@pytest.fixture
def agent(tmp_path: Path, pdfs: Path) -> Iterator[Agent]:
    """An agent over two files with two pages each."""
    make_pdf(pdfs / "cats.pdf", ["A cat sat on the café table.", 'Nothing (here) is "C++".'])
    make_pdf(pdfs / "dogs.pdf", ["The dog NOT the cat barked.", "A harbour at night."])
    read(tmp_path, pdfs)
    with agent_of(tmp_path, "out") as agent:
        yield agent


def read(tmp_path: Path, pdfs: Path) -> None:
    """Have a run take in what has changed."""
    ingest(pdfs, IngestOptions(output=tmp_path / "out", workers=2))


def places(agent: Agent, query: str, **more: object) -> list[tuple[str, int]]:
    """Where a query is found."""
    return sorted(
        (each["source"], each["page"]) for each in agent.call("search", query=query, **more)["hits"]
    )


def test_words_are_found_whatever_their_case_and_accents(agent: Agent) -> None:
    assert places(agent, "CAT") == [("cats.pdf", 1), ("dogs.pdf", 1)]
    assert places(agent, "cafe cat") == [("cats.pdf", 1)]
    assert places(agent, "harb*") == [("dogs.pdf", 2)]


def test_a_hit_says_where_it_is(agent: Agent) -> None:
    (hit,) = agent.call("search", query="harbour")["hits"]
    assert hit["snippet"] == "A **harbour** at night."
    assert hit["id"].endswith(":p0002")


def test_a_phrase_is_found_only_as_it_is(agent: Agent) -> None:
    assert places(agent, '"cat sat"') == [("cats.pdf", 1)]
    assert places(agent, '"sat cat"') == []


def test_no_query_is_an_error_of_its_syntax(agent: Agent) -> None:
    for query in ("cat OR", 'NEAR("cat', "cat)", "^cat", "-dog cat", '"cat" AND "', "{cat}"):
        assert agent.call("search", query=query)["hits"], query
    for query in ("text:cat", "c'at", "cat:", "a b NEAR c"):
        agent.call("search", query=query)


def test_a_query_without_a_word_is_refused(agent: Agent) -> None:
    for query in ("", '"', "*", "() -- ++", "\0"):
        assert "has no word" in agent.refusal("search", query=query)


def test_a_query_that_is_too_long_is_refused(agent: Agent) -> None:
    assert "at most 1000" in agent.refusal("search", query="cat " * 300)


def test_words_of_a_query_language_are_words(agent: Agent) -> None:
    assert places(agent, "dog NOT cat") == [("dogs.pdf", 1)]
    assert places(agent, 'C++" (') == [("cats.pdf", 2)]


def test_where_nothing_has_all_words_what_has_some_is_returned_with_a_note(agent: Agent) -> None:
    found = agent.call("search", query="harbour zebra")
    assert [each["source"] for each in found["hits"]] == ["dogs.pdf"]
    assert "some of them" in found["note"]
    assert "Nothing was found" in agent.call("search", query="zebra")["note"]


def test_the_limit_and_the_source_are_kept(agent: Agent) -> None:
    assert len(places(agent, "cat", limit=1)) == 1
    assert places(agent, "cat", source="dogs.pdf") == [("dogs.pdf", 1)]
    assert "there is no source" in agent.refusal("search", query="cat", source="birds.pdf")


def test_what_a_later_run_changed_is_found_and_what_it_replaced_is_not(
    agent: Agent, tmp_path: Path, pdfs: Path
) -> None:
    assert places(agent, "sat") == [("cats.pdf", 1)]
    make_pdf(pdfs / "cats.pdf", ["A zebra stood.", "It ran."])
    (pdfs / "dogs.pdf").unlink()
    make_pdf(pdfs / "birds.pdf", ["A heron stood there."])
    read(tmp_path, pdfs)
    assert places(agent, "sat") == places(agent, "barked") == []
    assert places(agent, "stood") == [("birds.pdf", 1), ("cats.pdf", 1)]


def test_an_index_of_an_earlier_server_follows_the_runs_since(
    agent: Agent, tmp_path: Path, pdfs: Path
) -> None:
    assert places(agent, "sat") == [("cats.pdf", 1)]
    make_pdf(pdfs / "cats.pdf", ["A zebra stood."])
    read(tmp_path, pdfs)
    with agent_of(tmp_path, "out") as other:
        assert places(other, "sat") == []
        assert places(other, "stood") == [("cats.pdf", 1)]


def test_a_compaction_changes_nothing(agent: Agent, tmp_path: Path, pdfs: Path) -> None:
    make_pdf(pdfs / "cats.pdf", ["A zebra stood."])
    read(tmp_path, pdfs)
    before = agent.call("search", query="zebra harbour")
    compact(str(tmp_path / "out"))
    assert agent.call("search", query="zebra harbour") == before


def test_an_index_that_is_damaged_is_made_again(agent: Agent, tmp_path: Path) -> None:
    (tmp_path / "out" / ".pdfingest" / "search.sqlite3").write_bytes(b"no database" * 1000)
    assert places(agent, "sat") == [("cats.pdf", 1)]


def test_an_output_that_cannot_be_written_has_its_index_elsewhere(
    agent: Agent, tmp_path: Path
) -> None:
    os.mkdir(tmp_path / "out" / ".pdfingest" / "search.sqlite3")
    assert places(agent, "sat") == [("cats.pdf", 1)]
    assert places(agent, "barked") == [("dogs.pdf", 1)]


def test_a_search_reads_what_a_run_has_committed_while_it_goes_on(
    agent: Agent, tmp_path: Path
) -> None:
    with held(str(tmp_path / "out")):
        assert places(agent, "sat") == [("cats.pdf", 1)]


def test_text_without_blanks_is_found_by_its_words(tmp_path: Path) -> None:
    ingest(ROOT / "examples" / "pdfs" / "scripts.pdf", IngestOptions(output=tmp_path / "out"))
    with agent_of(tmp_path, "out") as agent:
        for word in ("船", "看守人", "маяка", "naive facade"):
            assert places(agent, word) == [("scripts.pdf", 1)], word
        (hit,) = agent.call("search", query="看守人")["hits"]
        assert "燈塔**看守人**記下了每一艘船" in hit["snippet"]
        assert "Nothing was found" in agent.call("search", query="看記")["note"]
