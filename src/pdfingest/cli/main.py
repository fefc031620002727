"""The program: its commands, and the one place where an exception becomes an exit code."""

import sys
import traceback
from inspect import signature
from typing import Annotated, Any

import typer

from pdfingest.cli import messages
from pdfingest.cli.bench import bench
from pdfingest.cli.compact import compact
from pdfingest.cli.config import read_config
from pdfingest.cli.kinds import with_kinds
from pdfingest.cli.report import report
from pdfingest.cli.run import run
from pdfingest.cli.serve import serve
from pdfingest.cli.worker import worker
from pdfingest.errors import ExitCode, PdfingestError

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
    messages.open_stderr()
    try:
        words = with_kinds(sys.argv[1:])
        messages.choose_format(words, {})
        config = read_config(known=signature(run).parameters)
        messages.choose_format(words, config)
        options: dict[str, Any] = {"prog_name": "pdfingest", "default_map": {"run": config}}
        return app(args=words, standalone_mode=False, **options) or ExitCode.OK
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else ExitCode.OK
    except PdfingestError as error:
        messages.say("error", str(error), exit_code=error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort names itself a bug
        if isinstance(error, messages.Misuse):
            return messages.say_misuse(error)
        if {"-v", "--verbose"} & set(sys.argv):
            traceback.print_exc()
        messages.say(
            "error",
            f"internal error: {type(error).__name__}: {error}. What was finished is kept. "
            "This is a bug in pdfingest: please report it with what --verbose prints.",
            exit_code=ExitCode.BUG,
        )
        return ExitCode.BUG
