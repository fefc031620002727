"""`pdfingest serve`: the HTTP side of the service."""

from typing import Annotated

import typer

from pdfingest.cli.extras import needs_service
from pdfingest.cli.log import log_service
from pdfingest.cli.messages import LogFormat, use
from pdfingest.errors import UsageError

_HEADER_BYTES = 16 << 10
_CONNECTIONS = 1000
_KEEP_ALIVE_S = 5
_STOP_S = 10
"""How long requests may still take once the server is told to stop."""

LogFormatOption = Annotated[LogFormat, typer.Option(help="Log lines on stderr.")]
"""The option of all parts of the service."""


def serve(
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Other than loopback only with API keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="Port.")] = 8000,
    trust_network: Annotated[
        bool,
        typer.Option(
            "--trust-network",
            help="Without keys, serve any ADDRESS: a container whose port only loopback reaches.",
        ),
    ] = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Serve the API and its page until stopped. Settings come from PDFINGEST_*."""
    use(log_format)
    with needs_service():
        import uvicorn

        from pdfingest.service.api import make_api
        from pdfingest.service.patience import ImpatientProtocol
        from pdfingest.service.settings import read_settings
    settings = read_settings()
    if not trust_network:
        check_host(host, settings.api_keys_file)
    log_service()
    app = make_api(settings)
    typer.echo(f"pdfingest: serving http://{host}:{port}", err=True)
    uvicorn.run(
        app,
        host=host,
        port=port,
        root_path=settings.root_path,
        http=ImpatientProtocol,
        ws="none",
        log_config=None,  # what it warns of is logged as by all parts
        access_log=False,  # `service.edge` has one
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_S,
    )


def check_host(host: str, api_keys_file: str) -> None:
    """Check that an API without keys is reached from this machine only.

    Raises:
        UsageError: there are no keys, and the address is not loopback.
    """
    from pdfingest.service.keys import is_loopback

    if not api_keys_file and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached from elsewhere, and there are no API keys. Name a file of "
            "them in PDFINGEST_API_KEYS_FILE, or serve 127.0.0.1. In a container whose port is "
            "published on loopback alone, say --trust-network to `serve`."
        )
