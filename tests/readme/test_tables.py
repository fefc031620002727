"""What the README's tables and lists name is what the program has, no more and no less."""

import json
import re
from collections.abc import Iterator

import pytest
from typer.main import get_command

from conftest import ROOT
from pdfingest import ExitCode, FailureKind, layout
from pdfingest.cli.declared import Program
from pdfingest.cli.main import app
from pdfingest.cli.unread import known_variables
from pdfingest.extract.registry import _BUILT_IN
from pdfingest.schema import Schema, schema_of
from pdfingest.service.settings import PREFIX, Settings

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAM: Program = get_command(app)
FOREIGN = {"--appendonly", "--scale"}
"""Flags of Redis and of Docker Compose."""

Table = tuple[list[str], list[list[str]]]


def tables() -> Iterator[Table]:
    """Heads and rows of all tables, outside of code."""
    for block in re.findall(
        r"(?:^\|.*\n)+", re.sub(r"```.*?```", "", README, flags=re.DOTALL), re.MULTILINE
    ):
        head, _, *rows = [
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines()
        ]
        yield head, rows


def column(first: str) -> list[str]:
    """The first column of the table whose head begins so."""
    (found,) = [rows for head, rows in tables() if head[0] == first]
    return [row[0] for row in found]


def names(cells: list[str]) -> list[str]:
    """What stands in backticks."""
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_commands_are_those_of_the_program() -> None:
    assert sorted(names(column("command"))) == sorted(PROGRAM.commands)


def test_the_failures_are_those_of_the_program() -> None:
    assert names(column("`failure`")) == list(dict.fromkeys(names(column("`failure`"))))
    assert set(names(column("`failure`"))) == set(FailureKind)


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = [int(code) for cell in column("code") for code in cell.split(",")]
    assert codes == sorted(ExitCode)


def test_the_settings_are_those_of_the_service() -> None:
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.__dataclass_fields__}
    found = names(column("setting"))
    assert (set(found), len(found)) == (settings, len(settings))


def test_the_engines_are_those_built_in() -> None:
    assert names(column("name")) == list(_BUILT_IN)


def test_the_files_are_those_that_are_written() -> None:
    files = {*layout.RECORDS.values(), layout.REPORT, layout.SUMMARY, layout.PICTURES}
    found = {name for name in names(column("file")) if re.fullmatch(r"[\w.]+\w", name)}
    assert found == files


FLAGS = {
    flag
    for command in (PROGRAM, *PROGRAM.commands.values())
    for param in command.params
    for flag in (*param.opts, *param.secondary_opts)
} | {"--help"}


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))))
def test_a_flag_that_is_named_exists(flag: str) -> None:
    assert flag in FLAGS | FOREIGN


@pytest.mark.parametrize("variable", sorted(set(re.findall(r"PDFINGEST_[A-Z_]*[A-Z]", README))))
def test_a_variable_that_is_named_exists(variable: str) -> None:
    assert variable in known_variables(PROGRAM)


def keys(schema: Schema) -> dict[str, object]:
    """The keys of a schema, in their order, each with those below it."""
    return {
        name: keys(each) if each["type"] == "object" else None
        for name, each in schema["properties"].items()
    }


def shape(value: object) -> object:
    """The keys of a value, in their order, each with those below it."""
    return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else None


def test_the_record_that_is_shown_has_every_key_in_its_order() -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    expected = keys(schema_of("record"))
    del expected["page_offsets"]  # of a document
    assert json.dumps(shape(json.loads(shown))) == json.dumps(expected)
    assert "`page_offsets`" in README


def test_every_key_of_a_report_line_is_named_in_its_order() -> None:
    (listed,) = re.findall(r"A \*\*report line\*\* has (.*?)\n\n", README, re.DOTALL)
    assert re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", listed)) == list(
        schema_of("report")["properties"]
    )


def test_every_status_of_a_report_line_is_named() -> None:
    (listed,) = re.findall(r"`status` \((.*?)\)", README)
    assert re.findall(r"`(\w+)`", listed) == schema_of("report")["properties"]["status"]["enum"]
