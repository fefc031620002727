"""Folders that may be ingested: what is in them is found, and nothing else."""

import os
from pathlib import Path

import pytest

from pdfingest.agents.allowed import Allowed
from pdfingest.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is allowed, beside one that is not and whose name begins like it."""
    for name in ("in/a/x.pdf", "in/y.pdf", "in side/z.pdf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF-")
    return tmp_path


def names(allowed: Allowed, *inputs: str) -> list[str]:
    return sorted(each.name for each in allowed.find(inputs))


def test_names_are_relative_to_the_folder(folder: Path) -> None:
    allowed = Allowed([str(folder / "in")])
    assert names(allowed, ".") == ["a/x.pdf", "y.pdf"]
    assert names(allowed, "a") == names(allowed, str(folder / "in" / "a" / "x.pdf")) == ["a/x.pdf"]


def test_names_are_relative_to_the_folder_of_all_folders(folder: Path) -> None:
    allowed = Allowed([str(folder / "in" / "a"), str(folder / "in side")])
    assert names(allowed, "in/a", "in side") == ["in side/z.pdf", "in/a/x.pdf"]
    with pytest.raises(UsageError, match="outside"):
        names(allowed, "in/y.pdf")


def test_a_folder_may_be_named_by_a_link(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "in")
    assert names(Allowed([str(folder / "link")]), str(folder / "in")) == ["a/x.pdf", "y.pdf"]


@pytest.mark.parametrize("outside", ["..", "../in side", "a/../..", "/", "link", "link/z.pdf"])
def test_what_is_outside_is_refused_before_anything_is_searched(folder: Path, outside: str) -> None:
    (folder / "in" / "link").symlink_to(folder / "in side")
    with pytest.raises(UsageError, match="outside of the folders"):
        next(Allowed([str(folder / "in")]).find(["a", outside]))


def test_a_link_that_leads_out_is_a_source_that_cannot_be_read(folder: Path) -> None:
    (folder / "in" / "link.pdf").symlink_to(folder / "in side" / "z.pdf")
    (folder / "in" / "same.pdf").symlink_to(folder / "in" / "y.pdf")
    found = {each.name: each for each in Allowed([str(folder / "in")]).find(["."])}
    assert {name for name, each in found.items() if each.error} == {"link.pdf"}
    assert found["same.pdf"].path == os.path.realpath(folder / "in" / "y.pdf")


def test_a_folder_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="it is not a directory"):
        Allowed([str(folder / "in" / "y.pdf")])
