"""The program: its commands, and the one place where an exception becomes an exit code."""

import os
import sys
import traceback
from contextlib import suppress
from typing import Annotated, Any, cast

import typer
from typer.main import get_command

import pdfingest
from pdfingest.cli.bench import bench
from pdfingest.cli.command import Command
from pdfingest.cli.compact import compact
from pdfingest.cli.compare import compare
from pdfingest.cli.declared import Program
from pdfingest.cli.doctor import doctor
from pdfingest.cli.export import export
from pdfingest.cli.inspect import inspect
from pdfingest.cli.mcp import mcp
from pdfingest.cli.messages import choose_format, say
from pdfingest.cli.report import report
from pdfingest.cli.run import run
from pdfingest.cli.schema import schema
from pdfingest.cli.serve import serve
from pdfingest.cli.signals import end_at_once
from pdfingest.cli.up import up
from pdfingest.cli.worker import worker
from pdfingest.errors import ExitCode, PdfingestError
from pdfingest.measure.machine import resources_told

_PROGRAM = "pdfingest"
_COMPLETE = "_PDFINGEST_COMPLETE"
"""Variable that a shell sets when it asks for completions."""
_UNPARSED: type[Exception] = typer.BadParameter.__mro__[2]
"""What typer raises for a command line that it cannot parse. Before 0.28 this has no public name,
and docling keeps typer below 0.27."""
_STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.HUNG_UP)
_OF_RUN = """Every option may also come from the environment, as PDFINGEST_WORKERS=4, or from the
configuration, as workers = 4: a flag goes first, then the environment, then the file."""
_OF_OTHERS = """Every option may also come from the environment: as PDFINGEST_WORKERS=4 if run has
it too, else with the name of the command, as PDFINGEST_REPORT_TOP=3."""

app = typer.Typer(
    name=_PROGRAM,
    help="PDFs to JSONL, one fresh process per file: nothing lost, memory flat and measured.",
    rich_markup_mode=None,  # help by rich imports Markdown and Pygments: 140 ms of CPU
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=Command, epilog=_OF_RUN)(run)
_OTHERS = (
    *(inspect, compare, compact, export, bench, report, mcp),
    *(schema, doctor, up, serve, worker),
)
for function in _OTHERS:
    app.command(cls=Command, epilog=_OF_OTHERS)(function)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the flag
    if wanted:
        typer.echo(f"pdfingest {pdfingest.__version__}")
        raise typer.Exit


@app.callback()
def _program(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Declare the options of the program itself."""


def main() -> int:
    """Run the command line, and return the exit code.

    After a signal the process ends here and at once, because a thread may be stuck, such as one
    whose child waits for a disk, and the interpreter would wait for it.
    """
    code = _guarded()
    if code in _STOPPED:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        end_at_once(code)
    return code


def _guarded() -> int:
    """Run the command line; whatever happens becomes a message and an exit code."""
    try:
        choose_format(sys.argv[1:], {})
        try:
            with resources_told():
                return _run(sys.argv[1:])
        finally:
            sys.stdout.flush()  # here, where a failure is reported
    except _UNPARSED as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context else _PROGRAM
        message = f"{cast(Any, error).format_message().rstrip('.')}. See: {path} --help"
        say("error", message, exit_code=ExitCode.USAGE)
        return ExitCode.USAGE
    except PdfingestError as error:
        say("error", str(error), exit_code=error.exit_code)
        return error.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - whatever is not caught above is a bug
        if {"-v", "--verbose"} & set(sys.argv):
            traceback.print_exc()
        say(
            "error",
            f"internal error: {type(error).__name__}: {error}. What was finished is kept. "
            "This is a bug in pdfingest: please report it with what --verbose prints.",
            exit_code=ExitCode.BUG,
        )
        return ExitCode.BUG


def _run(words: list[str]) -> int:
    """Run the command that the words name, and return its exit code.

    Typer's own `main` is not used because it ends with 1 when a pipe breaks, whichever pipe it was.
    """
    program: Program = get_command(app)
    if _COMPLETE in os.environ:
        program.main(words, _PROGRAM, _COMPLETE)
    # Where the first word is a command, the program's own options are not parsed: none is given
    # then, but typer would import pydantic for them, which takes longer than all the rest here.
    parent = typer.Context(program, info_name=_PROGRAM, **program.context_settings)
    if not words:
        typer.echo(program.get_help(parent), err=True)
        return ExitCode.USAGE
    name, *rest = words
    try:
        if name in program.commands:
            context = program.commands[name].make_context(name, rest, parent=parent)
        else:  # --help, --version, or an unknown command
            context = program.make_context(_PROGRAM, words)
        with context:
            context.command.invoke(context)
    except typer.Exit as exit_:
        return exit_.exit_code
    return ExitCode.OK
