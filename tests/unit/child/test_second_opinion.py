"""What the pictures of a page show holds whichever engine reads its text."""

from types import SimpleNamespace
from typing import cast

from pdfingest.child.opening import Opening
from pdfingest.child.second_opinion import SecondOpinion
from pdfingest.model import OcrReason
from pdfingest.pages import Page


def test_another_engine_takes_over_what_pictures_show() -> None:
    pages = (
        Page("\x03\x04\x05\x03", unsaid=OcrReason.IMAGE),
        Page("some words that are read"),
    )
    opening = SimpleNamespace(
        job=SimpleNamespace(engines=("first", "second")),
        page=lambda index, _number: pages[index],
        total_pages=1,
        first=0,
    )
    page, by = SecondOpinion(cast(Opening, opening)).whole(pages[0], 0, 1)
    assert (page.text, by) == ("some words that are read", 1)
    assert page.unsaid is OcrReason.IMAGE
