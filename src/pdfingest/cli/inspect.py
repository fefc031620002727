"""`pdfingest inspect`: its options. What they do is in `inspect_session`."""

from typing import TYPE_CHECKING, Annotated

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.run import read_options

if TYPE_CHECKING:
    from pdfingest.cli.session import Wanted

_OF_ONE_FILE = (
    *("config", "engine", "password", "password_file", "timeout", "page_timeout"),
    *("memory_limit", "max_output", "max_pages", "sandbox"),
)
"""The parameters of a run that concern a single file."""


@taking(read_options, _OF_ONE_FILE)
def inspect(
    wanted: "Wanted",
    file: Annotated[str, typer.Argument(metavar="FILE", help="A PDF; - for one on stdin.")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="All records and the report line, for programs.")
    ] = False,
) -> None:
    """Read one file in one fresh process, and show everything that is known of it.

    It writes no output directory. Exit code 1 if the file failed or lost pages.
    """
    from pdfingest.cli import inspect_session  # noqa: PLC0415 - 100 ms that --help does not need

    raise typer.Exit(inspect_session.inspect_file(file, wanted, as_json=as_json))
