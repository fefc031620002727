"""`needs_ocr` on pages that are made, so that what they need is known."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest

from conftest import CORPUS
from ocr_kinds import KINDS, TRAPS, Kind, Made
from ocr_score import score
from pdfingest.engines import pdfium
from pdfingest.exchange.record import DocumentFacts, page_record
from pdfingest.job import EngineSpec
from pdfingest.model import Format
from pdfingest.pages import INFO_NAMES

FACTS = DocumentFacts(
    id="a",
    source="a.pdf",
    sha256="",
    total_pages=1,
    info=dict.fromkeys(INFO_NAMES, ""),
    format=Format.RAW,
    engine=EngineSpec("pdfium", "", ""),
)


def said(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    document = pdfium.open_document(str(path), ())
    try:
        record = page_record(FACTS, 1, document.page(1))
    finally:
        document.close()
    reason = record["metadata"]["ocr_reason"]
    assert isinstance(reason, str)
    return reason


def judged(kinds: Iterable[Kind], path: Path, step: int = 1) -> list[tuple[Made, str]]:
    """Pages of some kinds, of each kind one in `step`, each with the reason that its record has."""
    return [
        (made, said(path, made.content)) for kind in kinds for made in islice(kind(), 0, None, step)
    ]


@pytest.mark.slow
def test_pages_of_known_kinds(tmp_path: Path) -> None:
    is_whole = CORPUS.exists()  # all of them take half a minute
    pages = judged(KINDS, tmp_path / "a.pdf", step=1 if is_whole else 4)
    assert len(pages) >= (200 if is_whole else 50)
    found = score((made.name, bool(made.reason), bool(reason)) for made, reason in pages)
    assert found.precision >= 0.98, found
    assert found.recall >= 0.95, found
    wrong = [(made.name, reason) for made, reason in pages if made.reason != reason]
    assert len(wrong) <= 0.05 * len(pages), wrong


@pytest.mark.slow
@pytest.mark.parametrize("kind", TRAPS)
def test_traps(kind: Kind, tmp_path: Path) -> None:
    wrong = [
        (made.name, reason)
        for made, reason in judged([kind], tmp_path / "a.pdf")
        if made.reason != reason
    ]
    assert not wrong
