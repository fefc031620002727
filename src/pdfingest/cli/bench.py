"""`pdfingest bench`; what it does is in `bench_session`."""

from typing import Annotated

import typer

from pdfingest.cli.declared import default_of
from pdfingest.values import size


def bench(  # noqa: PLR0913 - one parameter an option, as typer has it
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT", help="PDFs and directories. [default: files that it makes]"
        ),
    ] = None,
    *,
    files: Annotated[
        int,
        typer.Option("--files", "-n", min=1, help="Read this many, the PDFs in turn; 500 or more."),
    ] = 2000,
    workers: Annotated[
        int | None,
        typer.Option("--workers", "-w", metavar="N", help="Files at a time. [default: the CPUs]"),
    ] = None,
    engine: Annotated[
        str, typer.Option("--engine", metavar="NAME", help="As for run.")
    ] = default_of("engine"),
    control: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Engine of the server that the test compares with; or none."
        ),
    ] = "pdfplumber",
    control_time: Annotated[
        float, typer.Option(metavar="S", min=0, help="End the server after this; 0 for no limit.")
    ] = 90.0,
    timeout: Annotated[float, typer.Option(metavar="S", help="Seconds for a file.")] = 60.0,
    inject_leak: Annotated[
        int,
        typer.Option(metavar="SIZE", help="Leak this much a file on purpose, which must be seen."),
        size,
    ] = 1024,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Figures as JSON; - is stdout.")
    ] = None,
    html_file: Annotated[
        str | None, typer.Option("--html", metavar="FILE", help="Pictures as one HTML file.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show the verdicts only.")] = False,
) -> None:
    """The leak test: memory over thousands of files, and proof that a leak would be seen.

    The same files go through fresh processes, as in run; again, with a leak on purpose; and through
    a server of 40 threads that stays. Exit code 0 if the memory of run is seen to be flat and the
    leak on purpose is found, else 5.
    """
    from pdfingest.cli import bench_session

    wanted = bench_session.Wanted(
        inputs=inputs or [],
        files=files,
        workers=workers,
        engine=engine,
        timeout_s=timeout,
        control=control,
        control_time_s=control_time,
        leak_bytes=inject_leak,
        json_file=json_file,
        html_file=html_file,
        quiet=quiet,
    )
    raise typer.Exit(bench_session.run_bench(wanted))
