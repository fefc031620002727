"""What the tools `inspect` and `read_pages` do: look up sources, and read their pages in pieces."""

import fnmatch
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pdfingest.agents.answers import Inspection, Pages, PageText, SourceLine
from pdfingest.agents.facts import facts_of
from pdfingest.agents.records import Passage, passages, records_of, report_line_of
from pdfingest.errors import UsageError
from pdfingest.exchange.said import Record
from pdfingest.output.states import SourceState, States
from pdfingest.text import printable

_MOST_SOURCES = 100
"""Sources in one list."""
_MOST_NUMBERS = 1000
_MAGIC = re.compile(r"[*?\[]")


class Reader:
    """Looks at the sources of an output directory. Safe to call from several threads.

    Args:
        states: the sources; nothing else may use them.
        most_chars: most characters of text in one answer.
    """

    def __init__(self, states: States, most_chars: int) -> None:
        self._states = states
        self._most_chars = most_chars
        self._lock = threading.Lock()

    def inspect(self, source: str, status: str, after: str) -> Inspection:
        """Describe the source of a name, or list the sources that a pattern matches.

        Args:
            source: name, part of a name, or a pattern with `*`, `?` and `[`; empty for all sources.
            status: `ok`, `partial` or `failed`; empty for any.
            after: name in a list to go on behind.

        Raises:
            UsageError: there is none.
            PdfingestError: the output directory cannot be read.
        """
        with self._lock:
            self._states.refresh()
            if source and (state := find(self._states, source)):
                return Inspection(go_on="", facts=facts_of(state), sources=[])
            return self._list(source, status, after)

    def _list(self, pattern: str, status: str, after: str) -> Inspection:
        begin = find(self._states, after) if after else None
        matches = _matcher(pattern)
        states = (
            state
            for state in self._states.walk(begin.name if begin else after)
            if matches(state.name) and status in ("", state.status)
        )
        found = list(islice(states, _MOST_SOURCES + 1))
        if not found and not after and (pattern or status):
            raise UsageError(unknown(pattern or f"with status {status}"))
        more = len(found) > _MOST_SOURCES
        shown = found[:_MOST_SOURCES]
        go_on = _again("inspect", source=pattern, status=status, after=printable(shown[-1].name))
        return Inspection(
            go_on=f"There are more than {_MOST_SOURCES}. Go on with {go_on}" if more else "",
            facts=None,
            sources=[
                SourceLine(
                    source=each.name,
                    status=each.status,
                    failure=each.failure,
                    pages=each.pages,
                    total_pages=each.total_pages,
                )
                for each in shown
            ],
        )

    def read_pages(self, source: str, first: int, last: int, offset: int) -> Pages:
        """Read the text of pages, as much as one answer may have.

        Args:
            source: name of the source.
            first: first page, 1-based.
            last: last page; 0 for the last that there is.
            offset: characters of the first page to leave out, because an earlier answer had them.

        Raises:
            UsageError: there is no such source, or it has no such page.
            PdfingestError: the output directory cannot be read.
        """
        with self._lock:
            self._states.refresh()
            state = find(self._states, source)
            if state is None:
                raise UsageError(unknown(source))
            line = report_line_of(state)
            if state.duplicate_of and not state.records:
                state = self._states.get(state.duplicate_of) or state
            _check(state, line, first, last)
            last = last or max(state.total_pages, first)
            piece = _Piece(self._most_chars, offset)
            for passage, piece.format in _within(state, first, last):
                if not piece.add(passage):
                    break
        lost = [each for each in line["failed_pages"] if first <= each <= last]
        return Pages(
            go_on=piece.cut(source, last),
            source=source,
            total_pages=state.total_pages,
            lost_pages=lost[:_MOST_NUMBERS],
            format=piece.format,
            pages=piece.pages,
        )


def _check(state: SourceState, line: Record, first: int, last: int) -> None:
    """Check that a source has text, and the pages that are asked for.

    Raises:
        UsageError: it has not.
    """
    if not state.records:
        raise UsageError(f"{line['source']} has no text: {line['failure']}, {line['message']}.")
    if last and last < first:
        raise UsageError(f"first is {first} and must not be after last, which is {last}.")
    if 0 < state.total_pages < first:
        raise UsageError(f"{line['source']} has {state.total_pages} pages and no page {first}.")


@dataclass(slots=True)
class _Piece:
    """Text of one answer, up to its most characters."""

    most_chars: int
    offset: int
    """Characters of the first page that are still to be left out."""
    format: str = ""
    pages: list[PageText] = field(default_factory=list[PageText])
    next: tuple[int, int] | None = None
    """Page and offset to go on at, where something was cut."""
    _used: int = 0
    _page: int = -1
    _at: int = 0
    """Characters of this page so far; chunks that begin on one page count as one text."""

    def add(self, passage: Passage) -> bool:
        """Take in a passage if there is room, and return whether there may be room for the next.

        One is cut only if it would not fit into an answer of its own.
        """
        if passage.page != self._page:
            self.offset *= self._page < 0  # it is of the first page
            self._page, self._at = passage.page, 0
        skipped = min(self.offset, len(passage.text))
        text = passage.text[skipped:]
        self.offset -= skipped
        self._at += skipped
        if skipped and not text:
            return True
        room = self.most_chars - self._used
        if len(text) > room:
            if self.pages:
                room = 0
            self.next = passage.page, self._at + room
        if room or not self.next:
            self.pages.append(
                PageText(
                    page=passage.page,
                    label=passage.label,
                    section=passage.section,
                    text=text[:room],
                )
            )
        self._used += len(text)
        self._at += len(text)
        return self.next is None

    def cut(self, source: str, last: int) -> str:
        """Say where the text was cut and how to go on; empty if it was not."""
        if self.next is None:
            return ""
        first, offset = self.next
        call = _again("read_pages", source=source, first=first, last=last, offset=offset)
        return f"Cut after {self.most_chars} characters. Go on with {call}"


def find(states: States, name: str) -> SourceState | None:
    """Find a source by its name, which may be written as answers show it; None if there is none."""
    if (state := states.get(name)) or "\\" not in name:
        return state
    return next((each for each in states.walk() if printable(each.name) == name), None)


def _within(state: SourceState, first: int, last: int) -> Iterator[tuple[Passage, str]]:
    """Yield the passages of pages, and those that belong to no page, with the format of each.

    A chunk may go on over several pages. So where none begins on the first page, those come that
    begin on the page before it.
    """
    before: list[tuple[Passage, str]] = []
    for _, record in records_of(state):
        metadata = record["metadata"]
        for passage in passages(record):
            found = passage, metadata.get("format", "")
            if not passage.page:
                yield found
            elif passage.page < first:
                if before and before[0][0].page != passage.page:
                    before.clear()
                if metadata.get("chunk", 0):
                    before.append(found)
            else:
                if passage.page > first:
                    yield from before
                before.clear()
                if passage.page > last:
                    return
                yield found
    yield from before


def _matcher(pattern: str) -> Callable[[str], object]:
    """Return what tells whether a name matches a pattern, or has a text in it."""
    if _MAGIC.search(pattern):
        # Each `*` of such an expression is atomic, so that no pattern takes long.
        return re.compile(fnmatch.translate(pattern), re.IGNORECASE).match
    folded = pattern.casefold()
    return lambda name: folded in name.casefold()


def unknown(source: str) -> str:
    """Return the message for a name that no source has."""
    return (
        f"there is no source {printable(source, 200)}. Call inspect without arguments for a list "
        "of the sources, or with a part of the name."
    )


def _again(tool: str, **arguments: Any) -> str:
    """Return a call of a tool, as text, without the arguments that are empty."""
    given = (
        f"{name}={json.dumps(value, ensure_ascii=False)}"
        for name, value in arguments.items()
        if value
    )
    return f"{tool}({', '.join(given)})"
