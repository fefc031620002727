"""The configuration: which file counts, what it may say, and whom a broken one concerns."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Say
from pdfingest.cli import config

COUNTS = 'unit = "{}"\n'
"""A file that counts is one that is complained of, by what it says."""


@pytest.fixture
def deep(say: Say, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - it goes first
    """A directory some levels down, which is the current one, with an empty one for inputs."""
    folder = Path("a/b/c").absolute()
    (folder / "folder").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def counts(say: Say, *more: str, **env: str) -> str:
    """What the file says that counts, or nothing."""
    said = say("run", "folder", *more, env=env)
    if said.code == 3:
        return ""
    assert said.code == 2
    return said.stderr.rpartition("not '")[2].removesuffix("'.\n")


def test_the_nearest_file_upwards_counts(say: Say, deep: Path) -> None:
    assert counts(say) == ""
    for level in (3, 2, 1, 0):
        folder = [deep, *deep.parents][level]
        (folder / "pdfingest.toml").write_text(COUNTS.format(level))
        assert counts(say) == f"{level}"


@pytest.mark.usefixtures("deep")
def test_of_two_files_in_one_directory_our_own_counts(say: Say) -> None:
    Path("pyproject.toml").write_text("[tool.pdfingest]\n" + COUNTS.format("shared"))
    assert counts(say) == "shared"
    Path("pdfingest.toml").write_text(COUNTS.format("own"))
    assert counts(say) == "own"
    Path("pdfingest.toml").write_text("")
    assert counts(say) == ""


def test_a_project_file_without_our_section_is_not_ours(say: Say, deep: Path) -> None:
    (deep.parent / "pdfingest.toml").write_text(COUNTS.format("above"))
    for content in (
        b"[tool.black]\nline-length = 100\n",
        b'[project]\ndependencies = ["pdfingest"]\n',
        b"= what\n",
        b"\xff\xfe",
    ):
        Path("pyproject.toml").write_bytes(content)
        assert counts(say) == "above"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
@pytest.mark.usefixtures("deep")
def test_a_project_file_that_cannot_be_read_is_not_ours(say: Say) -> None:
    Path("pyproject.toml").touch(0o000)
    assert counts(say) == ""


@pytest.fixture
def unsearchable(deep: Path) -> Iterator[Path]:
    """The current directory, where nobody may look for a file; also if root runs the tests."""
    (deep / "pdfingest.toml").write_text("what =")
    nobody, root = 65534, os.geteuid() == 0
    deep.chmod(0o000)
    if root:
        os.seteuid(nobody)
    yield deep
    if root:
        os.seteuid(0)
    deep.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX")
@pytest.mark.usefixtures("unsearchable")
def test_a_directory_that_may_not_be_searched_has_no_configuration() -> None:
    assert config.find() == config.Config()


@pytest.mark.usefixtures("deep")
def test_a_directory_in_the_place_of_a_project_file_is_not_ours(say: Say) -> None:
    Path("pyproject.toml").mkdir()
    assert counts(say) == ""


def test_a_file_that_is_named_counts(say: Say, deep: Path) -> None:
    Path("pdfingest.toml").write_text(COUNTS.format("near"))
    Path("other.toml").write_text(COUNTS.format("other"))
    (deep.parent / "pyproject.toml").write_text("[tool.pdfingest]\n" + COUNTS.format("section"))
    assert counts(say, "--config", "other.toml") == "other"
    assert counts(say, PDFINGEST_CONFIG="other.toml") == "other"
    assert counts(say, "--config", "../pyproject.toml", PDFINGEST_CONFIG="other.toml") == "section"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pdfingest.toml", b"= what\n", "cannot be read: Invalid statement (at line 1, column 1)."),
        ("pdfingest.toml", b"a = 1\n\xff\n", "cannot be read: line 2 is not UTF-8."),
        ("pyproject.toml", b"[tool.pdfingest]\nunit =\n", "cannot be read: Invalid value (at line"),
        ("pyproject.toml", b"tool = 3 # pdfingest\n", "cannot be used: `tool` must be a table."),
        ("pyproject.toml", b"[tool]\npdfingest = 3\n", "cannot be used: `pdfingest` must be a"),
    ],
)
@pytest.mark.usefixtures("deep")
def test_what_is_wrong_with_a_file_of_ours_is_told_with_its_line(
    say: Say, name: str, content: bytes, message: str
) -> None:
    Path(name).write_bytes(content)
    said = say("run", "folder")
    assert said.code == 2
    assert said.stderr.startswith(f"pdfingest: {Path(name).absolute()} {message}")
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.toml", "nowhere.toml cannot be read: No such file or directory."),
        ("folder", "folder cannot be read: Is a directory."),
        ("pyproject.toml", "pyproject.toml has no section [tool.pdfingest]."),
    ],
)
@pytest.mark.usefixtures("deep")
def test_a_file_that_is_named_and_cannot_be_used_is_a_usage_error(
    say: Say, name: str, message: str
) -> None:
    Path("pyproject.toml").touch()
    said = say("run", "folder", "--config", name)
    assert (said.code, said.stderr) == (2, f"pdfingest: {message}\n")


@pytest.mark.usefixtures("deep")
def test_our_own_file_that_cannot_be_opened_is_a_usage_error(say: Say) -> None:
    Path("pdfingest.toml").symlink_to("nowhere")
    said = say("run", "folder")
    assert said.code == 2
    assert "pdfingest.toml cannot be read: No such file or directory." in said.stderr


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("wrokers", " Did you mean workers?"),
        ("page-timeuot", " Did you mean page_timeout?"),
        ("inputs", ""),
        ("config", ""),
        ("run", ""),
    ],
)
@pytest.mark.usefixtures("deep")
def test_an_option_that_does_not_exist_is_named_with_a_similar_one(
    say: Say, key: str, hint: str
) -> None:
    Path("pdfingest.toml").write_text(f"{key} = 2\n")
    said = say("run", "folder")
    assert said.code == 2
    assert said.stderr == (
        f"pdfingest: {Path('pdfingest.toml').absolute()}: there is no option {key}.{hint} "
        "See: pdfingest run --help\n"
    )


@pytest.mark.parametrize(
    "words",
    [["--version"], ["--help"], ["run", "--help"], ["report", "."], ["compact", "."], ["nonsense"]],
)
def test_a_broken_file_does_not_concern_commands_that_do_not_use_it(
    say: Say, words: list[str]
) -> None:
    assert "pdfingest.toml" not in say(*words, toml="= what\n").stderr


def test_an_output_without_a_name_is_refused_wherever_the_file_is(say: Say, deep: Path) -> None:
    (deep.parent / "pdfingest.toml").write_text('output = ""\n')
    said = say("run", "folder")
    where = (deep.parent / "pdfingest.toml").absolute()
    assert said.stderr == (
        f"pdfingest: output in {where}: must name a directory, or - for stdout.\n"
    )


@pytest.mark.usefixtures("deep")
def test_a_flag_goes_before_the_environment_that_before_a_file_and_that_before_the_default(
    say: Say,
) -> None:
    assert counts(say) == ""
    Path("pdfingest.toml").write_text('engine = "file,file"\n')
    assert counts(say) == "file,file"
    assert counts(say, PDFINGEST_ENGINE="env,env") == "env,env"
    assert counts(say, "--engine", "flag,flag", PDFINGEST_ENGINE="env,env") == "flag,flag"
