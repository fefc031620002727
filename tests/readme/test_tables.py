"""What tables and lists of README and docs name is what the program has, no more and no less."""

import io
import json
import re
from enum import EnumType
from inspect import Parameter
from typing import Any

import pytest
from documentation import TEXT, blocks, column, names, rows_of

from conftest import ROOT
from pdfingest import ExitCode, FailureKind
from pdfingest.cli.command import known_variables
from pdfingest.cli.declared import Option, options_of
from pdfingest.cli.main import all_commands
from pdfingest.engines.registry import BUILT_IN
from pdfingest.exchange import record
from pdfingest.measure import sizing
from pdfingest.measure.machine import available_cpus
from pdfingest.options import IngestOptions
from pdfingest.output import layout
from pdfingest.output.schema import Schema, schema_of
from pdfingest.report.csv import write_csv
from pdfingest.report.plots import MOST_ROWS
from pdfingest.service.settings import Settings
from pdfingest.service.variables import PREFIX
from pdfingest.text import parse_size
from pdfingest.values import option_of

PROGRAM = all_commands()
FOREIGN = {
    *("--appendonly", "--save", "--maxmemory-policy"),
    *("--scale",),
    *("--retry", "--retry-all-errors", "--silent"),
    *("--enable-ui", "--select"),
    *("--rounds", "--ways", "--peers"),
}
"""Flags of Redis, of Docker Compose, of curl, of docling-serve, of Dagster and of the benchmark of
speed."""


def test_the_commands_are_those_of_the_program() -> None:
    assert sorted(names(column("command"))) == sorted(PROGRAM.commands)


def test_the_failures_are_those_of_the_program() -> None:
    assert names(column("`failure`")) == list(dict.fromkeys(names(column("`failure`"))))
    assert set(names(column("`failure`"))) == set(FailureKind)


def test_the_exit_codes_are_those_of_the_program() -> None:
    codes = [int(code) for cell in column("code") for code in cell.split(",")]
    assert codes == sorted(ExitCode)


def test_the_settings_are_those_of_the_service() -> None:
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    found = names(column("setting"))
    assert (set(found), len(found)) == (settings, len(settings))


def default_of(shown: str, setting: str) -> Any:
    """The default that the TEXT shows for a setting, as the program has it."""
    if shown == "as for `run`":
        of_run = {option_of(name): name for name in IngestOptions.__dataclass_fields__}
        return getattr(IngestOptions(), of_run[setting])
    if shown.startswith("the CPUs"):  # or fewer, on a small machine
        return min(available_cpus(), Settings().lanes)
    words = {"none": "", "3/4 of what there is": 0}
    if shown in words:
        return words[shown]
    if shown.startswith("`"):
        return shown.strip("`")
    return parse_size(shown.removesuffix(" s").removesuffix(" a minute").replace(",", ""))


def test_the_settings_have_the_defaults_that_are_shown() -> None:
    for cell, shown, _ in rows_of("setting"):
        for variable in names([cell]):
            setting = variable.removeprefix(PREFIX).lower()
            assert getattr(Settings(), setting) == default_of(shown, setting), variable


def options(command: str) -> dict[str, Option]:
    """The options of a command by their flags."""
    found = options_of(PROGRAM, command)
    return {option.flag: option for option in found if option.flag.startswith("--")}


def is_shown_as(shown: str, default: Any) -> bool:
    """Whether this is how a default is shown; a size may have a unit."""
    if isinstance(default, float):
        return shown == f"{default:g}"
    return shown == f"{default}" or (isinstance(default, int) and parse_size(shown) == default)


@pytest.mark.parametrize("command", ["run", "report", "export"])
def test_the_options_in_a_table_are_those_of_its_command(command: str) -> None:
    for cell, does in rows_of(f"option of `{command}`"):
        option = options(command)[names([cell])[0]]
        if isinstance(option.kind, EnumType):
            assert set(option.kind) <= set(names([does]))
        shown = re.findall(r"\(default `([^`]+)`", does)
        assert all(is_shown_as(each, option.default) for each in shown)
        is_needed = option.default is Parameter.empty
        assert shown or is_needed or not option.default, f"the default of {cell} is not shown"


@pytest.mark.parametrize("command", ["run", "report", "export"])
def test_a_table_has_all_options_of_its_command_once(command: str) -> None:
    found = [flag for flag in names(column(f"option of `{command}`")) if flag != "--no-progress"]
    assert sorted(found) == sorted(options(command))


def test_the_engines_are_those_built_in() -> None:
    assert names(column("name")) == list(BUILT_IN)


ENGINES = {path.parent.name: path.parent for path in ROOT.glob("examples/engines/*/pyproject.toml")}


def test_the_engines_of_others_are_those_of_the_examples() -> None:
    assert names(column("package")) == sorted(ENGINES)


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_an_engine_of_the_examples_is_small_and_has_a_test_and_a_page(name: str) -> None:
    module = f"pdfingest_{name.replace('-', '_')}.py"
    assert len((ENGINES[name] / module).read_text(encoding="utf-8").splitlines()) <= 80
    assert (ENGINES[name] / f"test_{module}").exists()
    page = (ENGINES[name] / "README.md").read_text(encoding="utf-8")
    assert f"pip install ./examples/engines/{name}\n" in page
    assert "pdfingest run examples/pdfs" in page


def test_the_files_are_those_that_are_written() -> None:
    files = {*layout.RECORDS.values(), layout.REPORT, layout.SUMMARY, layout.PICTURES}
    found = {name for name in names(column("file")) if re.fullmatch(r"[\w.]+\w", name)}
    assert found == files


FLAGS = {
    flag
    for command in (PROGRAM, *(PROGRAM.get_command(None, name) for name in PROGRAM.commands))
    for param in command.params
    for flag in (*param.opts, *param.secondary_opts)
} | {"--help"}


@pytest.mark.parametrize("flag", sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT))))
def test_a_flag_that_is_named_exists(flag: str) -> None:
    assert flag in FLAGS | FOREIGN


@pytest.mark.parametrize("variable", sorted(set(re.findall(r"PDFINGEST_[A-Z_]*[A-Z]", TEXT))))
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
    ((_, shown),) = blocks("json")
    expected = keys(schema_of("record"))
    del expected["page_offsets"]  # of a document
    assert json.dumps(shape(json.loads(shown))) == json.dumps(expected)


def test_every_key_of_a_record_has_a_row() -> None:
    properties = schema_of("record")["properties"]
    assert sorted(names(column("key"))) == sorted(properties)
    of_metadata = names(column("key of `metadata`"))
    assert sorted(of_metadata) == sorted(properties["metadata"]["properties"])


def named(begin: str, end: str) -> list[str]:
    """What stands in backticks in the one paragraph that has these words, between them."""
    (found,) = re.findall(f"{re.escape(begin)}(.*?){re.escape(end)}", TEXT, re.DOTALL)
    return names([found])


def test_every_key_of_a_report_line_is_named_in_its_order() -> None:
    assert named("A **report line** has", "\n\n") == list(schema_of("report")["properties"])


def test_every_status_of_a_report_line_is_named() -> None:
    assert names(column("`status`")) == schema_of("report")["properties"]["status"]["enum"]


def test_every_key_of_the_summary_that_is_named_exists() -> None:
    found = named("In `summary.json`, ", "\n\n")
    assert found
    assert set(found) <= set(schema_of("summary")["properties"])


def test_every_column_of_the_csv_is_named_in_its_order() -> None:
    file = io.StringIO()
    write_csv((), file)
    assert named("The columns of `--csv` are ", "\n\n") == file.getvalue().strip().split(",")


SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
SYMPTOMS = names(column("symptom"))
OF_OTHERS = {"RuntimeError", "PermissionError"}
"""Names of errors that others raise."""


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_a_symptom_is_told_in_the_words_of_the_program(symptom: str) -> None:
    words = r"[^\n]*".join(map(re.escape, symptom.split("…")))
    source = re.sub(r'"\n\s*f?"', "", SOURCE)  # a message may go over several lines
    assert symptom in OF_OTHERS | {"�"} or re.search(words, source)


def test_the_numbers_in_the_text_are_those_of_the_program() -> None:
    text = re.sub(r"\s+", " ", TEXT)
    assert f"a table of up to {MOST_ROWS:,} files" in text
    assert f"cut after {record._MOST_LABEL_CHARS} characters" in text
    lanes = f"{sizing.DESCRIPTORS} descriptors and {sizing.DESCRIPTORS_OF_LANE} a lane"
    assert f"a run needs {lanes}" in text
