"""LiteParse, run by pdfingest over the example files."""

import pytest

from laws import (  # noqa: F401 - tests
    Run,
    reader,
    test_a_blank_page_needs_no_ocr,
    test_a_password_opens_what_is_encrypted,
    test_a_scan_is_said_to_need_ocr,
    test_each_text_is_that_of_its_own_page,
    test_files_that_cannot_be_read_fail_by_kind_and_no_text_is_made_up,
    test_tables_are_markdown,
    test_text_is_read_in_all_scripts,
)
from pdfingest_liteparse import open_document
from reading import PDFS


@pytest.fixture
def run() -> Run:
    return reader("--engine", "liteparse")


def test_pages_in_the_middle_are_read_as_in_the_whole(run: Run) -> None:
    texts = run(PDFS / "pages.pdf").texts["pages.pdf"]
    document = open_document(str(PDFS / "pages.pdf"), [])
    assert [document.page(number).text for number in (3, 2)] == [texts[2], texts[1]]
