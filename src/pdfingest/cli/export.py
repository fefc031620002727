"""`pdfingest export`."""

from typing import Annotated

import typer

from pdfingest import values
from pdfingest.export.target import SHARD_BYTES, Target
from pdfingest.model import Unit
from pdfingest.text import counted, mib, printable


def export(  # noqa: PLR0913 - one parameter an option, as typer has it
    directory: Annotated[
        str,
        typer.Argument(metavar="DIR", help="Output directory of runs, or a file of records."),
    ],
    *,
    to: Annotated[Target, typer.Option("--to", help="Tool in whose shape to write.")],
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            envvar="PDFINGEST_EXPORT_OUTPUT",  # that of `run` names what is read here
            show_envvar=False,
            help="Directory to write, or what an export wrote. [default: TOOL, in DIR]",
        ),
    ] = "",
    unit: Annotated[
        Unit | None, typer.Option("--unit", help="Which records, where DIR has several kinds.")
    ] = None,
    shard_bytes: Annotated[
        int,
        typer.Option(
            "--shard-bytes",
            metavar="SIZE",
            show_default=False,
            help="Size at which a file is full. [default: 256M]",
        ),
        values.size,
    ] = SHARD_BYTES,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only.")] = False,
) -> None:
    """Write the newest records as Parquet, or as JSON lines in the shape of another tool.

    An export that is there is replaced as a whole.
    """
    from pdfingest.export import export as core

    done = core.export(directory, to, output, unit, shard_bytes)
    if not quiet:
        counts = f"{counted(done.records, 'record')}, {counted(done.files, 'file')}"
        typer.echo(f"{counts}, {mib(done.size_bytes)}: {printable(done.path)}", err=True)
