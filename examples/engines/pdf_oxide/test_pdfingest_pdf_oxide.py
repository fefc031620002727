"""PDF Oxide, run by pdfingest over the example files."""

import re

from reading import BROKEN, PASSWORD, PDFS, in_order, read

ENGINE = ("--engine", "pdf_oxide")


def test_each_text_is_that_of_its_own_page() -> None:
    assert in_order(read(PDFS / "pages.pdf", *ENGINE).texts["pages.pdf"])


def test_the_text_is_its_markdown_in_all_scripts() -> None:
    texts = read(PDFS, *ENGINE).texts
    assert re.search(r"\|\s*February\s*\|\s*9\s*\|", texts["table.pdf"][0])
    assert "Смотритель маяка" in texts["scripts.pdf"][0]
    assert "燈塔看守人記下了每一艘船" in texts["scripts.pdf"][0]


def test_a_scan_is_said_to_need_ocr_and_a_blank_page_is_not() -> None:
    assert read(PDFS / "scan.pdf", *ENGINE).summary["needs_ocr_pages"] == 1
    assert read(PDFS / "pages.pdf", *ENGINE).summary["needs_ocr_pages"] == 0


def test_files_that_cannot_be_read_fail_by_kind_and_no_text_is_made_up() -> None:
    found = read(BROKEN, *ENGINE)
    assert found.failures == {
        "broken.pdf": "malformed",
        "encrypted.pdf": "encrypted",
        "not-a-pdf.pdf": "not_pdf",
    }
    assert not found.texts


def test_a_password_opens_what_is_encrypted() -> None:
    found = read(BROKEN / "encrypted.pdf", *ENGINE, "--password", PASSWORD)
    assert "Nobody reads this" in found.texts["encrypted.pdf"][0]
