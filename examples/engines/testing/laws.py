"""What holds of every engine here; the test of each imports what holds of it, and gives a `run`."""

import re
from collections.abc import Callable

from reading import BROKEN, PASSWORD, PDFS, Reading, in_order, read

Run = Callable[..., Reading]
"""`reading.read` with an engine; it takes a path and more options."""


def reader(*options: str, **variables: str) -> Run:
    """Return what reads with some options and environment variables, and with more options."""
    return lambda path, *more: read(path, *options, *more, **variables)


def test_each_text_is_that_of_its_own_page(run: Run) -> None:
    assert in_order(run(PDFS / "pages.pdf").texts["pages.pdf"])


def test_text_is_read_in_all_scripts(run: Run) -> None:
    (text,) = run(PDFS / "scripts.pdf").texts["scripts.pdf"]
    assert "Смотритель маяка" in text
    assert "燈塔看守人記下了每一艘船" in text


def test_tables_are_markdown(run: Run) -> None:
    (text,) = run(PDFS / "table.pdf").texts["table.pdf"]
    assert re.search(r"\|\s*February\s*\|\s*9\s*\|", text)


def test_a_scan_is_said_to_need_ocr(run: Run) -> None:
    assert run(PDFS / "scan.pdf").summary["needs_ocr_pages"] == 1


def test_a_blank_page_needs_no_ocr(run: Run) -> None:
    assert run(PDFS / "pages.pdf").summary["needs_ocr_pages"] == 0


def test_files_that_cannot_be_read_fail_by_kind_and_no_text_is_made_up(run: Run) -> None:
    found = run(BROKEN)
    assert found.failures == {
        "broken.pdf": "malformed",
        "encrypted.pdf": "encrypted",
        "not-a-pdf.pdf": "not_pdf",
    }
    assert not found.texts


def test_a_password_opens_what_is_encrypted(run: Run) -> None:
    found = run(BROKEN / "encrypted.pdf", "--password", PASSWORD)
    assert "Nobody reads this" in found.texts["encrypted.pdf"][0]
