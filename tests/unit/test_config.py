from pathlib import Path

import pytest

from pdfingest.cli.config import read_config
from pdfingest.errors import UsageError

KNOWN = {"workers", "fail_on"}


@pytest.fixture(autouse=True)
def _in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_file_there_are_no_options() -> None:
    assert read_config(KNOWN) == {}


def test_options_come_from_pdfingest_toml_before_pyproject() -> None:
    Path("pyproject.toml").write_text("[tool.pdfingest]\nworkers = 2\n")
    assert read_config(KNOWN) == {"workers": 2}
    Path("pdfingest.toml").write_text('fail-on = "never"\n')
    assert read_config(KNOWN) == {"fail_on": "never"}


def test_an_option_that_does_not_exist_is_named_with_its_file() -> None:
    Path("pdfingest.toml").write_text("wrokers = 2\n")
    with pytest.raises(UsageError, match=r"pdfingest\.toml .*wrokers"):
        read_config(KNOWN)


def test_a_file_that_is_no_toml_is_a_usage_error() -> None:
    Path("pdfingest.toml").write_text("= what\n")
    with pytest.raises(UsageError, match=r"pdfingest\.toml cannot be read"):
        read_config(KNOWN)


@pytest.mark.parametrize("content", ["tool = 3\n", "[tool]\npdfingest = 3\n"])
def test_a_section_that_is_no_table_is_a_usage_error(content: str) -> None:
    Path("pyproject.toml").write_text(content)
    with pytest.raises(UsageError, match=r"pyproject\.toml .*no table"):
        read_config(KNOWN)
