"""Failures as annotations of a GitHub workflow, and a log in which no file can give commands."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cli

Make = Callable[..., Path]
COMMAND = re.compile(r"^\s*::([a-z-]+)( [^:]*)?::(.*)$")
"""As actions/runner reads a line of a log (ActionCommand.cs, TryParseV2)."""
LEGACY = re.compile(r"##\[([a-z-]+)[^\]]*\]")
"""As it reads the older form, anywhere in a line (TryParse)."""


@pytest.fixture
def step(cli_here: Cli, pdfs: Path, out: Path) -> Callable[..., list[str]]:
    """Run as a step of a workflow whose checkout holds the PDFs; gives the lines of stderr."""

    def run(*args: str, **env: str) -> list[str]:
        github = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(pdfs.parent), **env}
        done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", *args, env=github)
        assert done.returncode in {0, 1}
        assert done.stdout == ""
        lines: list[str] = done.stderr.splitlines()
        return lines

    return run


Step = Callable[..., list[str]]


def commands(lines: list[str]) -> list[tuple[str, dict[str, str], str]]:
    """Name, properties and message of each command, as the runner takes them."""
    found: list[tuple[str, dict[str, str], str]] = []
    for line in lines:
        if match := COMMAND.match(line):
            pairs = dict(pair.split("=", 1) for pair in (match[2] or "").strip().split(",") if pair)
            plain = {key: plain_text(value) for key, value in pairs.items()}
            found.append((match[1], plain, plain_text(match[3])))
        else:
            assert not LEGACY.search(line)
    return found


def plain_text(escaped: str) -> str:
    """Undo the escaping, in the order of the runner."""
    for code in ("%0D", "%0A", "%3A", "%2C", "%25"):
        escaped = escaped.replace(code, chr(int(code[1:], 16)))
    return escaped


def test_a_failed_file_is_an_error_and_a_partial_one_a_warning(step: Step, faulty: Make) -> None:
    faulty("ok.pdf")
    faulty("bad.pdf", fault="encrypted")
    faulty("half.pdf", fault="raises", pages=3, page=2)
    found = {name: (where, said) for name, where, said in commands(step())}
    assert found.keys() == {"error", "warning"}
    where, said = found["error"]
    assert where == {"file": "pdfs/bad.pdf", "title": "pdfingest: encrypted"}
    assert said.startswith("bad.pdf: no password opens it")
    where, said = found["warning"]
    assert where == {"file": "pdfs/half.pdf", "title": "pdfingest: engine_error"}
    assert said.startswith("half.pdf: 1 page lost: ")
    assert "a fault of the engine" in said


def test_quiet_keeps_them(step: Step, faulty: Make) -> None:
    faulty("bad.pdf", fault="raises")
    assert [name for name, *_ in commands(step("--quiet"))] == ["error"]


def test_ten_of_each_kind_and_the_number_of_the_others(step: Step, faulty: Make, out: Path) -> None:
    for number in range(13):
        faulty(f"bad{number}.pdf", fault="raises")
    for number in range(11):
        faulty(f"half{number}.pdf", fault="raises", pages=2)
    found = commands(step("-q"))
    names = [name for name, *_ in found]
    assert {name: names.count(name) for name in names} == {"error": 10, "warning": 10, "notice": 1}
    (notice,) = (said for name, _, said in found if name == "notice")
    assert "3 more failed" in notice
    assert "1 more partial" in notice
    assert str(out / "report.jsonl") in notice


def test_a_file_outside_of_the_checkout_has_no_place_in_it(
    step: Step, faulty: Make, tmp_path: Path
) -> None:
    faulty("bad.pdf", fault="raises")
    ((_, where, _),) = commands(step(GITHUB_WORKSPACE=str(tmp_path / "elsewhere")))
    assert where == {"title": "pdfingest: engine_error"}


HOSTILE = [
    "::stop-commands::x.pdf",
    "##[add-mask]x.pdf",
    "a,title=b::error::c.pdf",
    "50%0A::error::x%25.pdf",
    "new\n::error::line.pdf",
    "bell\x07\x1b[31m.pdf",
    "\u6587\u202e.pdf",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_gives_no_command(step: Step, faulty: Make, name: str) -> None:
    faulty(name, fault="raises")
    ((kind, where, said),) = commands(step("--verbose"))
    assert (kind, where["title"]) == ("error", "pdfingest: engine_error")
    if name.isprintable():
        assert where["file"] == f"pdfs/{name}"
        assert said.startswith(f"{name}: ")


def test_with_json_logs_there_are_no_annotations(step: Step, faulty: Make) -> None:
    faulty("##[add-mask]x.pdf", fault="raises")
    lines = step("--log-format", "json")
    assert commands(lines) == []
    assert any("add-mask" in line for line in lines)


def test_elsewhere_there_are_none(cli_here: Cli, faulty: Make, pdfs: Path, out: Path) -> None:
    faulty("bad.pdf", fault="raises")
    done = cli_here("run", pdfs, "-o", out, "--engine", "faulty", env={"GITHUB_ACTIONS": ""})
    assert "::" not in done.stderr


def test_a_report_gives_no_command(cli_here: Cli, faulty: Make, pdfs: Path, out: Path) -> None:
    for number, name in enumerate(HOSTILE):
        faulty(name, fault="raises" if number % 2 else "")
    cli_here("run", pdfs, "-o", out, "--engine", "faulty")
    done = cli_here("report", out, env={"GITHUB_ACTIONS": "true"})
    assert commands(done.stdout.splitlines()) == []
