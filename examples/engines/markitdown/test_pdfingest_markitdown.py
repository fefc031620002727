"""MarkItDown, run by pdfingest over the example files."""

import pytest

from laws import (  # noqa: F401 - tests
    Run,
    reader,
    test_files_that_cannot_be_read_fail_by_kind_and_no_text_is_made_up,
    test_tables_are_markdown,
    test_text_is_read_in_all_scripts,
)
from reading import BROKEN, IN_ORDER, PASSWORD, PDFS, read


@pytest.fixture
def run() -> Run:
    return reader("--engine", "markitdown", "--unit", "document")


def test_a_document_is_one_text_with_its_pages_in_order(run: Run) -> None:
    (text,) = run(PDFS / "pages.pdf").texts["pages.pdf"]
    places = [text.index(f"the {word} page") for word in IN_ORDER if word]
    assert places == sorted(places)


def test_pages_are_refused_because_it_knows_none() -> None:
    found = read(PDFS / "pages.pdf", "--engine", "markitdown")
    assert "knows no pages" in found.stderr
    assert not found.texts


def test_a_password_is_not_taken_and_the_file_is_said_to_be_encrypted(run: Run) -> None:
    found = run(BROKEN / "encrypted.pdf", "--password", PASSWORD)
    assert found.failures == {"encrypted.pdf": "encrypted"}
