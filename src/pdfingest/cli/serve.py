"""`pdfingest serve`: the HTTP side of the service."""

from typing import Annotated

import typer

from pdfingest.cli.extras import needs_service
from pdfingest.errors import UsageError

_HEADER_BYTES = 16 << 10
_CONNECTIONS = 1000
_KEEP_ALIVE_S = 5
_STOP_S = 10
"""How long requests may still take once the server is told to stop."""


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
) -> None:
    """Serve the API and its page until stopped. Settings come from PDFINGEST_*."""
    import logging

    with needs_service():
        import uvicorn

        from pdfingest.service.api import make_api
        from pdfingest.service.protocol import Protocol
    from pdfingest.service.keys import is_loopback
    from pdfingest.service.settings import read_settings

    settings = read_settings()
    if not (settings.api_keys_file or trust_network or is_loopback(host)):
        raise UsageError(
            f"{host} can be reached from elsewhere, and there are no API keys. Name a file of "
            "them in PDFINGEST_API_KEYS_FILE, or serve 127.0.0.1. In a container whose port is "
            "published on loopback alone, say --trust-network."
        )
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of mistakes of clients
    app = make_api(settings)
    typer.echo(f"pdfingest: serving http://{host}:{port}", err=True)
    uvicorn.run(
        app,
        host=host,
        port=port,
        http=Protocol,
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        timeout_keep_alive=_KEEP_ALIVE_S,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_STOP_S,
    )
