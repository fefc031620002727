"""The HTTP application: its routes, what every request passes, and its description.

Owns how the parts of the API are put together. Does not own what the routes answer: `routes` does.
"""

import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from pdfingest.service import problems, queue, telemetry
from pdfingest.service.edge import Edge
from pdfingest.service.intake import Intake
from pdfingest.service.keys import HEADER, Keys
from pdfingest.service.openapi import document_of
from pdfingest.service.page import docs_folder
from pdfingest.service.patience import Patience
from pdfingest.service.routes import Routes
from pdfingest.service.settings import Settings
from pdfingest.service.store import open_store

_TOLD = ["Location", "Retry-After", "X-Request-ID", "Pdfingest-Status", "Pdfingest-Without-Records"]
"""Headers that pages of other origins may read."""


def make_api(settings: Settings) -> FastAPI:
    """Make the ASGI application.

    Raises:
        UsageError: the keys cannot be read, or the store needs a library.
        OutputError: the store cannot be made.
    """
    tickets, store = queue.connect(settings), open_store(settings.store)
    keys = Keys(settings.api_keys_file, settings.origins)
    routes = Routes(keys, Intake(settings, tickets, store, queue.make_app(settings)))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        """Let go of the store when the server ends."""
        gc.freeze()  # what is loaded now stays: it need not be looked through for garbage
        yield
        store.close()

    app = _Api(
        lifespan=lifespan,
        title="pdfingest",
        version=version("pdfingest"),
        description="PDFs to JSONL, one fresh process per file. A job is the ticket of one file.",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    routers = routes.open_routes(), routes.ticket_routes()
    problems.handle_problems(app, [route for each in routers for route in each.routes])
    app.add_middleware(Edge)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["*"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", HEADER],
            expose_headers=_TOLD,
        )
    app.add_middleware(Patience)
    for router in routers:
        app.include_router(router)
    app.mount("/docs/static", docs_folder())
    telemetry.instrument_api(app)
    return app


class _Api(FastAPI):
    """The application, with a document of its own for OpenAPI."""

    def openapi(self) -> dict[str, Any]:
        """Return the document."""
        return document_of(self)
