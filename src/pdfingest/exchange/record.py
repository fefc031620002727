"""The lines that users rely on: a record, a report line, and how a line becomes bytes.

Every key stands on every line, with one type each and never null: a reader that infers a schema
from the first lines (Apache Arrow, Hugging Face datasets) fails on a key that appears late or
flips its type. A record holds nothing that changes between two runs of the same file.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pdfingest.model import (
    SCHEMA,
    Cost,
    EngineSpec,
    Extracted,
    Failed,
    FailureKind,
    Finished,
    Gone,
    Outcome,
    Page,
    Peak,
    Unchanged,
)
from pdfingest.text import clean, is_usable, shortened

Record: TypeAlias = dict[str, Any]
"""One line of `pages.jsonl` or `documents.jsonl`, decoded."""

_MOST_LABEL_CHARS = 200
_MOST_LINK_CHARS = 8192
"""What is longer is a mistake or an attack, and stands in each record of the file."""
MOST_INFO_CHARS = 4096
"""The same for a title, an author and the like."""
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}
"""Characters that JSON allows in a string, and that end a line for readers that split by Unicode,
such as Python's `str.splitlines`; they are escaped."""


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What all records of one source share."""

    id: str
    """Of the document record; the page records add their numbers."""
    source: str
    sha256: str
    total_pages: int
    title: str
    author: str
    created: str
    """ISO 8601, or empty."""
    producer: str
    language: str
    """As the document declares it (BCP 47 by ISO 32000-2, 14.9.2), or empty."""
    engine: EngineSpec


def record_id(source: str, sha256: str) -> str:
    """Give the id of a source's document record: the same for the same content and name.

    The name is part of it, as one content may be there under several names, and a vector store
    keeps one record of an id.
    """
    return hashlib.sha256(f"{source}\0{sha256}".encode()).hexdigest()[:16]


def encode(value: Mapping[str, Any]) -> bytes:
    """Encode one line of JSON in UTF-8, newline included.

    Args:
        value: the line; the text in it must be clean (`text.clean`).
    """
    return f"{_escaped(_encode(value))}\n".encode()


def encode_text(text: str) -> bytes:
    """Encode a piece of a JSON string, without its quotes; pieces may be joined."""
    return _escaped(_encode(text)[1:-1]).encode()


def _escaped(line: str) -> str:
    """Escape what ends a line for some readers."""
    if "\x85" in line or "\u2028" in line or "\u2029" in line:
        return line.translate(_LINE_ENDS)
    return line


def page_record(document: DocumentFacts, number: int, page: Page) -> Record:
    """The record of one page.

    Args:
        document: what all records of the source share.
        number: of the page, 1-based.
        page: as the engine gave it.
    """
    text = clean(page.text)
    return {
        "id": f"{document.id}:p{number:04d}",
        "text": text,
        "source": document.source,
        "metadata": _metadata(
            document,
            page=number,
            page_label=shortened(clean(page.label), _MOST_LABEL_CHARS),
            char_count=len(text),
            needs_ocr=page.ink and not is_usable(text),
        ),
        "tables": [],
        "links": [shortened(clean(link), _MOST_LINK_CHARS) for link in page.links],
    }


def facts_of(record: Record, engine: EngineSpec) -> DocumentFacts:
    """What a record shares with the others of its source."""
    metadata = record["metadata"]
    names = (
        "source",
        "sha256",
        "total_pages",
        "title",
        "author",
        "created",
        "producer",
        "language",
    )
    shared = {name: metadata[name] for name in names}
    return DocumentFacts(id=record["id"].partition(":")[0], **shared, engine=engine)


def document_tail(
    document: DocumentFacts,
    *,
    char_count: int,
    needs_ocr: bool,
    page_offsets: Sequence[int],
    links: Sequence[str],
) -> Record:
    """All of a document record that stands behind `text`."""
    return {
        "source": document.source,
        "metadata": _metadata(
            document, page=0, page_label="", char_count=char_count, needs_ocr=needs_ocr
        ),
        "tables": [],
        "links": links,
        "page_offsets": page_offsets,
    }


def _metadata(
    document: DocumentFacts, *, page: int, page_label: str, char_count: int, needs_ocr: bool
) -> Record:
    """The flat scalar metadata that vector stores take."""
    return {
        "source": document.source,
        "file_name": document.source.rpartition("/")[2],
        "sha256": document.sha256,
        "page": page,
        "page_label": page_label,
        "total_pages": document.total_pages,
        "title": document.title,
        "author": document.author,
        "created": document.created,
        "producer": document.producer,
        "language": document.language,
        "engine": document.engine.name,
        "engine_version": document.engine.version,
        "char_count": char_count,
        "needs_ocr": needs_ocr,
        "schema": SCHEMA,
    }


def report_line(finished: Finished, digest: str) -> Record:
    """How one source ended and what it cost."""
    source, outcome = finished.source, finished.outcome
    cost, peak = outcome.cost, outcome.cost.peak
    return {
        "source": source.name,
        "sha256": outcome.sha256,
        "bytes": source.size_bytes,
        **_ending(outcome),
        "attempts": cost.attempts if cost.started_at else 0,
        "peak_rss_bytes": peak.peak_bytes,
        "baseline_rss_bytes": peak.baseline_bytes,
        "peak_method": peak.method,
        "cpu_s": round(cost.cpu_s, 4),
        "wall_s": round(cost.wall_s, 4),
        "started_at": iso_time(cost.started_at),
        "pid": cost.pid,
        "signal": cost.signal,
        "stack": clean(cost.stack),
        "duplicate_of": finished.duplicate_of,
        "options_digest": digest,
        "schema": SCHEMA,
    }


def outcome_of(line: Mapping[str, Any]) -> Extracted | Failed:
    """The outcome that a report line tells; what `report_line` left out is at its default.

    Args:
        line: decoded; not of an unchanged source, which is a statement about an earlier run.
    """
    started_at = line["started_at"]
    cost = Cost(
        pid=line["pid"],
        started_at=datetime.fromisoformat(started_at).timestamp() if started_at else 0.0,
        wall_s=line["wall_s"],
        cpu_s=line["cpu_s"],
        peak=Peak(line["peak_rss_bytes"], line["baseline_rss_bytes"], line["peak_method"]),
        attempts=line["attempts"],
        signal=line["signal"],
        stack=line["stack"],
    )
    lost = tuple(line["failed_pages"])
    kind = FailureKind(line["failure"]) if line["failure"] else None
    if line["status"] == "failed":
        assert kind is not None, "a failure has a kind"
        return Failed(kind, line["message"], cost, line["sha256"], line["engine"], lost)
    return Extracted(
        cost=cost,
        sha256=line["sha256"],
        engine=line["engine"],
        pages=line["pages"],
        chars=line["chars"],
        needs_ocr_pages=line["needs_ocr_pages"],
        failed_pages=lost,
        failure=kind,
        message=line["message"],
        last_page=line["total_pages"],
    )


def status_of(outcome: Outcome | Gone) -> str:
    """Give `ok`, `partial`, `failed`, `unchanged` or `gone`."""
    match outcome:
        case Extracted(failed_pages=()):
            return "ok"
        case Extracted():
            return "partial"
        case Failed():
            return "failed"
        case Unchanged():
            return "unchanged"
        case Gone():
            return "gone"


def _ending(outcome: Outcome | Gone) -> Record:
    """Give the part of a report line that tells how the source ended."""
    failure = message = ""
    pages = total_pages = needs_ocr_pages = chars = 0
    match outcome:
        case Extracted():
            failure, message = outcome.failure or "", outcome.message
            pages, total_pages = outcome.pages, outcome.last_page
            needs_ocr_pages, chars = outcome.needs_ocr_pages, outcome.chars
        case Unchanged():
            pages, total_pages = outcome.pages, outcome.total_pages
            needs_ocr_pages, chars = outcome.needs_ocr_pages, outcome.chars
        case Failed():
            failure, message = outcome.kind, outcome.message
            total_pages = len(outcome.failed_pages)
        case Gone():
            pass
    return {
        "status": status_of(outcome),
        "failure": str(failure),
        "message": clean(message),
        "engine": outcome.engine,
        "pages": pages,
        "total_pages": total_pages,
        "pages_failed": len(outcome.failed_pages),
        "failed_pages": list(outcome.failed_pages),
        "needs_ocr_pages": needs_ocr_pages,
        "chars": chars,
    }


def iso_time(epoch_s: float) -> str:
    """Give a time as ISO 8601 in UTC with milliseconds; empty for 0."""
    if not epoch_s:
        return ""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
