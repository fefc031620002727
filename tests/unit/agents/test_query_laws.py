"""Whatever an agent searches for is a valid expression of FTS5, or is refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pdfingest.agents.index import TOKENS
from pdfingest.agents.query import Query, separated, shown
from pdfingest.errors import UsageError


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """A table with words of two kinds."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(f"CREATE VIRTUAL TABLE words USING fts5 (text, {TOKENS})")
        for text in ("the cat sat", "Naïve façade, 2nd ed.", separated("灯台守は船を記録した")):
            database.execute("INSERT INTO words VALUES (?)", (text,))
        yield database


def found(database: sqlite3.Connection, expression: str) -> list[int]:
    sql = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid"
    return [row for (row,) in database.execute(sql, (expression,))]


@given(st.text(st.characters(codec="utf-8") | st.sampled_from('"*^():{}-+ ANDORT'), max_size=60))
@example('"')
@example("a\0b")
@example("NEAR(a b, 2)")
@example('""a" AND')
@example("*a*")
def test_every_query_is_valid_or_refused(database: sqlite3.Connection, words: str) -> None:
    try:
        query = Query.of(words)
    except UsageError:
        return
    both = found(database, query.all_terms), found(database, query.any_term)
    assert set(both[0]) <= set(both[1])


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("CAT sat", [1]),
        ('"cat sat"', [1]),
        ('"sat cat"', []),
        ('"cat sat', [1]),
        ("ca*", [1]),
        ("ca", []),
        ("2nd (ed.", [2]),
        ("naive FACADE", [2]),
        ("灯台守", [3]),
        ("台守は", [3]),
        ("守台", []),
        ("船", [3]),
        ("cat NOT", []),
    ],
)
def test_a_query_finds_its_words(database: sqlite3.Connection, words: str, rows: list[int]) -> None:
    assert found(database, Query.of(words).all_terms) == rows


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_what_only_the_index_has_is_not_shown(text: str) -> None:
    assert shown(separated(text[:500])) == text[:500]


def test_many_words_are_no_endless_expression() -> None:
    assert len(Query.of(" ".join(map(str, range(200)))).terms) == 50
