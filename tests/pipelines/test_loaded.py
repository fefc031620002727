"""What `load` gives are the records, in the types of the library that is asked for."""

from pathlib import Path
from random import Random
from typing import Any

import pytest

from conftest import read_lines
from made_records import Records, random_records, write_records
from pdfingest import load
from pdfingest.errors import NoInputError
from pdfingest.export.export import export
from pdfingest.export.target import Target

pytestmark = pytest.mark.filterwarnings("default")  # the libraries warn of each other


@pytest.fixture(scope="module")
def records() -> Records:
    """Records in the order in which they are given."""
    found = random_records(10, 50, Random(5))
    return sorted(found, key=lambda each: (each["source"].encode(), each["metadata"]["page"]))


@pytest.fixture(scope="module")
def out(records: Records, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An output directory."""
    folder = tmp_path_factory.mktemp("out")
    write_records(folder / "pages.jsonl", records)
    return folder


def lines_of(out: Path, target: Target) -> list[Any]:
    """What an export writes for a tool."""
    export(str(out), target)
    return [line for path in sorted((out / target).iterdir()) for line in read_lines(path)]


def test_arrow_has_the_records(out: Path, records: Records) -> None:
    pytest.importorskip("pyarrow")
    assert load(out, "arrow").to_pylist() == records


def test_polars_has_the_records(out: Path, records: Records) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("polars")
    assert load(out, "polars").to_dicts() == records


def test_pandas_has_the_records_and_their_types(out: Path, records: Records) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("pandas")
    table = load(out, "pandas")
    assert table.to_dict("records") == records
    pages: Any = table["metadata"].struct.field("page")
    assert pages.tolist() == [record["metadata"]["page"] for record in records]


def test_datasets_has_the_records(out: Path, records: Records) -> None:
    pytest.importorskip("pyarrow")
    pytest.importorskip("datasets")
    found = load(out, "datasets")
    assert list(found) == records
    assert found.filter(lambda row: row["metadata"]["page"] == 7).num_rows == 10


def test_langchain_has_documents(out: Path, records: Records) -> None:
    documents = pytest.importorskip("langchain_core.documents")
    found = list(load(out, "langchain"))
    assert {type(each) for each in found} == {documents.Document}
    assert [(each.id, each.page_content, each.metadata) for each in found] == [
        (record["id"], record["text"], record["metadata"]) for record in records
    ]
    assert [documents.Document(**line) for line in lines_of(out, Target.LANGCHAIN)] == found


def test_llamaindex_has_documents_and_nodes_of_chunks(
    out: Path, records: Records, tmp_path: Path
) -> None:
    schema = pytest.importorskip("llama_index.core.schema")
    found = list(load(out, "llamaindex"))
    assert {type(each) for each in found} == {schema.Document}
    assert [(each.id_, each.text, each.metadata) for each in found] == [
        (record["id"], record["text"], record["metadata"]) for record in records
    ]
    lines = lines_of(out, Target.LLAMAINDEX)
    assert [schema.Document(**line).to_dict() for line in lines] == [
        each.to_dict() for each in found
    ]
    assert schema.TextNode(**lines[0]).id_ == records[0]["id"]
    chunk = {**records[0], "id": f"{records[0]['id']}:c0001"}
    (node,) = load(write_records(tmp_path / "chunks.jsonl", [chunk]), "llamaindex")
    assert type(node) is schema.TextNode


def test_what_llamaindex_embeds_begins_with_what_says_something(out: Path) -> None:
    schema = pytest.importorskip("llama_index.core.schema")
    first = next(load(out, "llamaindex"))
    embedded = first.get_content(schema.MetadataMode.EMBED)
    assert embedded == f"file_name: {first.metadata['file_name']}\n\n{first.text}".rstrip()


def test_haystack_has_documents(out: Path, records: Records) -> None:
    haystack = pytest.importorskip("haystack")
    found = list(load(out, "haystack"))
    assert [(each.id, each.content, each.meta) for each in found] == [
        (record["id"], record["text"], record["metadata"]) for record in records
    ]
    lines = lines_of(out, Target.HAYSTACK)
    assert [haystack.Document.from_dict(line) for line in lines] == found


def test_datatrove_reads_all_that_has_a_text(out: Path, records: Records) -> None:
    readers = pytest.importorskip("datatrove.pipeline.readers")
    pytest.importorskip("orjson")
    lines_of(out, Target.DATATROVE)
    found = list(readers.JsonlReader(str(out / "datatrove"), add_file_path=False)())
    expected = [record for record in records if record["text"]]
    assert [(each.id, each.text, each.media) for each in found] == [
        (record["id"], record["text"], []) for record in expected
    ]
    assert {tuple(sorted(each.metadata)) for each in found} == {
        tuple(sorted({*records[0], *records[0]["metadata"]} - {"id", "text", "metadata"}))
    }


def test_dolma_decodes_its_documents(out: Path, records: Records) -> None:
    types = pytest.importorskip("dolma.core.data_types")
    msgspec = pytest.importorskip("msgspec")
    smart_open = pytest.importorskip("smart_open")
    export(str(out), Target.DOLMA)
    decode = msgspec.json.Decoder(types.InputSpecWithMetadata).decode
    (shard,) = (out / "dolma").iterdir()
    with smart_open.open(shard, "rt", encoding="utf-8") as lines:
        found = [decode(line) for line in lines]
    assert [(each.id, each.text) for each in found] == [
        (record["id"], record["text"]) for record in records
    ]


def test_a_table_of_no_records_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with pytest.raises(NoInputError, match="holds no records"):
        load(write_records(tmp_path / "pages.jsonl", []), "arrow")
