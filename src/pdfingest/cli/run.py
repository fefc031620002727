"""`pdfingest run`: its options. What they do is in `session`, which `--help` does not import."""

from typing import Annotated

import typer

from pdfingest.cli.log_format import LogFormat
from pdfingest.errors import UsageError
from pdfingest.model import Unit
from pdfingest.options import FailOn, IngestOptions


def run(  # noqa: PLR0913 - one parameter an option, as typer has it
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT...", help="Files, directories, quoted globs."),
    ] = None,
    *,
    files_from: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="More inputs, one a line."),
    ] = None,
    null: Annotated[
        bool,
        typer.Option("--null", help="The list is separated by NUL."),
    ] = False,
    password: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            envvar="PDFINGEST_PASSWORD",
            show_envvar=False,
            help="Tried on encrypted files; repeatable.",
        ),
    ] = None,
    password_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            envvar="PDFINGEST_PASSWORD_FILE",
            show_envvar=False,
            help="Passwords, one a line; keeps them out of the process list.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR|-",
            envvar="PDFINGEST_OUTPUT",
            show_envvar=False,
            help="Output directory; - streams the records to stdout.",
        ),
    ] = "pdfingest-out",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            metavar="N",
            envvar="PDFINGEST_WORKERS",
            show_envvar=False,
            help="Files at a time. [default: the CPUs that this process may use]",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            envvar="PDFINGEST_ENGINE",
            show_envvar=False,
            help="auto, pdfium, pypdf, pdfplumber, or one that a package adds.",
        ),
    ] = "auto",
    unit: Annotated[
        Unit,
        typer.Option(envvar="PDFINGEST_UNIT", show_envvar=False, help="What one record holds."),
    ] = Unit.PAGE,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="List what would be ingested, and stop."),
    ] = False,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            envvar="PDFINGEST_FAIL_ON",
            show_envvar=False,
            help="Exit with 1 on any lost page, on a failed file, or never.",
        ),
    ] = FailOn.ANY,
    progress: Annotated[
        bool | None,
        typer.Option(
            envvar="PDFINGEST_PROGRESS",
            show_envvar=False,
            help="Progress bar. [default: where stderr is a terminal]",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            envvar="PDFINGEST_LOG_FORMAT",
            show_envvar=False,
            help="Log lines, where there is no progress bar.",
        ),
    ] = LogFormat.TEXT,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="A log line a file."),
    ] = False,
) -> None:
    """Ingest PDFs: one fresh process a file, records to JSONL, a report line for every file."""
    if not inputs and files_from is None:
        raise UsageError("no INPUT. Name files, directories or quoted globs, or give --files-from.")
    from pdfingest.cli import session  # noqa: PLC0415 - 100 ms of CPU that --help does not need

    passwords = (*(password or ()), *session.read_passwords(password_file))
    chosen = {} if workers is None else {"workers": workers}
    options = IngestOptions(
        output=output, engine=engine, unit=unit, passwords=passwords, fail_on=fail_on, **chosen
    )
    view = session.View(progress=progress, log_format=log_format, quiet=quiet, verbose=verbose)
    listed = session.Listed(files_from, null=null) if files_from else None
    if dry_run:
        code = session.list_plan(inputs or [], listed)
    else:
        code = session.ingest_in_view(inputs or [], listed, options, view)
    raise typer.Exit(code)
