"""`pdfingest up`: the whole service on one machine."""

import os
from contextlib import ExitStack
from typing import Annotated

import typer

from pdfingest.cli.extras import needs_service
from pdfingest.cli.log import log_service
from pdfingest.cli.messages import LogFormat, say, use
from pdfingest.cli.serve import LogFormatOption, check_host
from pdfingest.cli.signals import stop_on_signals
from pdfingest.cli.worker import LanesOption


def up(
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Other than loopback only with API keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="Port.")] = 8000,
    lanes: LanesOption = None,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Run the queue, the API and a worker, until stopped. Settings come from PDFINGEST_*.

    The queue lies in the store, unless PDFINGEST_REDIS_URL says where another is.
    """
    use(log_format)
    with needs_service():
        from pdfingest.service.embedded import Embedded
        from pdfingest.service.settings import read_settings
        from pdfingest.service.store import open_store
        from pdfingest.service.up import (
            Part,
            Parts,
            answers_http,
            answers_redis,
            environment_with,
            this_program,
            works,
        )
        from pdfingest.service.variables import PREFIX

    settings = read_settings(lanes=lanes)
    check_host(host, settings.api_keys_file)
    log_service()
    open_store(settings.store).close()  # it is made, or refused, before anything starts
    url, queue_at = settings.redis_url, "as PDFINGEST_REDIS_URL says"
    parts: list[Part] = []
    with ExitStack() as stack:
        if not url:
            queue = Embedded(settings.store)
            stack.callback(queue.close)
            command = queue.prepare()
            url, queue_at = queue.url, queue.folder
            parts.append(
                Part("queue", command, os.environ, answers_redis(url), [queue.lock], queue.log)
            )
        environment = environment_with(**{f"{PREFIX}REDIS_URL": url})
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        words = ("--log-format", log_format.value)
        serve = this_program("serve", "--host", host, "--port", f"{port}", *words)
        parts.append(Part("API", serve, environment, answers_http(f"{address}/healthz")))
        worker = this_program("worker", "--lanes", f"{settings.lanes}", *words)
        parts.append(Part("worker", worker, environment, works(url)))
        stop = stack.enter_context(stop_on_signals())

        def ready() -> None:
            lines = [
                f"ready at {address}, which is a page as well; docs at {address}/docs",
                f"  uploads and results: {os.path.abspath(settings.store)}",
                f"  queue: {queue_at}",
                f"  worker: {settings.lanes} at a time",
            ]
            if not settings.redis_url:
                lines.append("  For workers on more machines, set PDFINGEST_REDIS_URL to a Redis.")
            say("info", "\n".join(lines))

        code = Parts(parts, stop, lambda line: say("warning", line)).run(ready)
    raise typer.Exit(code)
