"""unstructured, run by pdfingest over the example files.

With spaCy's model if it is installed, and else with a stand-in that knows where sentences end and
nothing of words. So types of elements may be others, but not their text.
"""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from reading import BROKEN, PASSWORD, PDFS, Reading, in_order, read

MODEL = "en_core_web_sm"
ENGINE = ("--engine", "unstructured")
CODE = """
import spacy

def load(**_):
    model = spacy.blank("en")
    model.add_pipe("sentencizer")
    return model
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("packages")
    if find_spec(MODEL) is None:
        (folder / MODEL).mkdir()
        (folder / MODEL / "__init__.py").write_text(CODE)
        (folder / f"{MODEL}-3.8.0.dist-info").mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {MODEL}\nVersion: 3.8.0\n"
        (folder / f"{MODEL}-3.8.0.dist-info" / "METADATA").write_text(metadata)
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))


def run(path: Path, packages: str, *options: str) -> Reading:
    return read(path, *ENGINE, *options, PYTHONPATH=packages)


def test_with_the_model_or_a_simpler_one_each_text_is_that_of_its_own_page(packages: str) -> None:
    assert in_order(run(PDFS / "pages.pdf", packages).texts["pages.pdf"])


def test_with_the_model_or_a_simpler_one_text_is_read_in_all_scripts(packages: str) -> None:
    text = run(PDFS / "scripts.pdf", packages).texts["scripts.pdf"][0]
    assert "Смотритель маяка" in text
    assert "燈塔看守人記下了每一艘船" in text


def test_with_the_model_or_a_simpler_one_a_scan_is_said_to_need_ocr(packages: str) -> None:
    assert run(PDFS / "scan.pdf", packages).summary["needs_ocr_pages"] == 1


def test_with_the_model_or_a_simpler_one_files_that_cannot_be_read_fail_by_kind(
    packages: str,
) -> None:
    found = run(BROKEN, packages)
    assert found.failures == {
        "broken.pdf": "malformed",
        "encrypted.pdf": "encrypted",
        "not-a-pdf.pdf": "not_pdf",
    }
    assert not found.texts


def test_with_the_model_or_a_simpler_one_a_password_opens_what_is_encrypted(packages: str) -> None:
    found = run(BROKEN / "encrypted.pdf", packages, "--password", PASSWORD)
    assert "Nobody reads this" in found.texts["encrypted.pdf"][0]


@pytest.mark.skipif(find_spec(MODEL) is not None, reason="the model is installed")
def test_without_the_model_the_run_is_refused_and_nothing_is_fetched() -> None:
    found = read(PDFS, *ENGINE)
    assert f"python -m spacy download {MODEL}" in found.stderr
    assert not found.summary
