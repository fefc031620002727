"""`pdfingest inspect`; what it does is in `inspect_session`."""

from typing import Annotated

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.wanted import Wanted, read_options

_OF_ONE_FILE = (
    *("config", "engine", "format", "password", "password_file", "timeout", "page_timeout"),
    *("memory_limit", "max_output", "max_pages", "sandbox"),
)
"""Options of a run that concern a single file."""


@taking(read_options, _OF_ONE_FILE)
def inspect(
    wanted: Wanted,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A PDF; - for one on stdin.")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write all records and the report line as JSON.")
    ] = False,
) -> None:
    """Read one file in one fresh process, and show everything that is known of it.

    It writes no output directory. Exit code 1 if the file failed or lost pages.
    """
    from pdfingest.cli import inspect_session

    raise typer.Exit(inspect_session.inspect_file(file, wanted, as_json=as_json))
