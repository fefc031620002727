"""The queue: which worker takes up which ticket, by Celery over Redis.

Owns where Redis is: at the URL of the settings, or in the store, if `pdfingest up` runs one there.

A message holds the id of a ticket and nothing else. One that comes twice or gets lost does no harm,
as what counts is the state of the ticket, which workers change under a lease (`tickets`).
"""

# pyright: basic
# Celery is not typed; mypy checks this file strictly.

from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from celery import Celery

from pdfingest.service import embedded
from pdfingest.service.settings import Settings
from pdfingest.service.tickets import Tickets

TASK = "pdfingest.ingest"
"""Name of the Celery task that workers take messages of."""
_MARGIN_S = 120.0
"""Seconds beyond the time limit of a file after which Redis delivers its message again."""
_CONNECT_S = 5.0
DEFAULT_URL = "redis://127.0.0.1:6379/0"
"""Where Redis is if nobody says so."""


def url_of(settings: Settings) -> str:
    """Return the URL of Redis, as its own client takes it."""
    return settings.redis_url or embedded.url_in(settings.store) or DEFAULT_URL


def _broker_of(url: str) -> str:
    """Return a URL of Redis as Celery takes it: it calls sockets of Unix by another name."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    number = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{parts.path}?virtual_host={number}"


def make_app(settings: Settings) -> Celery:
    """Make the Celery application, for the parts that send and for those that work."""
    app = Celery("pdfingest", broker=_broker_of(url_of(settings)), set_as_current=False)
    app.conf.update(
        task_default_queue="pdfingest",
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,  # the ticket has its own hash
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,  # a message that waits here could be read elsewhere
        worker_enable_remote_control=False,  # no pidbox: each worker would keep a connection for it
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={
            "visibility_timeout": settings.timeout + _MARGIN_S,
            "socket_connect_timeout": _CONNECT_S,
        },
        task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2},
    )
    return app


def send(app: Celery, ticket_id: str) -> None:
    """Send the message that wakes a worker for a ticket.

    Raises:
        kombu.exceptions.OperationalError: Redis does not answer.
    """
    app.send_task(TASK, args=[ticket_id])


def connect(settings: Settings) -> Tickets:
    """Open the tickets with a client of Redis that many threads may share; nothing is sent yet."""
    client: Any = redis.Redis.from_url(
        url_of(settings),
        decode_responses=True,
        encoding_errors="surrogateescape",  # paths of a run need not be UTF-8 (PEP 383)
        socket_connect_timeout=_CONNECT_S,
        socket_timeout=_CONNECT_S,
        health_check_interval=30,
    )
    return Tickets(client, settings.keep)
