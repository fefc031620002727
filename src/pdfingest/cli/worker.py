"""The command `pdfingest worker`."""

from typing import Annotated

import typer

from pdfingest.cli.params import needs_service


def worker(
    *,
    lanes: Annotated[
        int | None,
        typer.Option(
            envvar="PDFINGEST_LANES",  # the name that the settings of the service have for it
            min=1,
            metavar="N",
            help="Files at the same time. [default: the CPUs, if memory is enough]",
        ),
    ] = None,
) -> None:
    """Read files from the queue of the service until stopped. Settings come from PDFINGEST_*."""
    with needs_service():
        from pdfingest.service.worker import Worker  # noqa: PLC0415 - an extra
    from pdfingest.service.settings import read_settings  # noqa: PLC0415 - as above

    raise typer.Exit(Worker(read_settings(lanes=lanes)).run())
