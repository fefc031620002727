"""`pdfingest doctor`: its options, and how it shows what it finds."""

import json
import shutil
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.messages import say
from pdfingest.cli.params import On
from pdfingest.cli.run import read_options
from pdfingest.errors import ExitCode
from pdfingest.text import printable

if TYPE_CHECKING:
    from pdfingest.cli.session import Wanted
    from pdfingest.doctor import Fact

_NAME_WIDTH = 12
_WIDEST = 100


@taking(read_options)
def doctor(
    wanted: "Wanted",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell what this machine and this installation can do, and whether a run could start here.

    It takes all options of run, and starts no run. Exit code 4 if a run with these could not start.
    """
    from pdfingest.doctor import examine  # noqa: PLC0415 - 30 ms that --help does not need

    extras = (*["service"] * (wanted.on is not On.HERE), *["report"] * wanted.view.html)
    facts = list(examine(wanted.options, extras))
    problems = [fact.problem for fact in facts if fact.problem]
    if as_json:
        typer.echo(json.dumps(_document(wanted, facts, problems), indent=2))
    else:
        for fact in facts:
            _show(fact.name, printable(fact.said))
            if fact.problem:
                _show("", f"! {printable(fact.problem)}")
        _show("settings", printable(wanted.config or "no configuration"))
    for problem in problems:
        say("error", f"a run with these options could not start: {printable(problem)}")
    raise typer.Exit(ExitCode.ENVIRONMENT if problems else ExitCode.OK)


def _show(name: str, said: str) -> None:
    """Print a line, or as many as the terminal needs for it."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    typer.echo(
        textwrap.fill(
            said,
            width,
            initial_indent=name.ljust(_NAME_WIDTH),
            subsequent_indent=" " * _NAME_WIDTH,
            break_on_hyphens=False,
            break_long_words=False,
        )
    )


def _document(wanted: "Wanted", facts: "Sequence[Fact]", problems: Sequence[str]) -> dict[str, Any]:
    """All that was found, for programs."""
    found = {fact.name.lower(): {**fact.data, "problem": fact.problem} for fact in facts}
    return {"schema": 1, "can_run": not problems, "configuration": wanted.config, **found}
