"""Docling, run by pdfingest over the example files.

With the models that DOCLING_ARTIFACTS_PATH names, and where it names none, with a stand-in of the
same architecture that finds nothing on a page, so that each line is a paragraph.
"""

import os
from pathlib import Path

import pytest

from blind_models import make
from pdfingest_docling import MODELS
from reading import BROKEN, PASSWORD, PDFS, Reading, in_order, read


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    return os.environ.get(MODELS) or str(make(tmp_path_factory.mktemp("models") / "blind"))


def run(path: Path, models: str, *options: str) -> Reading:
    return read(path, "--engine", "docling", *options, **{MODELS: models})


def test_with_models_or_blind_ones_each_text_is_that_of_its_own_page(models: str) -> None:
    assert in_order(run(PDFS / "pages.pdf", models).texts["pages.pdf"])


def test_with_models_or_blind_ones_text_is_read_in_all_scripts(models: str) -> None:
    text = run(PDFS / "scripts.pdf", models).texts["scripts.pdf"][0]
    assert "Смотритель маяка" in text
    assert "燈塔看守人記下了每一艘船" in text


def test_with_models_or_blind_ones_a_scan_is_said_to_need_ocr_and_a_blank_page_is_not(
    models: str,
) -> None:
    assert run(PDFS / "scan.pdf", models).summary["needs_ocr_pages"] == 1
    assert run(PDFS / "pages.pdf", models).summary["needs_ocr_pages"] == 0


def test_with_models_or_blind_ones_files_that_cannot_be_read_fail_by_kind(models: str) -> None:
    found = run(BROKEN, models)
    assert found.failures == {
        "broken.pdf": "malformed",
        "encrypted.pdf": "encrypted",
        "not-a-pdf.pdf": "not_pdf",
    }
    assert not found.texts


def test_with_models_or_blind_ones_a_password_opens_what_is_encrypted(models: str) -> None:
    found = run(BROKEN / "encrypted.pdf", models, "--password", PASSWORD)
    assert "Nobody reads this" in found.texts["encrypted.pdf"][0]


def test_without_models_the_run_is_refused_before_the_first_file() -> None:
    found = run(PDFS, "/nowhere")
    assert "'docling' cannot be loaded" in found.stderr
    assert not found.summary
