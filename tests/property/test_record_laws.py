import json

from hypothesis import given
from hypothesis import strategies as st

from pdfingest.model import EngineSpec, Page
from pdfingest.record import DocumentFacts, encode, page_record
from pdfingest.text import clean

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates and NUL included
FACTS = DocumentFacts(
    source="a.pdf", sha256="0" * 64, total_pages=9, title="", author="", created="", producer="",
    language="", engine=EngineSpec("pdfium", "m:f", "1"),
)  # fmt: skip
PAGES = st.builds(Page, ANY_TEXT, st.booleans(), ANY_TEXT, st.lists(ANY_TEXT).map(tuple))


@given(PAGES)
def test_a_record_survives_write_and_read(page: Page) -> None:
    record = page_record(FACTS, 3, page)
    line = encode(record)
    assert line.count(b"\n") == 1
    assert json.loads(line.decode("utf-8")) == record


@given(ANY_TEXT)
def test_clean_text_is_valid_and_stays_as_it_is(text: str) -> None:
    once = clean(text)
    once.encode("utf-8")
    assert not set("\x00\ufffe\r") & set(once)
    assert clean(once) == once


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cn"))))
def test_clean_changes_nothing_that_is_clean(text: str) -> None:
    assert clean(text) == text
