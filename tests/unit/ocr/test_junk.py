"""Lines that engines read where there is no text."""

import pytest

from pdfingest.ocr.junk import without_junk
from seen import line


@pytest.mark.parametrize(
    ("text", "confidence", "is_text", "is_kept"),
    [
        ("a line of text", 0.95, True, True),
        ("small grey letters", 0.5, True, True),
        ("Ero 0ub Besa CueTA", 0.43, True, False),
        ("17", 0.95, True, True),
        ("oe", 0.77, True, False),
        ("— .", 0.99, True, False),
        ("第三章", 0.75, True, True),
        ("Figure 7. The harbour", 0.95, False, True),
        ("AX Sara er TN", 0.6, False, False),
        ("17", 0.95, False, False),
    ],
)
def test_what_is_kept(text: str, confidence: float, is_text: bool, is_kept: bool) -> None:
    found = line(text, confidence=confidence)
    assert [*without_junk([found], is_text=is_text)] == [found] * is_kept
