"""Where the text of a whole is from follows from where its parts are from."""

import pytest

from pdfingest.model import TextSource

NONE, NATIVE, OCR, MIXED = TextSource.NONE, TextSource.NATIVE, TextSource.OCR, TextSource.MIXED


@pytest.mark.parametrize(
    ("one", "other", "whole"),
    [
        (NONE, NONE, NONE),
        (NONE, OCR, OCR),
        (NATIVE, NONE, NATIVE),
        (NATIVE, NATIVE, NATIVE),
        (NATIVE, OCR, MIXED),
        (MIXED, OCR, MIXED),
        (MIXED, NONE, MIXED),
    ],
)
def test_parts_join(one: TextSource, other: TextSource, whole: TextSource) -> None:
    assert one.joined(other) is whole
    assert other.joined(one) is whole
