"""`pdfingest worker`: a worker of the service."""

from typing import Annotated

import typer

from pdfingest.cli.extras import needs_service
from pdfingest.cli.log import log_service
from pdfingest.cli.messages import LogFormat, use
from pdfingest.cli.serve import LogFormatOption

LanesOption = Annotated[
    int | None,
    typer.Option(
        envvar="PDFINGEST_LANES",  # the variable of the service's setting
        min=1,
        metavar="N",
        help="Files at a time. [default: the CPUs, if memory is enough]",
    ),
]


def worker(*, lanes: LanesOption = None, log_format: LogFormatOption = LogFormat.TEXT) -> None:
    """Read files from the queue of the service until stopped. Settings come from PDFINGEST_*."""
    use(log_format)
    with needs_service():
        from pdfingest.service.settings import read_settings
        from pdfingest.service.worker import Worker
    settings = read_settings(lanes=lanes)
    log_service()
    raise typer.Exit(Worker(settings).run())
