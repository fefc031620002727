"""What readers of Parquet see are the records, one by one, key by key, type by type."""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from made_records import Records, random_records, write_records
from pdfingest.errors import RecordsError
from pdfingest.export.export import export
from pdfingest.export.target import Target

pytestmark = pytest.mark.filterwarnings("default")  # the libraries warn of each other

parquet = pytest.importorskip("pyarrow.parquet")

Read = Callable[[Path], Records]


def by_pyarrow(folder: Path) -> Records:
    found: Records = parquet.read_table(folder).to_pylist()
    return found


def by_polars(folder: Path) -> Records:
    found: Records = pytest.importorskip("polars").read_parquet(f"{folder}/").to_dicts()
    return found


def by_duckdb(folder: Path) -> Records:
    duckdb = pytest.importorskip("duckdb")
    found: Records = duckdb.sql(f"SELECT * FROM '{folder}/*.parquet'").to_arrow_table().to_pylist()
    return found


def by_pandas(folder: Path) -> Records:
    pandas = pytest.importorskip("pandas")
    table = pandas.read_parquet(folder, dtype_backend="pyarrow")
    found: Records = table.to_dict("records")
    return found


def by_datasets(folder: Path) -> Records:
    datasets = pytest.importorskip("datasets")
    cache = str(folder.parent / "cache")
    return list(datasets.load_dataset(str(folder), split="train", cache_dir=cache))


def by_streaming_datasets(folder: Path) -> Records:
    datasets = pytest.importorskip("datasets")
    return list(datasets.load_dataset(str(folder), split="train", streaming=True))


@pytest.fixture(scope="module")
def records() -> Records:
    """Some thousands, the first of which have no links and no tables."""
    found = random_records(60, 50, Random(7))
    found.sort(key=lambda record: (record["source"].encode(), record["metadata"]["page"]))
    return found


@pytest.fixture(scope="module")
def folder(records: Records, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export in several shards."""
    out = tmp_path_factory.mktemp("out")
    write_records(out / "pages.jsonl", records)
    done = export(str(out), Target.PARQUET, shard_bytes=1 << 18)
    assert done.records == len(records)
    assert done.files > 2
    return out / "parquet"


@pytest.mark.parametrize(
    "read",
    [by_pyarrow, by_polars, by_duckdb, by_pandas, by_datasets, by_streaming_datasets],
)
def test_a_reader_sees_the_records(read: Read, folder: Path, records: Records) -> None:
    found = read(folder)
    assert found == records
    assert [list(row) for row in found] == [list(record) for record in records]
    assert {type(row["metadata"]["ocr_confidence"]) for row in found} == {float}
    assert {type(row["metadata"]["needs_ocr"]) for row in found} == {bool}


def test_documents_have_their_offsets(records: Records, tmp_path: Path) -> None:
    documents: Records = [{**record, "page_offsets": [0, 5]} for record in records[:2]]
    write_records(tmp_path / "documents.jsonl", documents)
    export(str(tmp_path), Target.PARQUET)
    assert by_pyarrow(tmp_path / "parquet") == documents


def test_a_key_that_an_older_version_did_not_write_is_null(tmp_path: Path) -> None:
    old, new = random_records(1, 2, Random(1))
    del old["metadata"]["tokenizer"]
    write_records(tmp_path / "pages.jsonl", [old, new])
    export(str(tmp_path), Target.PARQUET)
    old["metadata"]["tokenizer"] = None
    assert by_pyarrow(tmp_path / "parquet") == [old, new]


def test_row_groups_are_bounded_and_compressed(folder: Path, records: Records) -> None:
    for path in sorted(folder.iterdir()):
        file = parquet.ParquetFile(path)
        for index in range(file.num_row_groups):
            group = file.metadata.row_group(index)
            longest = max(len(record["text"].encode()) for record in records)
            assert group.total_byte_size < (1 << 18) + 2 * longest
            assert {group.column(each).compression for each in range(group.num_columns)} == {"ZSTD"}


@pytest.mark.parametrize(
    "change",
    [
        {"unknown": 1},
        {"text": 7},
        {"links": "none"},
        {"links": [1]},
        {"metadata": {"page": "two"}},
        {"id": None},
    ],
)
def test_a_line_that_is_no_record_is_named(change: dict[str, Any], tmp_path: Path) -> None:
    good = random_records(1, 3, Random(1))
    bad: dict[str, Any] = {**good[1], **change}
    if "metadata" in change:
        bad["metadata"] = {**good[1]["metadata"], **change["metadata"]}
    path = write_records(tmp_path / "pages.jsonl", good[:1])
    place = path.stat().st_size
    write_records(tmp_path / "pages.jsonl", [good[0], bad, good[2]])
    with pytest.raises(RecordsError, match=f"line at byte {place:,} is not a record"):
        export(str(tmp_path), Target.PARQUET)
    assert not (tmp_path / "parquet").exists()
