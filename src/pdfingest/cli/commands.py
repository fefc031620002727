"""The commands of the program, each imported and made when it is asked for.

To make all of them takes as long as the rest of the start. Who asks for help on the program, or
for one command, needs of the others their names and a sentence.
"""

from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

_SENTENCES = {
    "run": "Ingest PDFs: one fresh process a file, records to JSONL, a report line for every file.",
    "inspect": "Read one file in one fresh process, and show everything that is known of it.",
    "compare": "Read the same files with several engines (--engine a,b,c), and show how they "
    "differ.",
    "compact": "Rewrite outputs to the newest state of each source, in order; merge the parts of "
    "shards.",
    "export": "Write the newest records as Parquet, or as JSON lines in the shape of another tool.",
    "bench": "The leak test: memory over thousands of files, and proof that a leak would be seen.",
    "report": "Show what earlier runs cost, file by file, what they lost, and what machine they "
    "need.",
    "mcp": "Serve an output directory to AI agents, by the Model Context Protocol on stdin and "
    "stdout.",
    "schema": "Print the JSON Schema of a record, of a report line, or of the summary.",
    "doctor": "Tell what this machine and this installation can do, and whether a run could start "
    "here.",
    "up": "Run the queue, the API and a worker, until stopped.",
    "serve": "Serve the API and its page until stopped.",
    "worker": "Read files from the queue of the service until stopped.",
}
"""The first sentence of each command's help. The command is the function of the same name, in the
module of the same name."""

_OF_RUN = """Every option may also come from the environment, as PDFINGEST_WORKERS=4, or from the
configuration, as workers = 4: a flag goes first, then the environment, then the file."""
_OF_OTHERS = """Every option may also come from the environment: as PDFINGEST_WORKERS=4 if run has
it too, else with the name of the command, as PDFINGEST_REPORT_TOP=3."""


class Commands(TyperGroup):
    """The group of all commands; those in `commands` are for the list alone."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = {name: TyperCommand(name, help=_SENTENCES[name]) for name in _SENTENCES}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; None if there is none of this name."""
        return _made(cmd_name) if cmd_name in self.commands else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands by their sentences."""
        TyperGroup(commands=dict(self.commands)).format_commands(ctx, formatter)


@cache
def _made(name: str) -> Any:
    """Import a command, and have typer make it."""
    from pdfingest.cli.command import Command

    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    epilog = _OF_RUN if name == "run" else _OF_OTHERS
    function = getattr(import_module(f"pdfingest.cli.{name}"), name)
    app.command(name, cls=Command, epilog=epilog)(function)
    return get_command(app)
