import os
from pathlib import Path
from typing import Any

import pytest

from pdfingest.errors import UsageError
from pdfingest.options import IngestOptions
from pdfingest.output.ledger import Ledger
from pdfingest.run.discover import discover
from pdfingest.run.plan import Plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a PDF by its name."""
    (tmp_path / "a.pdf").touch()
    return tmp_path


def found(inputs: Any, listed: Any = None) -> list[str]:
    return [os.path.basename(each.name) for each in discover(inputs, listed)]


def test_inputs_may_be_one_path_or_several_of_whatever_kind(folder: Path) -> None:
    for path in (folder, str(folder), os.fsencode(folder), folder / "*.pdf"):
        assert found(path) == ["a.pdf"]
        assert found([path]) == ["a.pdf"]
        assert found(iter((path,))) == ["a.pdf"]


def test_a_list_may_hold_paths_of_whatever_kind(folder: Path) -> None:
    path = folder / "a.pdf"
    assert found([], [path, str(path), os.fsencode(path)]) == ["a.pdf"] * 3


def test_a_list_may_be_an_array_which_has_no_truth_value(folder: Path) -> None:
    class Column(list[Path]):
        def __bool__(self) -> bool:
            raise ValueError

    assert found([], Column([folder / "a.pdf"])) == ["a.pdf"]


@pytest.mark.parametrize("inputs", [None, 3, [None], ["a.pdf", 3]])
def test_what_is_no_path_is_a_usage_error(inputs: Any) -> None:
    with pytest.raises(UsageError, match="inputs must be a path, or paths in a list"):
        found(inputs)


def test_a_listed_path_that_no_system_takes_is_a_source_that_cannot_be_read() -> None:
    (found,) = discover([], ["a\0b.pdf"])
    assert (found.error, found.identity) == ("its name holds a NUL", None)


def test_an_empty_path_in_a_list_is_not_the_current_directory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    (only,) = discover([], [""])
    assert only.error


def test_relative_inputs_give_absolute_paths_whatever_the_current_directory_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "[a]*"
    here.mkdir()
    (here / "a.pdf").touch()
    monkeypatch.chdir(here)
    for inputs, listed in ((".", None), ("a.pdf", None), ("*.pdf", None), ([], ["a.pdf"])):
        (only,) = discover(inputs, listed)
        assert (only.name, os.path.abspath(only.path)) == ("a.pdf", str(here / "a.pdf"))
        assert os.path.isabs(only.path)


def test_hidden_files_and_directories_are_left_out(folder: Path) -> None:
    (folder / ".b.pdf").touch()
    (folder / ".c").mkdir()
    (folder / ".c" / "d.pdf").touch()
    assert found(folder) == found(folder / "*") == found(folder / "**" / "*.pdf") == ["a.pdf"]


def test_a_directory_that_cannot_be_listed_is_a_source_that_cannot_be_read(folder: Path) -> None:
    (folder / "b").mkdir()
    walk = discover(folder)
    assert next(walk).name == "a.pdf"
    (folder / "b").rmdir()
    (lost,) = walk
    assert (lost.name, lost.path) == ("b", str(folder / "b"))
    assert lost.error.startswith("the directory cannot be listed: ")


def test_two_names_of_one_file_are_one_source(folder: Path) -> None:
    (folder / "b.pdf").hardlink_to(folder / "a.pdf")
    (folder / "0.pdf").symlink_to(folder / "a.pdf")
    with Ledger("") as ledger, Plan(ledger) as plan:
        plan.fill(discover(folder))
        plan.settle(IngestOptions(), "digest")
        assert [source.name for source in plan.changed()] == ["0.pdf"]
