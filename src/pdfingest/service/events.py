"""A ticket as it changes: server-sent events until it ends."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio
from anyio import to_thread
from redis.exceptions import RedisError

from pdfingest.service.documents import TicketDocument, ticket_document
from pdfingest.service.tickets import Tickets

_LOOK_S = 0.5
_KEEP_ALIVE_S = 15.0
"""Seconds of silence after which a comment is sent, as proxies close what is silent for longer."""
MEDIA_TYPE = "text/event-stream"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "const": "job"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
"""JSON Schema of one event, whose data is the document of the ticket."""


async def follow(tickets: Tickets, ticket_id: str) -> AsyncIterator[str]:
    """Yield an event at once, and one whenever the ticket has changed.

    Args:
        tickets: where the ticket is; asked twice a second.
        ticket_id: the ticket; the stream ends when it has ended or is forgotten.
    """
    told: TicketDocument | None = None
    told_s = time.monotonic()
    while True:
        try:
            ticket = await to_thread.run_sync(tickets.get, ticket_id)
        except RedisError:  # the answer has begun, so that no status can tell; Redis may be back
            await anyio.sleep(_KEEP_ALIVE_S)
            continue
        if ticket is None:
            return
        document = ticket_document(ticket)
        if document != told:
            yield f"event: job\ndata: {document.model_dump_json()}\n\n"
            told, told_s = document, time.monotonic()
        elif time.monotonic() - told_s > _KEEP_ALIVE_S:
            yield ": still here\n\n"
            told_s = time.monotonic()
        if ticket.state.ended:
            return
        await anyio.sleep(_LOOK_S)
