"""A ticket as it changes: server-sent events until it ends, or its end alone."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio
from anyio import to_thread
from redis.exceptions import RedisError

from pdfingest.service.documents import TicketDocument, ticket_document
from pdfingest.service.ticket import Ticket
from pdfingest.service.tickets import Tickets

_LOOK_S = 0.5
_SOON_S = 0.02
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


async def wait_for_end(tickets: Tickets, ticket: Ticket, seconds: float) -> Ticket:
    """Wait until a ticket has ended.

    Args:
        tickets: where the ticket is; asked ever less often, and at least twice a second.
        ticket: the ticket.
        seconds: how long to wait at most.

    Returns:
        The ticket as it is then; as it was last if it is deleted.
    """
    deadline_s, pause_s = time.monotonic() + seconds, _SOON_S
    while not ticket.state.ended and (left_s := deadline_s - time.monotonic()) > 0:
        await anyio.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _LOOK_S)
        found = await to_thread.run_sync(tickets.get, ticket.id)
        if found is None:
            return ticket
        ticket = found
    return ticket


async def follow(tickets: Tickets, ticket_id: str, root: str) -> AsyncIterator[str]:
    """Yield an event at once, and one whenever the ticket has changed.

    Args:
        tickets: where the ticket is; asked twice a second.
        ticket_id: the ticket; the stream ends when it has ended or is deleted.
        root: path in front of its links.
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
        document = ticket_document(ticket, root)
        if document != told:
            yield f"event: job\ndata: {document.model_dump_json()}\n\n"
            told, told_s = document, time.monotonic()
        elif time.monotonic() - told_s > _KEEP_ALIVE_S:
            yield ": still here\n\n"
            told_s = time.monotonic()
        if ticket.state.ended:
            return
        await anyio.sleep(_LOOK_S)
