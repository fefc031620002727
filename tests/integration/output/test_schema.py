"""`pdfingest schema` and what a run writes say the same."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty import write_pdf
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from conftest import Cli, environment, read_lines


def program(*words: str | Path) -> str:
    """Run the program; gives what it wrote to stdout."""
    command = [sys.executable, "-m", "pdfingest", *words]
    done = subprocess.run(
        command, env=environment(), stdout=subprocess.PIPE, text=True, check=False, timeout=100
    )
    return done.stdout


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    """The schemas, as the program prints them."""
    return {name: json.loads(program("schema", name)) for name in ("record", "report", "summary")}


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, examples: Path
) -> dict[str, list[dict[str, Any]]]:
    """What runs write of files of all kinds: whole, broken, lost in part, unchanged, gone."""
    out, other, pdfs = (tmp_path_factory.mktemp(name) for name in ("out", "other", "pdfs"))
    write_pdf(pdfs / "lost.pdf", pages=3, page=2, fault="sigkill")
    write_pdf(pdfs / "dead.pdf", fault="raises", page=0)
    program("run", examples, "-o", out, "-q")
    program("run", examples, "-o", out, "-q", "--report-unchanged")
    program("run", examples, "-o", out, "-q", "--unit", "document")
    program("run", examples, "-o", out, "-q", "--unit", "chunk")
    program("run", pdfs, "-o", other, "-q", "--engine", "faulty")
    (pdfs / "dead.pdf").unlink()
    program("run", pdfs, "-o", other, "-q", "--engine", "faulty")
    report = read_lines(out / "report.jsonl") + read_lines(other / "report.jsonl")
    statuses = {"ok", "partial", "failed", "unchanged", "gone"}
    assert {line["status"] for line in report} == statuses
    return {
        "record": [
            record
            for unit in ("page", "document", "chunk")
            for record in read_lines(out / f"{unit}s.jsonl")
        ],
        "report": report,
        "summary": [json.loads((each / "summary.json").read_text()) for each in (out, other)],
    }


def test_all_that_a_run_writes_is_as_its_schema_says(
    schemas: dict[str, Any], written: dict[str, list[dict[str, Any]]]
) -> None:
    for name, values in written.items():
        Draft202012Validator.check_schema(schemas[name])
        validator = Draft202012Validator(schemas[name])
        for value in values:
            validator.validate(value)


def objects(schema: dict[str, Any], values: list[Any]) -> Iterator[tuple[set[str], set[str]]]:
    """Keys of each object whose keys a schema names, and those that are found in values of it."""
    if "properties" not in schema:
        return
    keys = set(schema["properties"])
    yield keys, {key for value in values for key in value}
    for key in keys:
        if schema["properties"][key]["type"] == "object":
            yield from objects(schema["properties"][key], [value[key] for value in values])


def test_every_key_of_a_schema_is_written(
    schemas: dict[str, Any], written: dict[str, list[dict[str, Any]]]
) -> None:
    for name, values in written.items():
        for keys, found in objects(schemas[name], values):
            assert keys == found


def test_a_schema_allows_nothing_else(
    schemas: dict[str, Any], written: dict[str, list[dict[str, Any]]]
) -> None:
    for name, values in written.items():
        validator = Draft202012Validator(schemas[name])
        value = values[0]
        for key in value:
            for changed in (
                {k: v for k, v in value.items() if k != key},
                {**value, key: None},
                {**value, f"{key}_": 0},
            ):
                with pytest.raises(ValidationError):
                    validator.validate(changed)


def descriptions(schema: Any) -> Iterator[str]:
    """Descriptions of a schema and of all that it is made of."""
    yield schema["description"]
    for each in schema.get("properties", {}).values():
        yield from descriptions(each)
    if isinstance(schema.get("items"), dict):
        yield from descriptions(schema["items"])


def test_everything_is_described(schemas: dict[str, Any]) -> None:
    for schema in schemas.values():
        for description in descriptions(schema):
            assert description.endswith(".")


def test_offsets_belong_to_records_of_documents(
    schemas: dict[str, Any], written: dict[str, list[dict[str, Any]]]
) -> None:
    validator = Draft202012Validator(schemas["record"])
    page = next(each for each in written["record"] if each["metadata"]["page"])
    document = next(each for each in written["record"] if not each["metadata"]["page"])
    without = {key: value for key, value in document.items() if key != "page_offsets"}
    assert not validator.is_valid({**page, "page_offsets": [0]})
    assert not validator.is_valid(without)


def test_a_schema_has_a_name_that_changes_with_its_version(
    schemas: dict[str, Any], written: dict[str, list[dict[str, Any]]]
) -> None:
    version = written["report"][0]["schema"]
    for name, schema in schemas.items():
        assert schema["$id"] == f"urn:pdfingest:{name}:{version}"


def test_a_record_is_what_is_shown_first(cli_here: Cli) -> None:
    assert cli_here("schema").stdout == cli_here("schema", "record").stdout
    done = cli_here("schema", "nonsense")
    assert done.returncode == 2
    assert done.stderr.startswith(
        "pdfingest: record|report|summary: must be record, report or summary, not 'nonsense'."
    )
