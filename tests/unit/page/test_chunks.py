"""Laws of chunks, over documents of any kind."""

import re
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pdfingest.model import Format
from pdfingest.page.chunks import Chunk, Chunker, goes_on
from pdfingest.page.sections import Sections
from pdfingest.page.splitting import load

pytest.importorskip("semantic_text_splitter")

HEADING = re.compile(r"#{1,6} [^\n]*$")
WORDS = st.text("abc αβ 水火äé.,!", min_size=1).map(str.strip).filter(bool)
TITLES = st.builds("{} {}".format, st.sampled_from(["#", "##", "####"]), WORDS)
ROWS = st.lists(WORDS, min_size=1, max_size=4).map(lambda cells: f"| {' | '.join(cells)} |")
BLOCKS = st.one_of(
    TITLES,
    st.lists(WORDS, min_size=1, max_size=30).map(" ".join),
    st.lists(ROWS, min_size=3, max_size=8).map("\n".join),
    st.lists(WORDS.map("- {}".format), min_size=1, max_size=6).map("\n".join),
    st.lists(WORDS, min_size=1, max_size=4).map(lambda lines: "\n".join(["```", *lines, "```"])),
    st.integers(1, 400).map(lambda times: "x" * times),
)
PAGES = st.lists(st.lists(BLOCKS, max_size=8).map("\n\n".join), min_size=1, max_size=5)


def cut(
    pages: list[str], size: int, overlap: int = 0, form: Format = Format.MARKDOWN
) -> tuple[str, list[Chunk]]:
    """Return the text of a document, and its chunks by characters."""
    chunker = Chunker(load(f"{size}:{overlap}:characters"), form)
    document, found = "", list[Chunk]()
    for index, page in enumerate(pages):
        between = "\n\n" if index else ""
        flow = "  " if index and goes_on(pages[index - 1], page) else between
        document += between + page
        found += chunker.add(between + page, flow + page)
    return document, [*found, *chunker.close()]


@given(PAGES, st.integers(16, 200), st.integers(0, 15), st.sampled_from(Format))
def test_no_character_is_lost_or_twice_beyond_the_overlap(
    pages: list[str], size: int, overlap: int, form: Format
) -> None:
    document, chunks = cut(pages, size, overlap, form)
    end = 0
    for chunk in chunks:
        assert chunk.text == document[chunk.start : chunk.end]
        assert not document[end : chunk.start].strip()
        assert chunk.start >= end - overlap
        assert chunk.end > end
        end = chunk.end
    assert not document[end:].strip()


@given(PAGES, st.integers(16, 200), st.integers(0, 15), st.sampled_from(Format))
def test_no_chunk_is_larger_than_it_may_be(
    pages: list[str], size: int, overlap: int, form: Format
) -> None:
    assert all(len(chunk.text.strip()) <= size for chunk in cut(pages, size, overlap, form)[1])


@given(
    st.lists(
        st.tuples(st.lists(TITLES.map(lambda title: title[:20]), max_size=3), BLOCKS), min_size=1
    )
)
def test_a_heading_never_ends_a_chunk(sections: list[tuple[list[str], str]]) -> None:
    blocks = [block for titles, text in sections for block in (*titles, text.lstrip("# "))]
    _, chunks = cut(["\n\n".join(filter(None, blocks))], 120)
    for chunk, _ in pairwise(chunks):
        assert not HEADING.match(chunk.text.rpartition("\n")[2])


def test_a_heading_is_with_the_begin_of_a_paragraph_that_is_too_long() -> None:
    long = "The keeper wrote down every ship that passed the cape. " * 20
    _, chunks = cut([f"Before.\n\n# What? Ships.\n\n## Kept.\n\n{long}"], 100)
    assert chunks[1].text.startswith("# What? Ships.\n\n## Kept.\n\nThe keeper wrote")


def test_a_title_of_plain_text_does_not_end_a_chunk() -> None:
    ships = "Seventeen ships passed the cape in January, and none of them was lost."
    _, chunks = cut([f"{ships}\n\nShips lost\n\n{ships}"], 90, form=Format.TEXT)
    assert [chunk.text for chunk in chunks] == [ships, f"Ships lost\n\n{ships}"]


def test_a_paragraph_goes_on_over_the_border_of_a_page() -> None:
    pages = [
        "One. Two.\n\nThe keeper wrote down every",
        "ship that passed.\n\nAnother begins here.",
    ]
    document, chunks = cut(pages, 50)
    assert [chunk.text for chunk in chunks] == [
        "One. Two.",
        "The keeper wrote down every\n\nship that passed.",
        "Another begins here.",
    ]
    assert document.count("\n\n") == 3


@pytest.mark.parametrize(
    ("before", "after", "is_one"),
    [
        ("written down every", "ship that passed", True),
        ("written down,", "and kept", True),
        ("記錄了每一艘", "船", True),
        ("The end.", "and another", False),
        ("a word", "Another begins", False),
        ("# A title", "and text", False),
        ("| a | row |", "text", False),
        ("", "text", False),
        ("text", "", False),
    ],
)
def test_a_paragraph_that_goes_on_is_told_by_its_end_and_the_begin_of_the_next(
    before: str, after: str, is_one: bool
) -> None:
    assert goes_on(before, after) is is_one


def test_a_table_is_whole_where_it_fits() -> None:
    table = "\n".join(["| a | b |", "|---|---|", *["| 1 | 2 |"] * 6])
    _, chunks = cut([f"{'Words. ' * 8}\n\n{table}\n\n{'Words. ' * 8}"], 100)
    assert table in [chunk.text for chunk in chunks]


def test_the_window_moves_over_a_document_of_any_length() -> None:
    text = "\n\n".join(f"# Section {n}\n\n{'Some words of it. ' * 20}" for n in range(300))
    document, chunks = cut([text], 200)
    assert document == text
    assert len(chunks) >= 600
    assert all(chunk.text.startswith("# ") for chunk in chunks if "# " in chunk.text)


@pytest.mark.parametrize("tokenizer", ["characters", "words", "gpt-4o"])
def test_each_tokenizer_bounds_what_it_counts(tokenizer: str) -> None:
    splitters = load(f"20:0:{tokenizer}")
    chunker = Chunker(splitters, Format.TEXT)
    text = "The keeper wrote down every ship. " * 40 + "燈塔看守人記下了每一艘船" * 20
    chunks = [*chunker.add(text), *chunker.close()]
    for chunk in chunks:
        assert len(splitters.plain().chunk_indices(chunk.text)) == 1
        if tokenizer != "gpt-4o":
            counted = len(chunk.text) if tokenizer == "characters" else len(chunk.text.split())
            assert counted <= 20
    assert max(len(chunk.text) for chunk in chunks) >= 20


def test_a_chunk_stands_under_the_headings_above_it_and_at_its_begin() -> None:
    text = (
        "Preface.\n\n# One\n\nText of one.\n\n### Deep \\# er\n\nText.\n\n"
        "```\n# no heading\n```\n\n## Two\n\n### Three\n\nText of three.\n\n"
        "# Last\n\nHere it ends after."
    )
    _, chunks = cut([text], 30)
    sections = Sections()
    said = {chunk.text.split("\n")[0]: sections.of(chunk) for chunk in chunks}
    assert said == {
        "Preface.": "",
        "# One": "One",
        "### Deep \\# er": "One > Deep # er",
        "```": "One > Deep # er",
        "## Two": "One > Two > Three",
        "three.": "One > Two > Three",
        "# Last": "Last",
    }


def test_what_is_all_overlap_is_no_chunk_of_its_own() -> None:
    draw = Random(22)
    words = ["a", "keeper,", "wrote.", "down", "every", "ship!", "x" * 30]
    for _ in range(20):
        page = "".join(
            draw.choice(words) + draw.choice([" ", " ", " ", "\n", "\n\n", "\n\n## Title\n\n"])
            for _ in range(900)
        )
        for form in (Format.TEXT, Format.MARKDOWN):
            ends = [chunk.end for chunk in cut([page], 40, 35, form)[1]]
            assert ends == sorted(set(ends))
