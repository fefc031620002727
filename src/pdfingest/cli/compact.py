"""`pdfingest compact`."""

from typing import Annotated

import typer

from pdfingest.cli.declared import default_of
from pdfingest.cli.messages import say
from pdfingest.text import mib, printable


def compact(
    output: Annotated[str, typer.Argument(metavar="DIR", help="Output directory of earlier runs.")],
    *,
    wait: Annotated[
        float, typer.Option(metavar="S", help="Seconds to wait for a run on the same output.")
    ] = default_of("wait_s"),
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Rewrite outputs to the newest state of each source, in order; merge the parts of shards."""
    from pdfingest.output import compact as core

    done = core.compact(output, wait)
    for folder in done.unfinished:
        say("warning", f"{printable(folder)}: its last run did not come to its end. Run it again.")
    if not quiet:
        sizes = f"{mib(done.before_bytes)} to {mib(done.after_bytes)}"
        typer.echo(f"{done.sources:,} sources, {sizes}: {printable(output)}", err=True)
