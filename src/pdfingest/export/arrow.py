"""Records as Arrow tables: a column for each key of a record, with a type that is always the same.

A table has the shape of the record: `metadata` is a struct, `links` a list of texts, and lists of
objects stay JSON within a text. So a row is the record, and what reads one reads the other. Why not
types inferred from the data: `links` of the first pages are often all empty, and a list of nothing
has another type than a list of texts. Why not lists of structs for `tables` and the like: a row
would not equal its record, and no reader filters by what is in them.

The lines are parsed by Arrow, not by Python, which takes a tenth of the time.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, TypeAlias

from pdfingest.export.index import not_a_record
from pdfingest.export.libraries import library
from pdfingest.export.newest import Line, Records
from pdfingest.output.schema import schema_of

ArrowSchema: TypeAlias = Any
"""A `pyarrow.Schema`; pyarrow has no types, as this is written."""
ArrowTable: TypeAlias = Any
"""A `pyarrow.Table`."""

_KEYS = ("id", "text", "source", "metadata")
"""What no record lacks, whatever version wrote it."""


def table_schema(records: Records, first: Line) -> ArrowSchema:
    """Make the schema of a table of records from that of a record, and from the first of them.

    Only keys that some kinds of records lack are looked up in the first one.
    """
    described = schema_of("record")
    record = records.record_of(first)
    keys = {
        name: schema
        for name, schema in described["properties"].items()
        if name in described["required"] or name in record
    }
    return library("pyarrow").schema(_type_of({"type": "object", "properties": keys}))


def _type_of(schema: Mapping[str, Any]) -> Any:
    """Return the Arrow type of a JSON Schema."""
    arrow = library("pyarrow")
    match schema["type"]:
        case "object":
            return arrow.struct(
                [(name, _type_of(each)) for name, each in schema["properties"].items()]
            )
        case "array":
            return arrow.list_(_type_of(schema["items"]))
        case kind:
            return {
                "string": arrow.string(),
                "integer": arrow.int64(),
                "number": arrow.float64(),
                "boolean": arrow.bool_(),
            }[kind]


def tables(records: Records, most_bytes: int) -> Iterator[ArrowTable]:
    """Yield the records as tables of one schema, each of about `most_bytes` of lines.

    A table has one record at least.

    Raises:
        RecordsError: a line is not a record.
    """
    lines = iter(records)
    first = next(lines, None)
    if first is None:
        return
    schema = table_schema(records, first)
    gathered = _Gathered()
    for line in chain([first], lines):
        gathered.add(line)
        if len(gathered.content) >= most_bytes:
            yield gathered.parsed(schema)
            gathered = _Gathered()
    if gathered.content:
        yield gathered.parsed(schema)


class _Gathered:
    """Lines that become a table."""

    def __init__(self) -> None:
        self.content = bytearray()  # grows in place; lines in a list would be held twice
        self._places: list[tuple[str, int]] = []

    def add(self, line: Line) -> None:
        """Add a line."""
        self.content += line.content
        self._places.append((line.path, line.at))

    def parsed(self, schema: ArrowSchema) -> ArrowTable:
        """Return the table; a RecordsError names the first line that is not a record."""
        try:
            return _table(self.content, len(self._places), schema)
        except ValueError:
            for (path, at), line in zip(self._places, self.content.split(b"\n"), strict=False):
                try:
                    _table(line, 1, schema)
                except ValueError as error:
                    raise not_a_record(path, at, error) from error
            raise


def _table(content: bytes | bytearray, lines: int, schema: ArrowSchema) -> ArrowTable:
    """Parse lines to a table.

    Raises:
        ValueError: one of them is not a record; errors of pyarrow are of this class.
    """
    arrow, json = library("pyarrow"), library("pyarrow.json")
    table = json.read_json(
        arrow.py_buffer(content),
        # Threads would hold several blocks at a time, and a line must not be larger than its block.
        json.ReadOptions(use_threads=False, block_size=len(content) + 1),
        json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )
    lacking = [name for name in _KEYS if table[name].null_count]
    if len(table) != lines or lacking:
        raise ValueError(f"no {' and '.join(lacking) or 'object of its own'}")
    return table
