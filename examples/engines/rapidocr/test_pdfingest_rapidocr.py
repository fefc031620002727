"""RapidOCR, run by pdfingest over a scan."""

from reading import PDFS, read

OCR = ("--ocr", "rapidocr")


def test_a_scan_is_read() -> None:
    found = read(PDFS / "scan.pdf", *OCR)
    assert "This text is a picture. Only OCR can read it" in found.texts["scan.pdf"][0]
    assert found.summary["ocr_pages"] == 1


def test_pages_that_have_text_are_not_read_by_ocr() -> None:
    found = read(PDFS / "pages.pdf", *OCR)
    assert "This is the second page" in found.texts["pages.pdf"][1]
    assert found.summary["ocr_pages"] == 0


def test_a_language_without_a_model_is_refused_before_the_first_file() -> None:
    found = read(PDFS / "scan.pdf", *OCR, "--ocr-lang", "deu")
    assert "no model for 'deu'" in found.stderr
    assert not found.summary
