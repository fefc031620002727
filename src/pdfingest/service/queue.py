"""The queue: which job is next, by Celery over Redis. A message holds the id of a job, no more."""

# pyright: basic
# Celery is not typed; mypy checks this file strictly.

from typing import Any

import redis
from celery import Celery

from pdfingest.service.jobs import Jobs
from pdfingest.service.settings import Settings

TASK = "pdfingest.ingest"
_MARGIN_S = 120.0
"""Beyond what a file may take, before Redis gives a message to another worker as well."""
_CONNECT_S = 5.0


def make_app(settings: Settings) -> Celery:
    """The Celery application, for those who send and those who work."""
    app = Celery("pdfingest", broker=settings.redis_url, set_as_current=False)
    app.conf.update(
        task_default_queue="pdfingest",
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,  # the state of a job is its own hash
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
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


def send(app: Celery, job_id: str) -> None:
    """Queue a job.

    Raises:
        kombu.exceptions.OperationalError: Redis does not answer.
    """
    app.send_task(TASK, args=[job_id])


def connect(settings: Settings) -> Jobs:
    """The jobs, by a client that answers to the calls of many threads."""
    client: Any = redis.Redis.from_url(
        settings.redis_url,
        decode_responses=True,
        socket_connect_timeout=_CONNECT_S,
        socket_timeout=_CONNECT_S,
        health_check_interval=30,
    )
    return Jobs(client, settings.keep)
