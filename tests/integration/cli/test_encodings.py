"""Terminals and pipes that know fewer characters than names and texts have."""

import json
from pathlib import Path

import pytest

from conftest import Cli, make_pdf

NAME = "é 灯.pdf"
PLAIN_C = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
ENVIRONMENTS = [
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
    {"PYTHONIOENCODING": "ascii:strict"},
    {"LC_ALL": "C"},
    PLAIN_C,
    {"LC_ALL": "POSIX", "PYTHONUTF8": "0"},
]


@pytest.fixture(params=ENVIRONMENTS, ids=lambda each: " ".join(map("=".join, each.items())))
def poor(request: pytest.FixtureRequest) -> dict[str, str]:
    """An environment in which Python writes few characters."""
    chosen: dict[str, str] = request.param
    return chosen


def test_every_command_writes_what_it_can_and_escapes_the_rest(
    cli: Cli, pdfs: Path, out: Path, poor: dict[str, str]
) -> None:
    make_pdf(pdfs / NAME)
    (pdfs / "ü.pdf").write_bytes(b"no")
    for words in (["run", pdfs, "-o", out, "-v", "--fail-on", "never"], ["report", out]):
        done = cli(*words, env=poor, errors="replace")
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr


def test_an_escaped_name_is_still_told_from_others(cli: Cli, pdfs: Path) -> None:
    make_pdf(pdfs / NAME)
    done = cli("run", pdfs, "--dry-run", env={"PYTHONIOENCODING": "ascii"})
    assert done.stdout == "\\xe9 \\u706f.pdf\n"


@pytest.mark.parametrize("poor", [{"PYTHONIOENCODING": "ascii:strict"}, PLAIN_C], ids=str)
def test_records_and_tables_on_stdout_are_utf_8_whatever_the_locale(
    cli: Cli, pdfs: Path, out: Path, poor: dict[str, str]
) -> None:
    make_pdf(pdfs / NAME)
    done = cli("run", pdfs, "-o", "-", "-q", env=poor, encoding="utf-8")
    assert done.returncode == 0
    assert json.loads(done.stdout)["source"] == NAME
    assert cli("run", pdfs, "-o", out, "-q", env=poor).returncode == 0
    done = cli("report", out, "--csv", env=poor, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert f"\n{NAME}," in done.stdout
