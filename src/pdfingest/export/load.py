"""Records as values of other libraries, each of which is imported only when it is asked for."""

# The libraries may not be here when this is checked, and some of them have no types.
# pyright: reportMissingImports=false, reportMissingTypeStubs=false
# pyright: reportUnknownMemberType=false, reportUnknownParameterType=false

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

from pdfingest.errors import NoInputError, OptionError
from pdfingest.export.arrow import ArrowTable, tables
from pdfingest.export.libraries import library
from pdfingest.export.newest import newest
from pdfingest.export.shapes import SHAPES
from pdfingest.export.typed import Record
from pdfingest.model import Unit
from pdfingest.values import one_of

if TYPE_CHECKING:  # a program that asks for a type has its library; others need none of them
    import datasets
    import haystack
    import langchain_core.documents
    import llama_index.core.schema
    import pandas as pd
    import polars as pl
    import pyarrow as pa

Path: TypeAlias = str | os.PathLike[str]
Units: TypeAlias = Unit | Literal["page", "document", "chunk"] | None
Make: TypeAlias = Callable[[Record, float], Any]
"""Takes a record and when its source was ingested, in seconds since the epoch."""

_TABLE_BYTES = 16 << 20


@overload
def load(path: Path, as_: Literal["records"] = ..., unit: Units = ...) -> Iterator[Record]: ...
@overload
def load(
    path: Path, as_: Literal["langchain"], unit: Units = ...
) -> "Iterator[langchain_core.documents.Document]": ...
@overload
def load(
    path: Path, as_: Literal["llamaindex"], unit: Units = ...
) -> "Iterator[llama_index.core.schema.Document | llama_index.core.schema.TextNode]": ...
@overload
def load(
    path: Path, as_: Literal["haystack"], unit: Units = ...
) -> "Iterator[haystack.Document]": ...
@overload
def load(path: Path, as_: Literal["arrow"], unit: Units = ...) -> "pa.Table": ...
@overload
def load(path: Path, as_: Literal["polars"], unit: Units = ...) -> "pl.DataFrame": ...
@overload
def load(path: Path, as_: Literal["pandas"], unit: Units = ...) -> "pd.DataFrame": ...
@overload
def load(path: Path, as_: Literal["datasets"], unit: Units = ...) -> "datasets.Dataset": ...
def load(path: Path, as_: str = "records", unit: Units = None) -> Any:
    """Read the newest records of earlier runs, by source and page, as values of another library.

    Args:
        path: output directory of earlier runs, or a JSONL file of records.
        as_: `records`, `langchain`, `llamaindex` and `haystack` give an iterator, which holds one
            record at a time; `arrow`, `polars`, `pandas` and `datasets` give a table of all records
            in memory, with one column for each key of a record.
        unit: `page`, `document` or `chunk`, where a directory has several kinds of records.

    Raises:
        EngineUnavailableError: the library is not installed.
        OptionError: `as_` is not one of these, or a directory has several kinds of records.
        NoInputError: there are no records. An iterator raises this and what follows at its first
            item.
        RecordsError: a line is not a record, or a file cannot be read.
        LedgerError: the ledger cannot be read.
    """
    if as_ not in (*_ITEMS, *_WHOLES):
        raise OptionError(["as_"], f"must be one of {', '.join((*_ITEMS, *_WHOLES))}, not {as_!r}.")
    try:
        chosen = None if unit is None else one_of(Unit)(unit)
    except ValueError as error:
        raise OptionError(["unit"], str(error)) from None
    # A library that is missing is told here, not at the first item or after the work.
    if as_ in _ITEMS:
        return _items(os.fspath(path), chosen, _ITEMS[as_]())
    made_of = _WHOLES[as_]()
    return made_of(_table(os.fspath(path), chosen))


def _items(path: str, unit: Unit | None, make: Make) -> Iterator[Any]:
    with newest(path, unit) as records:
        for record, added_s in records.decoded():
            yield make(record, added_s)


def _table(path: str, unit: Unit | None) -> ArrowTable:
    with newest(path, unit) as records:
        found = [*tables(records, _TABLE_BYTES)]
    if not found:
        raise NoInputError(f"{path} holds no records.")
    return library("pyarrow").concat_tables(found)


def _records() -> Make:
    return lambda record, _: record


def _langchain() -> Make:
    document = library("langchain_core.documents").Document
    return lambda record, added_s: document(**SHAPES["langchain"](record, added_s))


def _llamaindex() -> Make:
    """Make documents, or nodes of chunks, which are not to be split any more."""
    schema = library("llama_index.core.schema")

    def make(record: Record, added_s: float) -> Any:
        kind = schema.TextNode if ":c" in record["id"] else schema.Document
        return kind(**SHAPES["llamaindex"](record, added_s))

    return make


def _haystack() -> Make:
    document = library("haystack").Document
    return lambda record, added_s: document(**SHAPES["haystack"](record, added_s))


def _arrow() -> Callable[[ArrowTable], Any]:
    library("pyarrow")
    return lambda table: table


def _polars() -> Callable[[ArrowTable], Any]:
    from_arrow: Callable[[ArrowTable], Any] = library("polars").from_arrow
    return from_arrow


def _pandas() -> Callable[[ArrowTable], Any]:
    """Keep the types: pandas' own have no struct, and arrays that equal no list."""
    of_arrow = library("pandas").ArrowDtype
    return lambda table: table.to_pandas(types_mapper=of_arrow)


def _datasets() -> Callable[[ArrowTable], Any]:
    dataset: Callable[[ArrowTable], Any] = library("datasets").Dataset
    return dataset


_ITEMS: Mapping[str, Callable[[], Make]] = {
    "records": _records,
    "langchain": _langchain,
    "llamaindex": _llamaindex,
    "haystack": _haystack,
}
_WHOLES: Mapping[str, Callable[[], Callable[[ArrowTable], Any]]] = {
    "arrow": _arrow,
    "polars": _polars,
    "pandas": _pandas,
    "datasets": _datasets,
}
