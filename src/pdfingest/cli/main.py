"""The program: its commands, and the one place where an exception becomes an exit code."""

import sys
import traceback
from inspect import signature
from typing import Annotated, Any

import typer

from pdfingest.cli.bench import bench
from pdfingest.cli.compact import compact
from pdfingest.cli.config import read_config
from pdfingest.cli.kinds import with_kinds
from pdfingest.cli.report import report
from pdfingest.cli.run import run
from pdfingest.cli.serve import serve
from pdfingest.cli.worker import worker
from pdfingest.errors import ExitCode, PdfingestError, ReaderGoneError

app = typer.Typer(
    name="pdfingest",
    help="PDFs to JSONL, one fresh process per file: nothing lost, memory flat and measured.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # rich help imports Markdown and Pygments: 140 ms of CPU
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the flag
    """Print the version and end."""
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - 10 ms that only --version pays

        typer.echo(f"pdfingest {version('pdfingest')}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options of the program itself."""


app.command(name="run", no_args_is_help=True)(run)
app.command(name="compact", no_args_is_help=True)(compact)
app.command(name="bench")(bench)
app.command(name="report", no_args_is_help=True)(report)
app.command(name="serve")(serve)
app.command(name="worker")(worker)


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        config = read_config(known=signature(run).parameters)
        code = _run_app(config)
        sys.stdout.flush()  # here, where a failure is told
    except ReaderGoneError as error:
        if {"-q", "--quiet"}.isdisjoint(sys.argv):
            _complain(str(error))
        return error.exit_code
    except PdfingestError as error:
        _complain(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort names itself a bug
        if {"-v", "--verbose"} & set(sys.argv):
            traceback.print_exc()
        _complain(
            f"internal error: {type(error).__name__}: {error}. What was finished is kept. "
            "This is a bug in pdfingest: please report it with what --verbose prints."
        )
        return ExitCode.BUG
    return code


def _run_app(config: dict[str, Any]) -> int:
    """Run the command that the user named; gives its exit code."""
    try:
        app(args=with_kinds(sys.argv[1:]), prog_name="pdfingest", default_map={"run": config})
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else ExitCode.OK
    return ExitCode.OK


def _complain(message: str) -> None:
    """One line on stderr, as Unix programs do."""
    print(f"pdfingest: {message}", file=sys.stderr)  # noqa: T201 - the terminal is the reader
