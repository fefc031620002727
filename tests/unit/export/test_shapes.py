"""What other tools get of a record: flat metadata for retrieval, and all of it for training."""

from random import Random
from typing import Any, get_args, get_origin, get_type_hints

import pytest

from made_records import random_records, records_of
from pdfingest import Record, RecordMetadata
from pdfingest.export.shapes import SHAPES
from pdfingest.output.schema import schema_of

RECORD: Any = records_of("sub/a.pdf", pages=1)[0]
ADDED_S = 1_700_000_000.25
_JSON = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list}


def types_of(typed: type) -> dict[str, Any]:
    hints = get_type_hints(typed)
    return {name: get_origin(each) or each for name, each in hints.items()}


def test_the_types_of_a_record_are_those_of_its_schema() -> None:
    schema = schema_of("record")
    metadata = schema["properties"]["metadata"]
    described = {name: _JSON.get(each["type"]) for name, each in schema["properties"].items()}
    assert types_of(Record) == {**described, "metadata": RecordMetadata}
    assert Record.__required_keys__ == frozenset(schema["required"])
    in_metadata = {name: _JSON[each["type"]] for name, each in metadata["properties"].items()}
    assert types_of(RecordMetadata) == in_metadata
    assert get_args(get_type_hints(Record)["links"]) == (str,)


@pytest.mark.parametrize(
    ("tool", "keys", "metadata"),
    [
        ("langchain", ("id", "page_content"), "metadata"),
        ("llamaindex", ("id_", "text"), "metadata"),
        ("haystack", ("id", "content"), "meta"),
    ],
)
def test_tools_for_retrieval_get_flat_metadata(
    tool: str, keys: tuple[str, str], metadata: str
) -> None:
    shaped = SHAPES[tool](RECORD, ADDED_S)
    assert [shaped[key] for key in keys] == [RECORD["id"], RECORD["text"]]
    assert shaped[metadata] == RECORD["metadata"]
    assert {type(value) for value in shaped[metadata].values()} <= {str, int, float, bool}


def test_llamaindex_shows_a_model_only_what_says_something() -> None:
    record: Any = {**RECORD, "metadata": {**RECORD["metadata"], "title": "Logs", "section": ""}}
    shaped = SHAPES["llamaindex"](record, ADDED_S)
    for use in ("excluded_embed_metadata_keys", "excluded_llm_metadata_keys"):
        assert shaped["metadata"].keys() - shaped[use] == {"file_name", "title"}


@pytest.mark.parametrize("tool", ["datatrove", "dolma"])
def test_tools_for_training_get_all_that_a_record_has(tool: str) -> None:
    for record in random_records(3, 60, Random(1)):
        typed: Any = record
        shaped = SHAPES[tool](typed, ADDED_S)
        rest = {
            key: value for key, value in record.items() if key not in ("id", "text", "metadata")
        }
        assert (shaped["id"], shaped["text"]) == (record["id"], record["text"])
        assert shaped["metadata"] == {**rest, **record["metadata"]}


def test_dolma_is_told_the_collection_and_the_times() -> None:
    record: Any = {**RECORD, "metadata": {**RECORD["metadata"], "created": "2026-01-02T03:04:05Z"}}
    shaped = SHAPES["dolma"](record, ADDED_S)
    assert shaped["source"] == "pdfingest"
    assert shaped["added"] == "2023-11-14T22:13:20.250Z"
    assert shaped["created"] == "2026-01-02T03:04:05Z"
