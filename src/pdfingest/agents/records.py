"""Records of a source as an output has them: read one at a time, and cut into their pages."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pdfingest.errors import OutputError
from pdfingest.exchange.said import Record
from pdfingest.output.layout import REPORT
from pdfingest.output.states import SourceState


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is, in bytes; within the records of its source, so that it may move."""

    at: int
    length: int


@dataclass(frozen=True, slots=True)
class Passage:
    """The text of one page, or that of a whole record whose pages are not known."""

    page: int
    """1-based; 0 if it is not known."""
    label: str
    section: str
    text: str


def records_of(state: SourceState) -> Iterator[tuple[Place, Record]]:
    """Yield the records of a source in the order of its pages, one at a time.

    Raises:
        OutputError: they cannot be read, or are not where the ledger says.
    """
    if not state.records:
        return
    path = os.path.join(state.folder, state.records)
    with _opened(path) as file:
        file.seek(state.records_at)
        at = 0
        while at < state.records_bytes:
            line = file.readline()
            yield Place(at, len(line)), _decoded(line, path, state.name)
            at += len(line)


def record_at(state: SourceState, place: Place) -> Record:
    """Read one record of a source.

    Raises:
        OutputError: it cannot be read, or is not there.
    """
    path = os.path.join(state.folder, state.records)
    return _line_at(path, state.records_at + place.at, place.length, state.name)


def report_line_of(state: SourceState) -> Record:
    """Read the report line that says how the present state of a source came about.

    Raises:
        OutputError: it cannot be read, or is not there.
    """
    path = os.path.join(state.folder, REPORT)
    return _line_at(path, state.report_at, state.report_bytes, state.name)


def passages(record: Record) -> list[Passage]:
    """Cut the text of a record into pages; a record that is not of a document is one passage."""
    metadata, text = record["metadata"], record["text"]
    section = metadata.get("section", "")
    if offsets := record.get("page_offsets"):
        ends = pairwise([*offsets, len(text)])
        return [Passage(page, "", "", text[a:b]) for page, (a, b) in enumerate(ends, 1)]
    return [Passage(metadata.get("page", 0), metadata.get("page_label", ""), section, text)]


def _line_at(path: str, at: int, length: int, source: str) -> Record:
    with _opened(path) as file:
        file.seek(at)
        return _decoded(file.read(length), path, source)


def _opened(path: str) -> Any:
    try:
        return open(path, "rb")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be read: {error.strerror}. Bring it back, or ingest again."
        ) from error


def _decoded(line: bytes, path: str, source: str) -> Record:
    """Decode a line, and check that it is of its source: a compaction may just have moved it."""
    try:
        record: Record = json.loads(line)
        if record["source"] == source:
            return record
    except (ValueError, LookupError, TypeError):
        pass
    raise OutputError(
        f"{path} does not hold what its ledger says. Try again, as a run may just have rewritten "
        "it; if that does not help, ingest again with --force."
    )
