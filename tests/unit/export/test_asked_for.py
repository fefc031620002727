"""What cannot be given is told at once: a library that is missing, a word that means nothing."""

import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import Say
from made_records import records_of, write_records
from pdfingest import load
from pdfingest.errors import EngineUnavailableError, OptionError

ANY_LOAD: Any = load
"""As a caller without types has it."""


@pytest.mark.parametrize(
    ("as_", "package", "command"),
    [
        ("arrow", "pyarrow", "pip install 'pdfingest[parquet]'"),
        ("polars", "polars", "pip install polars"),
        ("pandas", "pandas", "pip install pandas"),
        ("datasets", "datasets", "pip install datasets"),
        ("langchain", "langchain_core", "pip install langchain-core"),
        ("llamaindex", "llama_index", "pip install llama-index-core"),
        ("haystack", "haystack", "pip install haystack-ai"),
    ],
)
def test_a_library_that_is_missing_is_told_with_its_command(
    as_: str, package: str, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EngineUnavailableError) as caught:
        ANY_LOAD(tmp_path / "of-no-matter", as_)
    assert str(caught.value) == f"{package} is not installed. Run: {command}"


def test_an_export_without_its_library_writes_nothing(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    write_records(Path("pages.jsonl"), records_of("a.pdf"))
    said = say("export", ".", "--to", "parquet")
    assert (said.code, said.stderr.count("\n")) == (4, 1)
    assert "pip install 'pdfingest[parquet]'" in said.stderr
    assert [path.name for path in Path().iterdir() if "parquet" in path.name] == []


def test_a_word_that_means_nothing_is_told_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"as_: must be one of records, langchain, .*'excel'"):
        ANY_LOAD(tmp_path, "excel")
    with pytest.raises(OptionError, match="unit: must be page, document or chunk, not 'book'"):
        ANY_LOAD(tmp_path, unit="book")


def test_the_target_of_an_export_must_be_given(say: Say) -> None:
    said = say("export", "folder")
    assert (said.code, "--to is missing" in said.stderr) == (2, True)
    said = say("export", "folder", "--to", "excel")
    assert (said.code, "must be parquet, langchain" in said.stderr) == (2, True)
