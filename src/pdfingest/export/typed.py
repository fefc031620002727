"""The types of a record, for programs that check theirs; `output.schema` says what each key holds.

A test compares them with the schema, key by key.
"""

from typing import NotRequired, TypedDict


class RecordMetadata(TypedDict):
    """What is known of a page, a document or a chunk: flat values, as vector stores take them."""

    source: str
    file_name: str
    sha256: str
    page: int
    """Number of the page, from 1; of a chunk, the first; 0 in the record of a document."""
    page_label: str
    section: str
    total_pages: int
    title: str
    author: str
    subject: str
    keywords: str
    created: str
    """ISO 8601, as precise as the file says; or empty."""
    modified: str
    producer: str
    language: str
    format: str
    engine: str
    engine_version: str
    text_source: str
    char_count: int
    ocr_chars: int
    ocr_confidence: float
    """In percent; 0.0 where OCR read nothing."""
    needs_ocr: bool
    ocr_reason: str
    chunk: int
    """Number of the chunk in its document, from 1; 0 in other records."""
    chunk_start: int
    """0-based index of its first character in the text of the document."""
    chunk_end: int
    tokenizer: str
    schema: int


class Record(TypedDict):
    """One line of `pages.jsonl`, `documents.jsonl` or `chunks.jsonl`, decoded."""

    id: str
    text: str
    source: str
    metadata: RecordMetadata
    tables: str
    """A list as JSON within a text, as the next three, too, but for `links`."""
    links: list[str]
    internal_links: str
    annotations: str
    form_fields: str
    furniture: str
    page_offsets: NotRequired[list[int]]
    """Only in the record of a document: where each page begins in `text`, in characters."""
