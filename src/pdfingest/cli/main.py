"""The program: its commands, and the one place where an exception becomes an exit code."""

import os
import sys
from contextlib import suppress
from typing import Annotated, Any, cast

import typer
from typer.main import get_command

import pdfingest
from pdfingest.cli.commands import Commands
from pdfingest.cli.messages import choose_format, say
from pdfingest.cli.signals import end_at_once
from pdfingest.errors import ExitCode, PdfingestError, resources_told

_PROGRAM = "pdfingest"
_COMPLETE = "_PDFINGEST_COMPLETE"
"""Variable that a shell sets when it asks for completions."""
_UNPARSED: type[Exception] = typer.BadParameter.__mro__[2]
"""What typer raises for a command line that it cannot parse. Before 0.28 this has no public name,
and docling keeps typer below 0.27."""
_STOPPED = (ExitCode.INTERRUPTED, ExitCode.TERMINATED, ExitCode.HUNG_UP)

_app = typer.Typer(
    name=_PROGRAM,
    cls=Commands,
    help="PDFs to JSONL, one fresh process per file: nothing lost, memory flat and measured.",
    rich_markup_mode=None,  # help by rich imports Markdown and Pygments: 140 ms of CPU
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the flag
    if wanted:
        typer.echo(f"pdfingest {pdfingest.__version__}")
        raise typer.Exit


def all_commands() -> Commands:
    """Return the group of all commands."""
    return cast(Commands, get_command(_app))


@_app.callback()
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
            import traceback

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
    program = all_commands()
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
            command = program.get_command(parent, name)
            context = command.make_context(name, rest, parent=parent)
        else:  # --help, --version, or an unknown command
            context = program.make_context(_PROGRAM, words)
        with context:
            context.command.invoke(context)
    except typer.Exit as exit_:
        return exit_.exit_code
    return ExitCode.OK
