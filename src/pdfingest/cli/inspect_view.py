"""What `pdfingest inspect` shows a person: facts of the file, its pages, and what is on them."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from pdfingest.cli.tables import LEFT, RIGHT, put, show_fact, table, width_of
from pdfingest.exchange.said import Record
from pdfingest.pages import INFO_NAMES
from pdfingest.text import counted, mib, printable, shortened

_SHOWN_PAGES = 1000
"""Most pages in the table, which bounds the memory; `--json` has all pages."""
_SHOWN = 20
"""Most things of one kind that are shown."""
_PREVIEW_CHARS = 40
"""Most characters of a page that fit beside its figures in 80 columns."""
_PAGES = {
    "page": RIGHT,
    "label": LEFT,
    "chars": RIGHT,
    "links": RIGHT,
    "OCR": LEFT,
    "begins with": LEFT,
}


@dataclass(slots=True)
class _Part:
    """A table of what pages have; only its first rows are kept."""

    columns: Mapping[str, str]
    rows: list[Sequence[str]] = field(default_factory=list[Sequence[str]])
    total: int = 0

    def add(self, *row: str) -> None:
        """Count a row, and keep it if it is one of the first."""
        self.total += 1
        if len(self.rows) < _SHOWN:
            self.rows.append([*map(printable, row)])


def _part(*columns: str) -> _Part:
    """Make an empty table whose first column is the page."""
    return _Part({"page": RIGHT, **dict.fromkeys(columns, LEFT)})


class View:
    """Takes in the records of a file, and shows them with its report line."""

    def __init__(self) -> None:
        self._metadata: dict[str, Any] = {}
        self._pages: list[tuple[int, Sequence[str]]] = []
        self._section = ""
        self._sections = _part("section")
        self._tables = _part("table", "begins with")
        self._links = _part("link")
        self._annotations = _part("annotation", "by", "says")
        self._fields = _part("field", "kind", "value")

    def add(self, record: Record) -> None:
        """Take in the record of a page."""
        metadata = record["metadata"]
        number = str(metadata["page"])
        self._metadata = self._metadata or metadata
        if len(self._pages) < _SHOWN_PAGES:
            self._pages.append((metadata["page"], _row(record)))
        if metadata["section"] != self._section:
            self._section = metadata["section"]
            self._sections.add(number, self._section or "(none)")
        for each in json.loads(record["tables"]):
            rows = each["rows"]
            first = " · ".join(filter(None, rows[0]))
            self._tables.add(number, f"{len(rows)} x {len(rows[0])}", shortened(first, 60))
        for link in record["links"]:
            self._links.add(number, link)
        for each in json.loads(record["internal_links"]):
            label = f" ({each['to_label']})" if each["to_label"] else ""
            self._links.add(number, f"page {each['to_page']}{label}")
        for each in json.loads(record["annotations"]):
            self._annotations.add(number, each["kind"], each["author"], _brief(each["text"]))
        for each in json.loads(record["form_fields"]):
            self._fields.add(number, each["name"], each["kind"], _brief(each["value"]))

    def show(self, line: Record) -> None:
        """Print all of it to stdout.

        Args:
            line: report line of the file; empty after a stop that came before its end.
        """
        for name, said in _facts(self._metadata, line):
            if said:
                show_fact(name, printable(said))
        # Lost pages have no record, but a row in their place.
        lost = line.get("failed_pages", ())[:_SHOWN_PAGES]
        rows = sorted([*self._pages, *((number, _lost_row(number)) for number in lost)])
        if not rows:
            return
        total = line["pages"] + line["pages_failed"]
        _put(_Part(_PAGES, [row for _, row in rows[:_SHOWN_PAGES]], total))
        for part in (
            *(self._sections, self._tables, self._links),
            *(self._annotations, self._fields),
        ):
            if part.rows:
                _put(part)


def _put(part: _Part) -> None:
    console = Console(file=sys.stdout, highlight=False)
    console.print()
    put(console, table(part.columns, part.rows, width_of(console)))
    if more := part.total - len(part.rows):
        put(console, [Text(f"… and {more:,} more: --json has all")])


def _brief(text: str) -> str:
    return shortened(" ".join(text.split()), 2 * _PREVIEW_CHARS)


def _row(record: Record) -> Sequence[str]:
    metadata, text = record["metadata"], record["text"]
    links = len(record["links"]) + len(json.loads(record["internal_links"]))
    return (
        str(metadata["page"]),
        printable(metadata["page_label"]),
        f"{metadata['char_count']:,}",
        f"{links:,}",
        _ocr(metadata),
        printable(shortened(" ".join(text[: 4 * _PREVIEW_CHARS].split()), _PREVIEW_CHARS)),
    )


def _ocr(metadata: dict[str, Any]) -> str:
    return " ".join(["read"] * bool(metadata["ocr_chars"]) + ["needed"] * metadata["needs_ocr"])


def _lost_row(number: int) -> Sequence[str]:
    return str(number), "", "", "", "", "(lost)"


def _facts(metadata: dict[str, Any], line: Record) -> Iterator[tuple[str, str]]:
    """Yield what is known of the whole file, name by name; empty where it is not known."""
    if not line:
        return
    yield "file", line["source"]
    yield "status", " · ".join(filter(None, (line["status"], line["failure"], line["message"])))
    yield "size", f"{line['bytes']:,} bytes"
    yield "sha256", line["sha256"]
    yield "pages", _counts(line) if line["total_pages"] else ""
    yield "engine", f"{line['engine']} {metadata.get('engine_version', '')}".strip()
    for name in INFO_NAMES:
        yield name, metadata.get(name, "")
    yield from _traits(line)
    if line["peak_rss_bytes"]:
        baseline = mib(line["baseline_rss_bytes"])
        yield "peak", f"{mib(line['peak_rss_bytes'])}, {baseline} before it ({line['peak_method']})"
    attempts = counted(line["attempts"], "attempt")
    yield "time", f"{line['wall_s']:.3f} s, {line['cpu_s']:.3f} s of CPU, {attempts}"
    yield "signal", line["signal"]
    for frame in line["stack"].splitlines():
        yield "stack", frame


def _traits(line: Record) -> Iterator[tuple[str, str]]:
    """Yield what the document is, beside its pages."""
    marks = {"tagged": line["is_tagged"], "signed": line["is_signed"], "XFA": line["has_xfa"]}
    version = f"PDF {line['pdf_version']}" if line["pdf_version"] else ""
    yield (
        "kind",
        " · ".join(filter(None, [version, *(name for name, is_so in marks.items() if is_so)])),
    )
    if line["page_width"]:
        turn = f", turned by {line['page_turn']} degrees" if line["page_turn"] else ""
        yield "page size", f"{line['page_width']} x {line['page_height']} points{turn}"
    attachments = json.loads(line["attachments"])
    for each in attachments[:_SHOWN]:
        size = f", {each['bytes']:,} bytes" if each["bytes"] else ""
        yield "attachment", f"{each['name']}{size}"
    if more := len(attachments) - _SHOWN:
        yield "attachment", f"… and {more:,} more: --json has all" if more > 0 else ""


def _counts(line: Record) -> str:
    said = f"{line['pages']:,} of {line['total_pages']:,} read, {line['chars']:,} characters"
    if line["ocr_pages"]:
        said += f", {line['ocr_pages']:,} by OCR"
    if line["needs_ocr_pages"]:
        said += f", {line['needs_ocr_pages']:,} need OCR"
    if lost := line["failed_pages"]:
        numbers = ", ".join(map(str, lost[:_SHOWN]))
        said += f"; lost: {numbers}{', …' * (len(lost) > _SHOWN)}"
    return said
