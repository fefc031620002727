"""`pdfingest compact`: its options."""

from typing import Annotated

import typer

from pdfingest.cli.messages import say
from pdfingest.text import mib, printable


def compact(
    output: Annotated[str, typer.Argument(metavar="DIR", help="Output directory of earlier runs.")],
    *,
    wait: Annotated[
        float,
        typer.Option(
            metavar="S",
            help="Seconds to wait for a run on the same output.",
        ),
    ] = 0.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
) -> None:
    """Rewrite outputs to the newest state of each source, in order; merge the parts of shards."""
    from pdfingest.output import compact as core  # noqa: PLC0415 - 20 ms that --help does not need

    done = core.compact(output, wait)
    for folder in done.unfinished:
        say("warning", f"{printable(folder)}: its last run did not come to its end. Run it again.")
    if not quiet:
        sizes = f"{mib(done.before_bytes)} to {mib(done.after_bytes)}"
        typer.echo(f"{done.sources:,} sources, {sizes}: {printable(output)}", err=True)
