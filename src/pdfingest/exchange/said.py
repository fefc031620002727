"""What several pages say together, beside their text: for records of documents and chunks."""

import json
from typing import Any, NamedTuple, TypeAlias

from pdfingest.model import OcrReason, TextSource

Record: TypeAlias = dict[str, Any]
"""One line of `pages.jsonl`, `documents.jsonl` or `chunks.jsonl`, decoded."""

LISTED = ("tables", "internal_links", "annotations", "form_fields")
"""Keys of a record that hold a list of objects, as JSON within a text."""


class Said(NamedTuple):
    """What the metadata tell of a text."""

    char_count: int = 0
    text_source: TextSource = TextSource.NONE
    ocr_chars: int = 0
    """Characters that OCR read."""
    ocr_confidence: float = 0.0
    """How sure it is of them, from 0 to 1."""
    ocr_reason: OcrReason = OcrReason.NONE
    """Why it needs OCR; of several pages, that of the first page that does."""

    def with_page(self, metadata: Record) -> "Said":
        """Return what this text and that of another page, by its metadata, tell together."""
        chars, confidence = metadata["ocr_chars"], self.ocr_confidence
        if chars:
            sure = confidence * self.ocr_chars + metadata["ocr_confidence"] / 100 * chars
            confidence = sure / (self.ocr_chars + chars)
        return Said(
            self.char_count + metadata["char_count"],
            self.text_source.joined(TextSource(metadata["text_source"])),
            self.ocr_chars + chars,
            confidence,
            self.ocr_reason or OcrReason(metadata["ocr_reason"]),
        )


class Joined:
    """What the pages of a document say together, beside their text."""

    def __init__(self) -> None:
        self.said = Said()
        self.page_offsets: list[int] = []
        self.listed: dict[str, list[Record]] = {name: [] for name in LISTED}
        """Lists of objects, by their key in a record."""
        self.links: list[str] = []
        self.furniture: list[str] = []

    def add_lists(self, record: Record) -> None:
        """Add what the record of a page has beside its text."""
        for name in LISTED:
            self.listed[name] += json.loads(record[name])
        self.links += record["links"]
        self.furniture += filter(None, [record["furniture"]])


class Cut(NamedTuple):
    """Where a chunk is in the text of its document; the default is of what is no chunk."""

    number: int = 0
    """1-based."""
    start: int = 0
    """0-based index of its first character."""
    end: int = 0
    tokenizer: str = ""
    """Name of what its size was counted with."""


UNCUT = Cut()
"""Of a record that is no chunk."""
