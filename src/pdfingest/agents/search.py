"""What the tool `search` does: words, phrases and snippets over the index."""

import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from pdfingest.agents.answers import Found, Hit
from pdfingest.agents.index import TOKENS, Index
from pdfingest.agents.query import Query, separated, shown
from pdfingest.agents.reader import find, unknown
from pdfingest.agents.records import Passage, passages, record_at
from pdfingest.errors import UsageError
from pdfingest.exchange.said import Record
from pdfingest.output.states import States

_SNIPPETS = f"CREATE VIRTUAL TABLE hit USING fts5 (text, {TOKENS})"
_SNIPPET = "SELECT rowid, snippet(hit, 0, '**', '**', '…', 40) FROM hit WHERE hit MATCH ?"
_SOME = "Nothing has all of the words; these have some of them."
_NOTHING = "Nothing was found. Try other words, or the beginning of a word, such as invoic*."


@dataclass(frozen=True, slots=True)
class _Hit:
    """A passage that was found."""

    record: Record
    passage: Passage


class Search:
    """Searches an output directory. Safe to call from several threads.

    Args:
        states: the sources; nothing but the index may use them, too.
        index: an index of these sources.
    """

    def __init__(self, states: States, index: Index) -> None:
        self._states = states
        self._index = index
        self._lock = threading.Lock()

    def search(self, words: str, source: str, limit: int) -> Found:
        """Find the passages that words are in, or if there are none, some of the words.

        Args:
            words: words, and phrases in quotes; a word that ends in `*` stands for all that begin
                so. Nothing else has a meaning.
            source: name of the only source to search; empty for all.
            limit: most passages to return.

        Raises:
            UsageError: there are no words, or there is no such source.
            EngineUnavailableError: SQLite has no FTS5.
            PdfingestError: the output directory cannot be read, or the index cannot be written.
        """
        query = Query.of(words)
        with self._lock:
            self._states.refresh()
            name = ""
            if source:
                state = find(self._states, source)
                if state is None:
                    raise UsageError(unknown(source))
                name = state.name
            indexed, sources = self._index.follow(self._states)
            note = ""
            if not (hits := self._hits(expression := query.all_terms, name, limit)):
                hits = self._hits(expression := query.any_term, name, limit)
                note = _SOME if hits else _NOTHING
        if indexed < sources:
            note = f"{indexed} of {sources} sources are in the index yet: search again. {note}"
        snippets = _snippets(hits, expression)
        return Found(
            note=note.strip(),
            hits=[_answer(hit, snippet) for hit, snippet in zip(hits, snippets, strict=True)],
            indexed_sources=indexed,
            sources=sources,
        )

    def _hits(self, expression: str, name: str, limit: int) -> list[_Hit]:
        hits: list[_Hit] = []
        for found in self._index.find(expression, name, limit):
            state = self._states.get(found.source)
            assert state is not None, "the index has just followed the states"
            record = record_at(state, found.place)
            hits.append(_Hit(record, passages(record)[found.part]))
        return hits


def _snippets(hits: Sequence[_Hit], expression: str) -> list[str]:
    """Cut a snippet of each hit, by the same rules as the index has for words."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(_SNIPPETS)
        for number, hit in enumerate(hits):
            text = separated(hit.passage.text)
            database.execute("INSERT INTO hit (rowid, text) VALUES (?, ?)", (number, text))
        found = dict(database.execute(_SNIPPET, (expression,)).fetchall())
    return [shown(found.get(number, "")) for number in range(len(hits))]


def _answer(hit: _Hit, snippet: str) -> Hit:
    metadata = hit.record["metadata"]
    return Hit(
        source=hit.record["source"],
        page=hit.passage.page,
        id=hit.record["id"],
        title=metadata.get("title", ""),
        section=hit.passage.section,
        snippet=snippet,
    )
