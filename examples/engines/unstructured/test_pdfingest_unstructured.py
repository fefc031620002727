"""unstructured, run by pdfingest over the example files.

With spaCy's model if it is installed, and else with a stand-in that knows where sentences end and
nothing of words. So types of elements may be others, but not their text.
"""

import os
from importlib.util import find_spec

import pytest

from laws import (  # noqa: F401 - tests
    Run,
    reader,
    test_a_password_opens_what_is_encrypted,
    test_a_scan_is_said_to_need_ocr,
    test_each_text_is_that_of_its_own_page,
    test_files_that_cannot_be_read_fail_by_kind_and_no_text_is_made_up,
    test_text_is_read_in_all_scripts,
)
from reading import PDFS, read

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


@pytest.fixture(params=["with the model or a simpler one"])
def run(packages: str) -> Run:
    return reader(*ENGINE, PYTHONPATH=packages)


@pytest.mark.skipif(find_spec(MODEL) is not None, reason="the model is installed")
def test_without_the_model_the_run_is_refused_and_nothing_is_fetched() -> None:
    found = read(PDFS, *ENGINE)
    assert f"python -m spacy download {MODEL}" in found.stderr
    assert not found.summary
