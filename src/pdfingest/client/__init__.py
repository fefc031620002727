"""Client of the service: send PDFs, wait for them, and read their records.

    from pdfingest.client import Client

    with Client("http://127.0.0.1:8000", api_key="...") as client:
        job = client.wait(client.submit("a.pdf"))
        for record in client.records(job):
            print(record["text"])

`AsyncClient` has the same methods for asyncio. Both need httpx, the extra `client`; all other names
need nothing but the standard library, so that a receiver of webhooks can do without httpx. That is
why names are imported when they are first asked for (PEP 562). The client imports no other part of
the package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pdfingest.client.asynchronous import AsyncClient
    from pdfingest.client.errors import (
        ClientError,
        JobFailed,
        NotReachable,
        Refused,
        StillRunning,
        WebhookError,
    )
    from pdfingest.client.jobs import Converted, Job, Options, Progress
    from pdfingest.client.sync import Client
    from pdfingest.client.webhook import verify_webhook

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Converted",
    "Job",
    "JobFailed",
    "NotReachable",
    "Options",
    "Progress",
    "Refused",
    "StillRunning",
    "WebhookError",
    "verify_webhook",
]

_HOMES = {
    "asynchronous": ("AsyncClient",),
    "errors": (
        *("ClientError", "JobFailed", "NotReachable"),
        *("Refused", "StillRunning", "WebhookError"),
    ),
    "jobs": ("Converted", "Job", "Options", "Progress"),
    "sync": ("Client",),
    "webhook": ("verify_webhook",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name from the module that it lives in.

    Raises:
        ModuleNotFoundError: the name needs httpx, which is not installed.
    """
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_HOME_OF[name]}")
    except ModuleNotFoundError as error:
        if error.name != "httpx":
            raise
        raise ModuleNotFoundError(
            "the client needs httpx. Run: pip install 'pdfingest[client]'", name=error.name
        ) from error
    return getattr(module, name)


def __dir__() -> list[str]:
    """List also the names that nobody has asked for yet."""
    return sorted({*globals(), *__all__})
