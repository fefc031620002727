"""`pdfingest report`: its options, and what it shows."""

import io
from typing import Annotated

import typer

from pdfingest.machine import available_cpus


def report(
    output: Annotated[str, typer.Argument(metavar="DIR", help="Output directory of earlier runs.")],
    *,
    html: Annotated[
        bool, typer.Option("--html", help="Write pictures to report.html in the directory.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write the files as CSV to stdout.")] = False,
    top: Annotated[
        int, typer.Option("--top", min=0, help="List so many files with the highest peaks.")
    ] = 10,
    workers: Annotated[
        int | None, typer.Option("--workers", "-w", help="Say what so many workers need.")
    ] = None,
) -> None:
    """Show what earlier runs cost, file by file, and what machine these files need."""
    from pdfingest.cli import pictures  # noqa: PLC0415 - 50 ms that --help does not need
    from pdfingest.cli.write import write_text  # noqa: PLC0415 - as above
    from pdfingest.report.csv import write_csv  # noqa: PLC0415 - as above
    from pdfingest.report.figures import read_figures  # noqa: PLC0415 - as above

    figures = read_figures(output)
    if csv:
        table = io.StringIO()
        write_csv(figures, table)
        write_text("-", table.getvalue())
    else:
        pictures.show(figures, top, workers or available_cpus())
    if html:
        pictures.write_html(figures, output, workers or available_cpus())
