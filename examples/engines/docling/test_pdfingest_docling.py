"""Docling, run by pdfingest over the example files.

With the models that DOCLING_ARTIFACTS_PATH names, and where it names none, with a stand-in of the
same architecture that finds nothing on a page, so that each line is a paragraph.
"""

import os

import pytest

from blind_models import make
from laws import (  # noqa: F401 - tests
    Run,
    reader,
    test_a_blank_page_needs_no_ocr,
    test_a_password_opens_what_is_encrypted,
    test_a_scan_is_said_to_need_ocr,
    test_each_text_is_that_of_its_own_page,
    test_files_that_cannot_be_read_fail_by_kind_and_no_text_is_made_up,
    test_text_is_read_in_all_scripts,
)
from pdfingest_docling import MODELS
from reading import PDFS


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> str:
    return os.environ.get(MODELS) or str(make(tmp_path_factory.mktemp("models") / "blind"))


@pytest.fixture(params=["with models or blind ones"])
def run(models: str) -> Run:
    return reader("--engine", "docling", **{MODELS: models})


def test_without_models_the_run_is_refused_before_the_first_file() -> None:
    found = reader("--engine", "docling", **{MODELS: "/nowhere"})(PDFS)
    assert "'docling' cannot be loaded" in found.stderr
    assert not found.summary
