"""Records that tests make, as a run writes them, with all that is odd in those of real files."""

from pathlib import Path
from random import Random
from typing import Any

from pdfingest.exchange.record import DocumentFacts, encode, page_record, record_id
from pdfingest.job import EngineSpec
from pdfingest.model import Format
from pdfingest.pages import INFO_NAMES, Annotation, Box, Page, Table

Records = list[dict[str, Any]]

ENGINE = EngineSpec("pdfium", "1.0", "pdfingest.engines.pdfium")
WORDS = (
    *(
        "ship",
        "naïve",
        "日本",
        "\U0001f600",
        '"quoted"',
        "back\\slash",
        "\u2028",
        "\x85",
        "{[",
        "1e5",
    ),
    *("2026-01-02T03:04:05Z", "null", "ﬁ"),
)
_PLAIN = 97
"""Of the first pages, these many have no links, no tables and no text that OCR read."""


def document(source: str, content: str = "a", pages: int = 3) -> DocumentFacts:
    """What all records of a source share."""
    sha256 = (content * 64)[:64]
    return DocumentFacts(
        id=record_id(source, sha256),
        source=source,
        sha256=sha256,
        total_pages=pages,
        info=dict.fromkeys(INFO_NAMES, ""),
        format=Format.TEXT,
        engine=ENGINE,
    )


def records_of(source: str, content: str = "a", pages: int = 3) -> Records:
    """The records of a source, each of which says in its text what it is."""
    facts = document(source, content, pages)
    numbers = range(1, pages + 1)
    return [page_record(facts, number, Page(f"{source} {content} {number}")) for number in numbers]


def random_records(sources: int, pages: int, draw: Random) -> Records:
    """Records of many sources, as different as records can be."""
    found: Records = []
    for source in range(sources):
        facts = document(f"sub/{draw.choice(WORDS)} {source}.pdf", f"{source % 10}", pages)
        for number in range(1, pages + 1):
            found.append(page_record(facts, number, _page(draw, is_plain=len(found) < _PLAIN)))
    return found


def _page(draw: Random, *, is_plain: bool) -> Page:
    text = " ".join(draw.choices(WORDS, k=draw.choice((0, 1, 30, 3000))))
    if is_plain:
        return Page(text)
    cells = tuple(draw.choices(WORDS, k=3))
    return Page(
        text,
        links=tuple(draw.choices(WORDS, k=draw.randrange(3))),
        annotations=(Annotation("Text", "Ada", draw.choice(WORDS)),),
        tables=(Table(Box(0.0, 1.5, 2.0, 3.0), (cells, cells)),) * draw.randrange(2),
        furniture=draw.choice(WORDS),
        ocr_chars=draw.randrange(2),
        ocr_confidence=draw.choice((0.0, 0.333, 1.0)),
    )


def write_records(path: Path, records: Records) -> Path:
    """Write a file of records."""
    path.write_bytes(b"".join(map(encode, records)))
    return path
