"""All that is known of one source, beside its text: what the tool `inspect` says of it."""

import json
from dataclasses import dataclass, field
from typing import Any

from pdfingest.agents.answers import Section, SourceFacts
from pdfingest.agents.records import records_of, report_line_of
from pdfingest.exchange.said import Record
from pdfingest.output.states import SourceState
from pdfingest.pages import INFO_NAMES

_MOST_NUMBERS = 1000
"""Numbers of lost pages that are given."""
_MOST_NAMES = 100
"""Attachments, and sections, that are given."""


def facts_of(state: SourceState) -> SourceFacts:
    """Combine what the report and the records of a source say.

    Raises:
        OutputError: they cannot be read, or are not where the ledger says.
    """
    line = report_line_of(state)
    contents = _Contents()
    for _, record in records_of(state):
        contents.add(record)
    lost = line["failed_pages"]
    attachments = json.loads(line.get("attachments", "[]"))
    return SourceFacts(
        source=state.name,
        status=line["status"],
        failure=line["failure"],
        message=line["message"],
        duplicate_of=state.duplicate_of,
        size_bytes=line["bytes"],
        sha256=line["sha256"],
        engine=line["engine"],
        pages=line["pages"],
        total_pages=line["total_pages"],
        failed_pages=lost[:_MOST_NUMBERS],
        pages_failed=line["pages_failed"],
        needs_ocr_pages=line["needs_ocr_pages"],
        ocr_pages=line.get("ocr_pages", 0),
        chars=line["chars"],
        format=contents.metadata.get("format", ""),
        **{name: contents.metadata.get(name, "") for name in INFO_NAMES},
        pdf_version=line.get("pdf_version", ""),
        is_signed=line.get("is_signed", False),
        attachments=[each["name"] for each in attachments[:_MOST_NAMES]],
        tables=contents.counts["tables"],
        links=contents.counts["links"],
        annotations=contents.counts["annotations"],
        form_fields=contents.counts["form_fields"],
        sections=contents.sections,
        peak_bytes=line["peak_rss_bytes"],
        wall_s=line["wall_s"],
        read_at=line["started_at"],
    )


@dataclass(slots=True)
class _Contents:
    """What the records of a source have beside their text."""

    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("tables", "links", "annotations", "form_fields"), 0)
    )
    sections: list[Section] = field(default_factory=list[Section])

    def add(self, record: Record) -> None:
        """Take in a record."""
        metadata = record["metadata"]
        self.metadata = self.metadata or metadata
        for name in self.counts:
            value = record.get(name, [])
            self.counts[name] += len(json.loads(value) if isinstance(value, str) else value)
        section = metadata.get("section", "")
        before = self.sections[-1].section if self.sections else ""
        if section and section != before and len(self.sections) < _MOST_NAMES:
            self.sections.append(Section(page=metadata.get("page", 0), section=section))
