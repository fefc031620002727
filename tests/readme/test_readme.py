"""README and docs are run: every command that they show, as it is, in a copy of the project."""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documentation import PAGES, TEXT, blocks
from make_pictures import record, screen

from conftest import ROOT
from pdfingest import stream

_FIGURE = re.compile(r"\d[\d.,]*")
_HIGHEST = re.compile(r"max: \S+")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def cases(language: str) -> list[object]:
    """The blocks in a language, named by their pages, but for the one that runs this test."""
    return [
        pytest.param(block, id=f"{page}-{index}")
        for index, (page, block) in enumerate(blocks(language))
        if "nox" not in block
    ]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a reader has, without what checks and builds left there."""
    return Path(
        shutil.copytree(
            ROOT,
            tmp_path / "project",
            ignore=shutil.ignore_patterns(".*", "build", "pdfingest-out"),
        )
    )


def run(command: list[str] | str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=cwd,
        shell=isinstance(command, str),
        env={**os.environ, "PATH": scripts},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def command_and_code(line: str) -> tuple[str, int]:
    """A command without its comment, and its exit code: 0 unless the comment says another."""
    command, _, comment = line.partition("  #")
    said = re.search(r"exit code (\d+)", comment)
    # Both packages are installed already, by the session that runs this test.
    return re.sub(r"^pip install \S+ && ", "", command.strip()), int(said[1]) if said else 0


@pytest.mark.parametrize("block", cases("sh"))
def test_the_commands_of_a_block_end_as_they_say(block: str, project: Path) -> None:
    for command, code in map(command_and_code, block.splitlines()):
        done = run(command, project)
        assert done.returncode == code, (command, done.stderr)
        assert "Traceback" not in done.stderr


def comparable(lines: list[str]) -> list[list[str]]:
    """Lines of a terminal without what differs between runs.

    That is figures and the blanks that align them, which files end first, as several are read at a
    time, and which of them has the highest peak.
    """
    plain = [_HIGHEST.sub("", _FIGURE.sub("0", _STYLE.sub("", line))) for line in lines]
    return sorted(sorted(line.replace(",", "").split()) for line in plain if line.strip())


@pytest.mark.parametrize("block", cases("console"))
def test_the_terminal_shows_what_a_block_shows(block: str, project: Path) -> None:
    line, *shown = block.splitlines()
    command, code = command_and_code(line.removeprefix("$ "))
    output = "".join(record(f"{command}; echo $?", project))
    assert comparable(screen(output)) == comparable([*shown, "0"])
    assert output.split()[-1] == str(code)


def test_the_two_commands_are_there() -> None:
    assert "\npip install . && pdfingest run examples/pdfs\n" in PAGES["README.md"]
    assert "\npip install 'nox[uv]' && python -m nox\n" in PAGES["README.md"]


def test_the_second_command_that_is_shown_is_one_that_fails() -> None:
    readme = PAGES["README.md"]
    commands = re.findall(
        r"^(?:\$ |pip install \. && )?(pdfingest run.*?)(?:  |$)", readme, re.MULTILINE
    )
    assert commands[:2] == ["pdfingest run examples/pdfs", "pdfingest run examples/broken"]


def test_the_readme_is_short() -> None:
    assert len(PAGES["README.md"].splitlines()) <= 200


@pytest.mark.parametrize("code", cases("python"))
def test_the_programs_run(code: str, project: Path) -> None:
    ast.parse(code)
    (project / "program.py").write_text(code)
    done = run([sys.executable, "program.py"], project)
    assert done.returncode == 0, done.stderr
    first, *records = done.stdout.splitlines()
    assert first == "7 0 14"
    assert len(records) == 14


@pytest.mark.parametrize("block", cases("toml"))
def test_the_configuration_is_one(block: str, project: Path) -> None:
    (project / "pdfingest.toml").write_text(block)
    done = run("pdfingest run examples/broken/encrypted.pdf --quiet", project)
    assert (done.returncode, done.stderr) == (0, "")
    assert (project / "ingested" / "pages.jsonl").exists()


def is_shown_as(value: object, shown: object) -> bool:
    """Whether the README shows a value: an ellipsis stands for the rest of a text."""
    if isinstance(shown, dict) and isinstance(value, dict):
        return all(is_shown_as(value[key], each) for key, each in shown.items())
    if isinstance(shown, str) and shown.endswith("…"):
        return str(value).startswith(shown.removesuffix("…"))
    return value == shown


def test_the_record_that_is_shown_is_one_of_the_examples() -> None:
    ((_, block),) = blocks("json")
    shown = json.loads(block)
    del shown["metadata"]["engine_version"]
    records = stream([ROOT / "examples" / "pdfs"])
    (record,) = [each for each in records if each["id"] == shown["id"]]
    assert is_shown_as(record, shown)
    source, sha256, page = (record["metadata"][key] for key in ("source", "sha256", "page"))
    digest = hashlib.sha256(f"{source}\0{sha256}".encode()).hexdigest()
    assert shown["id"] == f"{digest[:16]}:p{page:04d}"


def test_the_library_example_runs(project: Path) -> None:
    done = run([sys.executable, "examples/use_as_library.py", "examples"], project)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 14
    assert "broken.pdf: malformed" in done.stderr


def test_no_block_of_code_goes_untested() -> None:
    tested = {"sh", "console", "python", "json", "toml", "text"}
    assert set(re.findall(r"^```(\w*)\n(?=.)", TEXT, re.MULTILINE)) - {""} <= tested
