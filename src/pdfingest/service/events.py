"""A job as it changes: server-sent events until it ends."""

import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import anyio
from anyio import to_thread
from redis.exceptions import RedisError

from pdfingest.service.documents import JobDocument, job_document
from pdfingest.service.jobs import Jobs

_LOOK_S = 0.5
_KEEP_ALIVE_S = 15.0
"""Proxies close what is silent for half a minute or more."""
MEDIA_TYPE = "text/event-stream"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "const": "job"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
"""JSON Schema of one event; `data` is the job document."""


async def follow(jobs: Jobs, job_id: str) -> AsyncIterator[str]:
    """Events `job`, each with the job document as data: at first, and whenever it has changed.

    Args:
        jobs: asked twice a second.
        job_id: the job; the stream ends when it has ended or is forgotten.
    """
    told: JobDocument | None = None
    told_s = time.monotonic()
    while True:
        try:
            job = await to_thread.run_sync(jobs.get, job_id)
        except RedisError:  # it may be back soon
            await anyio.sleep(_KEEP_ALIVE_S)
            continue
        if job is None:
            return
        document = job_document(job)
        if document != told:
            yield f"event: job\ndata: {document.model_dump_json()}\n\n"
            told, told_s = document, time.monotonic()
        elif time.monotonic() - told_s > _KEEP_ALIVE_S:
            yield ": still here\n\n"
            told_s = time.monotonic()
        if job.state.ended:
            return
        await anyio.sleep(_LOOK_S)
