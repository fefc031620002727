"""What the user wants of a run: the options of the library, and those of the command line alone.

`run`, `doctor` and `inspect` take these options, or some of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from pdfingest.cli.messages import LogFormat
from pdfingest.errors import OptionError
from pdfingest.options import IngestOptions
from pdfingest.text import printable
from pdfingest.values import option_of

STDIN = "-"
"""The input that stands for one PDF on stdin, and the list that comes from there."""


class On(StrEnum):
    """Places where the files are read."""

    HERE = "here"
    CELERY = "celery"


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What the user wants to see of a run."""

    progress: bool | None
    """Whether to draw a progress bar; None for a bar where stderr is a terminal."""
    log_format: LogFormat
    html: bool
    """Whether to write pictures, as a file in the output directory."""
    quiet: bool
    verbose: bool

    def has_bar(self) -> bool:
        """Return whether to draw a progress bar."""
        if self.log_format is LogFormat.JSON:  # all of stderr is JSON then
            return False
        if self.progress is not None:
            return self.progress
        if self.verbose:
            return False
        from pdfingest.cli.console import on_stderr

        console = on_stderr()
        return console.is_terminal and not console.is_dumb_terminal


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the user wants of a run."""

    inputs: Sequence[str]
    """Files, directories and globs, or `-`."""
    files_from: str
    """Path of a list with more inputs; `-` is stdin, and empty is no list."""
    null: bool
    """Whether NUL separates the paths of the list, else line ends do."""
    options: IngestOptions
    on: On
    view: View
    dry_run: bool
    """Whether to list the files only."""
    config: str
    """Path of the configuration that counts; empty if there is none."""


def read_options(  # noqa: PLR0913 - one parameter an option, as typer has it
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT", help="Files, directories, quoted globs; - for one PDF on stdin."
        ),
    ] = None,
    *,
    password_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Passwords, one per line; keeps them out of the process list."
        ),
    ] = None,
    files_from: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="List of more inputs, one per line.")
    ] = None,
    null: Annotated[
        bool, typer.Option("--null", help="NUL separates the list, not lines.")
    ] = False,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Options by name. [default: the nearest pdfingest.toml, or pyproject.toml with "
            "[tool.pdfingest], from here upwards]",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be ingested, and stop.")
    ] = False,
    on: Annotated[
        On, typer.Option(help="Read the files in children here, or in workers of the service.")
    ] = On.HERE,
    progress: Annotated[
        bool | None, typer.Option(help="Progress bar. [default: where stderr is a terminal]")
    ] = None,
    log_format: Annotated[
        LogFormat, typer.Option(help="Log lines, where there is no progress bar.")
    ] = LogFormat.TEXT,
    html: Annotated[
        bool, typer.Option("--html", help="Write pictures, as report.html in the output directory.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Write a log line for each file.")
    ] = False,
    **chosen: Any,
) -> Wanted:
    """Combine all that the user wants of a run.

    The options of `IngestOptions` arrive in `chosen`, by their names on the command line; fields
    that are not there keep their defaults.
    """
    chosen["password"] = (*chosen["password"], *_passwords(password_file))
    names = {option_of(name): name for name in IngestOptions.__dataclass_fields__}
    return Wanted(
        inputs=inputs or (),
        files_from=files_from or "",
        null=null,
        options=IngestOptions(**{names[name]: value for name, value in chosen.items()}),
        on=on,
        view=View(
            progress=progress, log_format=log_format, html=html, quiet=quiet, verbose=verbose
        ),
        dry_run=dry_run,
        config=config or "",
    )


def _passwords(path: str | None) -> list[str]:
    """Read the passwords of a file, one a line; none without a file."""
    if path is None:
        return []
    try:
        with open(path, encoding="utf-8-sig") as file:  # Notepad writes a byte order mark
            return [line for line in file.read().split("\n") if line]
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, ValueError) else error.strerror
        name = printable(path)
        raise OptionError(["password_file"], f"{name} cannot be read: {reason}.") from error
