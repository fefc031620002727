"""What is imported before the program does what it is asked for: this decides how soon it does."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import environment, make_pdf
from pdfingest.cli.main import all_commands

PROGRAM = """
import gc, json, sys
import pdfingest.__main__ as main
code = main.main()
print(json.dumps([code, gc.isenabled(), sorted(sys.modules)]))
"""
IMAGE = """
import json, sys
from pdfingest.isolation.contents import Contents
from pdfingest.isolation.zygote import make_image
make_image(Contents(("pdfingest.engines.pdfium",)))
print(json.dumps(sorted(sys.modules)))
"""
NEVER = {
    *("rich", "email.parser", "statistics", "asyncio", "ssl", "http.client"),
    *("pypdf", "pypdfium2", "pypdfium2_raw", "pdfplumber", "pdfminer"),
}
"""What no start needs: each takes some percent of one."""
OF_CHILDREN = {"ctypes", "xml", "pdfingest.child.extraction", "pdfingest.page.reading"}
OF_RUNS = {
    *("psutil", "sqlite3", "multiprocessing", "logging", "importlib.metadata"),
    *("pdfingest.isolation.image", "pdfingest.cli.run_session"),
}
OF_OPTIONS = {"psutil", "pdfingest.options", "pdfingest.cli.declared", "pdfingest.cli.command"}


@pytest.fixture
def imported() -> Callable[..., set[str]]:
    """The modules that the program has imported at its end, given its arguments."""

    def run(*words: object) -> set[str]:
        command = [sys.executable, "-c", PROGRAM, *map(str, words)]
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, check=True, timeout=100
        )
        code, collects, modules = json.loads(done.stdout.splitlines()[-1])
        assert code == 0
        assert collects or "--help" in words, "garbage of a run is collected"
        return set(modules)

    return run


Imported = Callable[..., set[str]]


def test_help_imports_no_command(imported: Imported) -> None:
    modules = imported("--help")
    assert {name for name in all_commands().commands if f"pdfingest.cli.{name}" in modules} == set()
    assert modules & (NEVER | OF_CHILDREN | OF_RUNS | OF_OPTIONS) == set()


def test_help_on_a_command_imports_its_options_and_not_what_it_does(imported: Imported) -> None:
    modules = imported("run", "--help")
    assert "pdfingest.options" in modules
    assert modules & (NEVER | OF_CHILDREN | (OF_RUNS - OF_OPTIONS)) == set()


@pytest.mark.parametrize("command", ["compact", "schema", "serve"])
def test_a_command_imports_no_other(imported: Imported, command: str) -> None:
    modules = imported(command, "--help")
    others = {*all_commands().commands} - {command, "run"}  # whose options name the variables
    assert {name for name in others if f"pdfingest.cli.{name}" in modules} == set()


def test_a_quiet_run_imports_nothing_that_draws_nor_what_its_children_do(
    imported: Imported, pdfs: Path, out: Path
) -> None:
    make_pdf(pdfs / "a.pdf")
    modules = imported("run", pdfs, "-q", "-o", out)
    assert "pdfingest.run.pipeline" in modules
    assert modules & (NEVER | OF_CHILDREN | {"pdfingest.report.html"}) == set()


def test_a_run_without_a_bar_imports_nothing_that_draws_one(
    imported: Imported, pdfs: Path, out: Path
) -> None:
    make_pdf(pdfs / "a.pdf")
    modules = imported("run", pdfs, "-o", out)
    assert "rich.console" in modules  # of the table at the end
    assert modules & {"rich.progress", "rich.live", "rich.markdown", "rich.syntax"} == set()


def test_the_image_imports_what_a_job_needs_and_nothing_of_the_parent() -> None:
    done = subprocess.run([sys.executable, "-c", IMAGE], capture_output=True, text=True, check=True)
    modules = set(json.loads(done.stdout))
    assert "pdfingest.child.extraction" in modules
    parent = {"typer", "psutil", "sqlite3", "importlib.metadata", "zipfile", "pdfingest.options"}
    # Of Python 3.14, the library that prints tracebacks imports both.
    makes_classes = {"dataclasses", "inspect"} if sys.version_info < (3, 14) else set[str]()
    assert modules & (parent | makes_classes | (NEVER - {"pypdfium2_raw"})) == set()


@pytest.mark.parametrize("name", all_commands().commands)
def test_the_help_of_a_command_begins_with_its_sentence_in_the_list(name: str) -> None:
    commands = all_commands()
    made = commands.get_command(None, name)
    assert made.name == name
    assert " ".join(made.help.split()).startswith(commands.commands[name].help or "?")
