"""`pdfingest worker`: a worker of the service."""

from typing import Annotated

import typer

from pdfingest.cli.extras import needs_service


def worker(
    *,
    lanes: Annotated[
        int | None,
        typer.Option(
            envvar="PDFINGEST_LANES",  # the variable of the service's setting
            min=1,
            metavar="N",
            help="Files at a time. [default: the CPUs, if memory is enough]",
        ),
    ] = None,
) -> None:
    """Read files from the queue of the service until stopped. Settings come from PDFINGEST_*."""
    with needs_service():
        from pdfingest.service.worker import Worker
    from pdfingest.service.settings import read_settings

    raise typer.Exit(Worker(read_settings(lanes=lanes)).run())
