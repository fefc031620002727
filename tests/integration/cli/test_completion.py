"""Completion of command lines by shells."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Cli, environment


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["pdfingest", "ru"], {"run"}),
        (["pdfingest", "run", "--wor"], {"--workers"}),
        (["pdfingest", "run", "--unit", ""], {"page", "document", "chunk"}),
        (["pdfingest", "schema", "s"], {"summary"}),
        (["pdfingest", "report", "--h"], {"--html", "--help"}),
    ],
)
def test_a_shell_is_told_what_a_word_may_become(
    cli: Cli, words: list[str], completed: set[str]
) -> None:
    asked = {"_PDFINGEST_COMPLETE": "complete_bash", "COMP_WORDS": " ".join(words)}
    done = cli(env={**asked, "COMP_CWORD": str(len(words) - 1)})
    assert set(done.stdout.split()) == completed


def test_a_broken_configuration_does_not_stand_in_its_way(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cwd" / "pdfingest.toml").write_text("= what\n")
    asked = {"_PDFINGEST_COMPLETE": "complete_bash", "COMP_WORDS": "pdfingest run --ht"}
    done = cli(env={**asked, "COMP_CWORD": "2", "PDFINGEST_WORKERS": "x"})
    assert (done.stdout.split(), done.stderr) == (["--html"], "")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_script_that_is_shown_completes_in_bash(tmp_path: Path) -> None:
    shown = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m pdfingest --show-completion; true"],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (tmp_path / "pdfingest").write_text(f'#!/bin/sh\nexec {sys.executable} -m pdfingest "$@"\n')
    (tmp_path / "pdfingest").chmod(0o755)
    script = (
        f'PATH="{tmp_path}:$PATH"\n{shown}\n'
        "COMP_WORDS=(pdfingest run --wor); COMP_CWORD=2\n"
        '_pdfingest_completion pdfingest; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "--workers\n"
