"""The README is run: every command that it shows, as it stands there, in a copy of the project."""

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

from conftest import ROOT
from pdfingest import stream

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = re.findall(r"(?<!<!-- service -->\n)```sh\n(.*?)```", README, re.DOTALL)
"""The service is started by tests/service/test_readme.py."""
BLOCKS = [[line.split("  #")[0].strip() for line in block.splitlines()] for block in SHELL]
COMMANDS = [command for block in BLOCKS for command in block]


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


@pytest.mark.parametrize("block", [block for block in BLOCKS if "nox" not in block[0]])
def test_the_commands_of_a_block_do_what_they_say(block: list[str], project: Path) -> None:
    for command in block:
        # Both packages are installed already, by the session that runs this test.
        done = run(re.sub(r"^pip install \S+ && ", "", command), project)
        assert done.returncode == 0, (command, done.stderr)
        assert "Traceback" not in done.stderr


def test_the_two_commands_are_there() -> None:
    assert "pip install . && pdfingest run examples/pdfs" in COMMANDS
    assert "pip install 'nox[uv]' && python -m nox" in COMMANDS


def test_the_program_of_the_readme_runs(project: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    ast.parse(code)
    (project / "program.py").write_text(code)
    done = run([sys.executable, "program.py"], project)
    assert done.returncode == 0, done.stderr
    first, *records = done.stdout.splitlines()
    assert first == "7 0 14"
    assert len(records) == 14


def is_shown_as(value: object, shown: object) -> bool:
    """Whether the README shows a value: an ellipsis stands for the rest of a text."""
    if isinstance(shown, dict) and isinstance(value, dict):
        return all(is_shown_as(value[key], each) for key, each in shown.items())
    if isinstance(shown, str) and shown.endswith("…"):
        return str(value).startswith(shown.removesuffix("…"))
    return value == shown


def test_the_record_that_is_shown_is_one_of_the_examples() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
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
