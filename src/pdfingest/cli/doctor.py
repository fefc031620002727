"""`pdfingest doctor`; what it looks at is in `run.doctor`."""

import json
from typing import Annotated

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.messages import say
from pdfingest.cli.wanted import On, Wanted, read_options
from pdfingest.errors import ExitCode
from pdfingest.text import printable


@taking(read_options)
def doctor(
    wanted: Wanted,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write the facts as JSON.")] = False,
) -> None:
    """Tell what this machine and this installation can do, and whether a run could start here.

    It takes all options of run, and starts no run. Exit code 4 if a run with these could not start.
    """
    from pdfingest.cli.tables import show_fact
    from pdfingest.run.doctor import examine

    extras = (*["service"] * (wanted.on is not On.HERE), *["report"] * wanted.view.html)
    facts = list(examine(wanted.options, extras))
    problems = [fact.problem for fact in facts if fact.problem]
    if as_json:
        found = {fact.name.lower(): {**fact.data, "problem": fact.problem} for fact in facts}
        head = {"schema": 1, "can_run": not problems, "configuration": wanted.config}
        typer.echo(json.dumps({**head, **found}, indent=2))
    else:
        for fact in facts:
            show_fact(fact.name, printable(fact.said))
            if fact.problem:
                show_fact("", f"! {printable(fact.problem)}")
        show_fact("settings", printable(wanted.config or "no configuration"))
    for problem in problems:
        say("error", f"a run with these options could not start: {printable(problem)}")
    raise typer.Exit(ExitCode.ENVIRONMENT if problems else ExitCode.OK)
