"""`pdfingest schema`."""

import json
from enum import StrEnum
from typing import Annotated

import typer


class Kind(StrEnum):
    """Documents that have a schema."""

    RECORD = "record"
    """A line of pages.jsonl or documents.jsonl."""
    REPORT = "report"
    """A line of report.jsonl."""
    SUMMARY = "summary"
    """The file summary.json."""


def schema(
    kind: Annotated[
        Kind,
        typer.Argument(
            metavar="record|report|summary",
            help="A line of pages.jsonl, a line of report.jsonl, or the file summary.json.",
        ),
    ] = Kind.RECORD,
) -> None:
    """Print the JSON Schema of a record, of a report line, or of the summary."""
    from pdfingest.output.schema import schema_of

    typer.echo(json.dumps(schema_of(kind), indent=2))
