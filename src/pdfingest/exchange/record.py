"""The lines that users rely on: records, report lines, and their encoding as JSON.

Every line has every key, each with one type and never null: a reader that infers a schema from the
first lines (Apache Arrow, Hugging Face datasets) fails on a key that appears late or changes its
type. A record holds nothing that differs between two runs over the same file.

Owns the keys of both kinds of lines; `output.schema` describes them for users. Does not own where
lines are written (`spool`, `output.sink`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pdfingest.exchange.said import UNCUT, Cut, Joined, Record, Said
from pdfingest.job import EngineSpec
from pdfingest.model import SCHEMA, Format, OcrReason, TextSource
from pdfingest.pages import INFO_NAMES, Page, Table
from pdfingest.text import clean, is_garbled, is_unread, is_usable, shortened

# A longer text is a mistake or an attack.
_MOST_LABEL_CHARS = 200
_MOST_LINK_CHARS = 8192
_MOST_NAME_CHARS = 1000
_MOST_VALUE_CHARS = 64 << 10
_MOST_POINTS = 1e9  # a page has at most some millions; what is no number is not less, either
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
# JSON allows these characters in strings, but for readers that split by Unicode, such as Python's
# `str.splitlines`, they end a line. So they are escaped.
_LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class DocumentFacts(NamedTuple):
    """What all records of one source share."""

    id: str
    """Id of the document record; a page record appends its page number."""
    source: str
    sha256: str
    total_pages: int
    info: Mapping[str, str]
    """Metadata as records hold it: clean texts by `INFO_NAMES`, dates in ISO 8601."""
    format: Format
    engine: EngineSpec


def record_id(source: str, sha256: str) -> str:
    """Make the id of a source's document record from the source's name and content.

    The name is part of it because one content may be found under several names, and a vector store
    keeps only one record for each id.
    """
    return hashlib.sha256(f"{source}\0{sha256}".encode()).hexdigest()[:16]


def encode(value: Mapping[str, Any]) -> bytes:
    """Encode one line of JSON in UTF-8, newline included.

    Args:
        value: content of the line; its texts must be clean (`text.clean`).
    """
    return f"{_escaped(_encode(value))}\n".encode()


def encode_text(text: str) -> bytes:
    """Encode a piece of a JSON string, without quotes, so that pieces can be concatenated."""
    return _escaped(_encode(text)[1:-1]).encode()


def _escaped(line: str) -> str:
    """Escape the characters that end a line for some readers."""
    if "\x85" in line or "\u2028" in line or "\u2029" in line:
        return line.translate(_LINE_ENDS)
    return line


def page_record(document: DocumentFacts, number: int, page: Page) -> Record:
    """Make the record of one page.

    Args:
        document: what all records of the source share.
        number: page number, 1-based.
        page: what the engine read, not cleaned yet.
    """
    text = clean(page.text)
    return {
        "id": f"{document.id}:p{number:04d}",
        "text": text,
        "source": document.source,
        "metadata": _metadata(
            document,
            {"page": number, "page_label": _label(page.label), "section": clean(page.section)},
            Said(
                len(text),
                page.text_source if text else TextSource.NONE,
                page.ocr_chars,
                page.ocr_confidence,
                ocr_reason(page, text),
            ),
        ),
        "tables": as_text([_table(number, table) for table in page.tables]),
        "links": [shortened(clean(link), _MOST_LINK_CHARS) for link in page.links],
        "internal_links": as_text(
            [
                {"page": number, "to_page": link.number, "to_label": _label(link.label)}
                for link in page.internal_links
            ]
        ),
        "annotations": as_text(
            [
                {
                    "page": number,
                    "kind": each.kind,
                    "author": shortened(clean(each.author), _MOST_NAME_CHARS),
                    "text": shortened(clean(each.text), _MOST_VALUE_CHARS),
                }
                for each in page.annotations
            ]
        ),
        "form_fields": as_text(
            [
                {
                    "page": number,
                    "name": shortened(clean(each.name), _MOST_NAME_CHARS),
                    "kind": each.kind,
                    "value": shortened(clean(each.value), _MOST_VALUE_CHARS),
                }
                for each in page.form_fields
            ]
        ),
        "furniture": clean(page.furniture),
    }


def as_text(items: Sequence[Record]) -> str:
    """Return a list as JSON within a text.

    Readers that infer a type from the first lines see no type in a list that is empty there, and
    then fail on the first that is not (datasets, polars). A text has its type always.
    """
    return _encode(items) if items else "[]"


def _label(label: str) -> str:
    return shortened(clean(label), _MOST_LABEL_CHARS)


def _table(number: int, table: Table) -> Record:
    """Make a table of a record, in points to a tenth."""
    return {
        "page": number,
        "bbox": [round(each, 1) if abs(each) < _MOST_POINTS else 0.0 for each in table.box],
        "rows": [[clean(cell) for cell in row] for row in table.rows],
    }


def ocr_reason(page: Page, text: str) -> OcrReason:
    """Return why a page shows something that its text, which is clean, does not say; if it does."""
    if page.ocr_chars:
        return OcrReason.NONE
    if page.lacks_text or is_garbled(text, page.lost) or is_unread(text):
        return OcrReason.UNMAPPED
    if page.unsaid is not None:
        return page.unsaid
    if not page.ink or is_usable(text) or is_usable(page.furniture):
        return OcrReason.NONE
    return OcrReason.IMAGE if page.draws_image else OcrReason.OUTLINES


def facts_of(record: Record, engine: EngineSpec) -> DocumentFacts:
    """Read back from a record what all records of its source share."""
    metadata = record["metadata"]
    return DocumentFacts(
        id=record["id"].partition(":")[0],
        source=metadata["source"],
        sha256=metadata["sha256"],
        total_pages=metadata["total_pages"],
        info={name: metadata[name] for name in INFO_NAMES},
        format=Format(metadata["format"]),
        engine=engine,
    )


def document_tail(document: DocumentFacts, joined: Joined) -> Record:
    """Make the part of a document record that follows `text`, which is written piece by piece."""
    place = {"page": 0, "page_label": "", "section": ""}
    return {**_tail(document, place, UNCUT, joined), "page_offsets": joined.page_offsets}


def chunk_record(
    document: DocumentFacts, place: Record, text: str, cut: Cut, joined: Joined
) -> Record:
    """Make the record of one chunk.

    Args:
        document: what all records of the source share.
        place: number, label and section of the page on which it begins.
        text: of the chunk, clean.
        cut: where it is in the document.
        joined: what its pages say beside their text.
    """
    return {
        "id": f"{document.id}:p{place['page']:04d}:c{cut.number:04d}",
        "text": text,
        **_tail(document, place, cut, joined),
    }


def _tail(document: DocumentFacts, place: Record, cut: Cut, joined: Joined) -> Record:
    """Make what follows the text in the record of several pages."""
    return {
        "source": document.source,
        "metadata": _metadata(document, place, joined.said, cut),
        "tables": as_text(joined.listed["tables"]),
        "links": joined.links,
        "internal_links": as_text(joined.listed["internal_links"]),
        "annotations": as_text(joined.listed["annotations"]),
        "form_fields": as_text(joined.listed["form_fields"]),
        "furniture": "\n".join(joined.furniture),
    }


def _metadata(document: DocumentFacts, place: Record, said: Said, cut: Cut = UNCUT) -> Record:
    """Make the `metadata` of a record: flat and scalar, as vector stores take it.

    Args:
        document: what all records of the source share.
        place: number, label and section of the page.
        said: of the text.
        cut: of a chunk.
    """
    return {
        "source": document.source,
        "file_name": document.source.rpartition("/")[2],
        "sha256": document.sha256,
        **place,
        "total_pages": document.total_pages,
        **document.info,
        "format": document.format.value,
        "engine": document.engine.name,
        "engine_version": document.engine.version,
        "text_source": said.text_source.value,
        "char_count": said.char_count,
        "ocr_chars": said.ocr_chars,
        "ocr_confidence": round(100.0 * said.ocr_confidence, 1),
        "needs_ocr": bool(said.ocr_reason),
        "ocr_reason": said.ocr_reason.value,
        "chunk": cut.number,
        "chunk_start": cut.start,
        "chunk_end": cut.end,
        "tokenizer": cut.tokenizer,
        "schema": SCHEMA,
    }
