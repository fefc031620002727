"""`pdfingest compare`; what it does is in `compare_session`."""

from typing import Annotated

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.messages import use
from pdfingest.cli.wanted import Wanted, read_options
from pdfingest.errors import UsageError

_OF_RUNS = (
    *("inputs", "files_from", "null", "config", "engine", "format", "unit", "ocr", "ocr_lang"),
    *("password", "password_file", "timeout", "page_timeout", "workers", "memory_limit"),
    *("memory_budget", "max_output", "max_pages", "sandbox"),
    *("progress", "log_format", "quiet", "verbose"),
)
"""Options of a run that each of the runs has."""


@taking(read_options, _OF_RUNS)
def compare(
    wanted: Wanted,
    *,
    keep: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Keep the outputs of the runs, one directory an engine."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write the figures as JSON.")] = False,
    html_file: Annotated[
        str | None,
        typer.Option("--html", metavar="FILE", help="Write a page with the texts side by side."),
    ] = None,
) -> None:
    """Read the same files with several engines (--engine a,b,c), and show how they differ.

    Each engine reads each file in a process of its own, under the limits of a run, so that one that
    hangs or dies costs the others nothing.
    """
    if not wanted.inputs and not wanted.files_from:
        raise UsageError("INPUT is missing: name files, directories or quoted globs.")
    from pdfingest.cli import compare_session

    use(wanted.view.log_format)
    raise typer.Exit(
        compare_session.compare_engines(wanted, keep=keep, as_json=as_json, html_file=html_file)
    )
