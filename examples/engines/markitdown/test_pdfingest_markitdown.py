"""MarkItDown, run by pdfingest over the example files."""

import re

from reading import BROKEN, IN_ORDER, PASSWORD, PDFS, read

ENGINE = ("--engine", "markitdown", "--unit", "document")


def test_a_document_is_one_text_with_its_pages_in_order() -> None:
    texts = read(PDFS / "pages.pdf", *ENGINE).texts["pages.pdf"]
    assert len(texts) == 1
    places = [texts[0].index(f"the {word} page") for word in IN_ORDER if word]
    assert places == sorted(places)


def test_pages_are_refused_because_it_knows_none() -> None:
    found = read(PDFS / "pages.pdf", "--engine", "markitdown")
    assert "knows no pages" in found.stderr
    assert not found.texts


def test_the_text_is_its_markdown_in_all_scripts() -> None:
    texts = read(PDFS, *ENGINE).texts
    assert re.search(r"\|\s*February\s*\|\s*9\s*\|", texts["table.pdf"][0])
    assert "Смотритель маяка" in texts["scripts.pdf"][0]
    assert "燈塔看守人記下了每一艘船" in texts["scripts.pdf"][0]


def test_files_that_cannot_be_read_fail_by_kind() -> None:
    found = read(BROKEN, *ENGINE)
    assert found.failures == {
        "broken.pdf": "malformed",
        "encrypted.pdf": "encrypted",
        "not-a-pdf.pdf": "not_pdf",
    }
    assert not found.texts


def test_a_password_is_not_taken_and_the_file_is_said_to_be_encrypted() -> None:
    found = read(BROKEN / "encrypted.pdf", *ENGINE, "--password", PASSWORD)
    assert found.failures == {"encrypted.pdf": "encrypted"}
