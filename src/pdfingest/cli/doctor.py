"""`pdfingest doctor`: its options, and how it shows what it finds."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.facts import show_fact
from pdfingest.cli.messages import say
from pdfingest.cli.params import On
from pdfingest.cli.run import read_options
from pdfingest.errors import ExitCode
from pdfingest.text import printable

if TYPE_CHECKING:
    from pdfingest.cli.session import Wanted
    from pdfingest.run.doctor import Fact


@taking(read_options)
def doctor(
    wanted: "Wanted",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell what this machine and this installation can do, and whether a run could start here.

    It takes all options of run, and starts no run. Exit code 4 if a run with these could not start.
    """
    from pdfingest.run.doctor import examine  # noqa: PLC0415 - 30 ms that --help does not need

    extras = (*["service"] * (wanted.on is not On.HERE), *["report"] * wanted.view.html)
    facts = list(examine(wanted.options, extras))
    problems = [fact.problem for fact in facts if fact.problem]
    if as_json:
        typer.echo(json.dumps(_document(wanted, facts, problems), indent=2))
    else:
        for fact in facts:
            show_fact(fact.name, printable(fact.said))
            if fact.problem:
                show_fact("", f"! {printable(fact.problem)}")
        show_fact("settings", printable(wanted.config or "no configuration"))
    for problem in problems:
        say("error", f"a run with these options could not start: {printable(problem)}")
    raise typer.Exit(ExitCode.ENVIRONMENT if problems else ExitCode.OK)


def _document(wanted: "Wanted", facts: "Sequence[Fact]", problems: Sequence[str]) -> dict[str, Any]:
    """All that was found, for programs."""
    found = {fact.name.lower(): {**fact.data, "problem": fact.problem} for fact in facts}
    return {"schema": 1, "can_run": not problems, "configuration": wanted.config, **found}
