"""The report line of a source: its keys, and the way back from it to an outcome."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pdfingest.exchange.record import as_text
from pdfingest.exchange.said import Record
from pdfingest.model import SCHEMA, FailureKind
from pdfingest.outcome import (
    NO_SHAPE,
    NO_TRAITS,
    Attachment,
    Cost,
    Extracted,
    Failed,
    Finished,
    Gone,
    Outcome,
    Peak,
    Shape,
    Status,
    Traits,
)
from pdfingest.text import clean


def report_line(finished: Finished, digest: str) -> Record:
    """Make the report line of a source in a run whose options have this digest."""
    source, outcome = finished.source, finished.outcome
    cost, peak = outcome.cost, outcome.cost.peak
    return {
        "source": source.name,
        "sha256": outcome.sha256,
        "bytes": source.size_bytes,
        "status": outcome.status.value,
        "failure": str(outcome.failure or ""),
        "message": clean(outcome.message),
        "engine": outcome.engine,
        "pages": outcome.pages,
        "total_pages": outcome.total_pages,
        "pages_failed": len(outcome.failed_pages),
        "failed_pages": list(outcome.failed_pages),
        "needs_ocr_pages": outcome.needs_ocr_pages,
        "ocr_pages": outcome.ocr_pages,
        "chars": outcome.chars,
        **_traits(outcome),
        "attempts": cost.attempts if cost.started_at else 0,
        "peak_rss_bytes": peak.peak_bytes,
        "baseline_rss_bytes": peak.baseline_bytes,
        "peak_method": peak.method,
        "private_peak_bytes": peak.private_peak_bytes,
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


def _traits(outcome: Outcome | Gone) -> Record:
    """Make the part of a report line that says what the document is."""
    traits = outcome.traits if isinstance(outcome, Extracted) else NO_TRAITS
    shape = outcome.shape if isinstance(outcome, Extracted) else NO_SHAPE
    return {
        "pdf_version": clean(traits.pdf_version),
        "is_tagged": traits.is_tagged,
        "is_signed": traits.is_signed,
        "has_xfa": traits.has_xfa,
        "page_width": shape.width,
        "page_height": shape.height,
        "page_turn": shape.turn,
        "attachments": as_text(
            [
                {"name": clean(each.name), "bytes": each.size_bytes, "is_pdf": each.is_pdf}
                for each in traits.attachments
            ]
        ),
    }


def _traits_of(line: Mapping[str, Any]) -> Traits:
    """Read back from a report line what the document is."""
    return Traits(
        pdf_version=line["pdf_version"],
        is_tagged=line["is_tagged"],
        is_signed=line["is_signed"],
        has_xfa=line["has_xfa"],
        attachments=tuple(
            Attachment(each["name"], each["bytes"], each["is_pdf"])
            for each in json.loads(line["attachments"])
        ),
    )


def outcome_of(line: Mapping[str, Any]) -> Extracted | Failed:
    """Read back an outcome from its report line, as a worker of the service sends it.

    Args:
        line: decoded report line, with any status but `unchanged` and `gone`.
    """
    started_at = line["started_at"]
    cost = Cost(
        pid=line["pid"],
        started_at=datetime.fromisoformat(started_at).timestamp() if started_at else 0.0,
        wall_s=line["wall_s"],
        cpu_s=line["cpu_s"],
        peak=Peak(
            line["peak_rss_bytes"],
            line["baseline_rss_bytes"],
            line["peak_method"],
            line["private_peak_bytes"],
        ),
        attempts=line["attempts"],
        signal=line["signal"],
        stack=line["stack"],
    )
    lost = tuple(line["failed_pages"])
    failure = FailureKind(line["failure"]) if line["failure"] else None
    if line["status"] == Status.FAILED:
        assert failure is not None, "a source that failed has a failure"
        return Failed(failure, line["message"], cost, line["sha256"], line["engine"], lost)
    return Extracted(
        cost=cost,
        sha256=line["sha256"],
        engine=line["engine"],
        pages=line["pages"],
        chars=line["chars"],
        needs_ocr_pages=line["needs_ocr_pages"],
        ocr_pages=line["ocr_pages"],
        failed_pages=lost,
        failure=failure,
        message=line["message"],
        last_page=line["total_pages"],
        traits=_traits_of(line),
        shape=Shape(line["page_width"], line["page_height"], line["page_turn"]),
    )


def iso_time(epoch_s: float) -> str:
    """Format seconds since the epoch as ISO 8601 in UTC with milliseconds; empty for 0."""
    if not epoch_s:
        return ""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")
