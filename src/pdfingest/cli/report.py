"""`pdfingest report`: its options, and what it writes where."""

import sys
from typing import Annotated

import typer

from pdfingest.cli.outputs import STDOUT, opened, write_text
from pdfingest.errors import UsageError
from pdfingest.options import IngestOptions


def report(  # noqa: PLR0913 - one parameter an option, as typer has it
    output: Annotated[str, typer.Argument(metavar="DIR", help="Output directory of earlier runs.")],
    *,
    html: Annotated[
        bool, typer.Option("--html", help="Write pictures to report.html in the directory.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write the files as CSV to stdout.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Write the figures as JSON to stdout.")
    ] = False,
    junit: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="Write the files as JUnit XML, for CI; - is stdout."),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", min=0, metavar="N", help="List N files with the highest peaks.")
    ] = 10,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", "-w", min=1, metavar="N", help="Say what machine N workers need."
        ),
    ] = None,
) -> None:
    """Show what earlier runs cost, file by file, what they lost, and what machine they need."""
    wanted = {"--csv": csv, "--json": json, "--junit -": junit == STDOUT}
    chosen = [name for name, given in wanted.items() if given]
    if len(chosen) > 1:
        raise UsageError(
            f"{' and '.join(chosen)} would all write to stdout. Give one of them; --junit can "
            "also name a file."
        )
    from pdfingest.cli import pictures
    from pdfingest.report.csv import write_csv
    from pdfingest.report.figures import read_figures
    from pdfingest.report.json import document
    from pdfingest.report.junit import junit as test_cases

    lanes = workers or IngestOptions().workers
    with read_figures(output) as figures:
        # Files first: the reader of stdout may go away, as `head` does.
        if html:
            pictures.write_html(figures, output, lanes)
        if junit is not None:
            write_text(junit, test_cases(figures.costs, f"pdfingest: {output}"))
        if csv:
            with opened(STDOUT) as file:
                write_csv(figures.costs, file)
        elif json:
            write_text(STDOUT, document(figures, lanes))
        elif junit != STDOUT:
            pictures.show(figures, output, sys.stdout, top, lanes)
