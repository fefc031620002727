"""The worker: the process that takes messages from the queue, and its chores.

    Celery ─▶ threads ─▶ reader ─▶ extractors ─▶ children

Owns the process of Celery, and what is done every few seconds: leases are extended, what a worker
that died held is queued again (`_sweep`), webhooks are told, old tickets and files are deleted, and
all see that this worker is alive. Does not own what becomes of a ticket: `reader` does.

Celery's own prefork pool would add a process to each file, 90 to 154 ms of CPU, and isolate nothing
that the children do not isolate.
"""

# pyright: basic
# Celery is not typed; mypy checks this file strictly.

import gc
import logging
import os
import socket
import sys
import threading
import uuid
import warnings
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from functools import partial
from importlib.metadata import version
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from pdfingest.engines.registry import find_engines
from pdfingest.isolation.start import begin_image
from pdfingest.measure.flatness import Point, judge
from pdfingest.measure.processes import Processes
from pdfingest.measure.sizing import allow_descriptors
from pdfingest.model import Unit
from pdfingest.options import IngestOptions
from pdfingest.remote.scratch import Scratch
from pdfingest.run.tools import find_tools, with_image
from pdfingest.service import presence, queue, telemetry
from pdfingest.service.contents import result_key, upload_key
from pdfingest.service.extractor import Extractor
from pdfingest.service.presence import Presence
from pdfingest.service.reader import Reader
from pdfingest.service.settings import Settings
from pdfingest.service.sources import open_prefixes
from pdfingest.service.store import open_store
from pdfingest.service.webhook import Webhooks
from pdfingest.stop import Stop

_BEAT_S = 1.0
"""Seconds between two extensions of a lease; as soon is a cancelled ticket noticed."""
_WEBHOOKS_S = 0.5
_SWEEP_S = 5.0
_ANNOUNCE_S = 5.0
_TIDY_S = 60.0
_MOST_EXPIRY_S = 3600.0
"""The longest time between two looks for files that are too old."""
_ORPHAN_S = 3600.0
"""Seconds beyond those that a ticket is kept, after which a file that is left is deleted."""
_UNHEARD_S, _UNHEARD_BUSY_S = 30.0, 600.0
"""Seconds for which a ticket may be queued while no message is, or while there are some; then its
message was lost, or may be."""
_DEAF_LOOKS = 6
"""Sweeps in a row that find messages though nothing is done here; then none is heard any more."""
_MOST_SAMPLES = 2000
_log = logging.getLogger("pdfingest.worker")


class Worker:
    """Works until it is stopped.

    Raises:
        UsageError: the store or a source prefix cannot be opened as configured.
        OutputError: the store cannot be made or looked at.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tickets = queue.connect(settings)
        self._store = open_store(settings.store)
        open_prefixes(settings)
        self._app = queue.make_app(settings)
        self._webhooks = Webhooks(settings, self._tickets)
        self._owed: list[str] = []
        """Ids of tickets that need a message."""
        self._ending = threading.Event()
        self._id = uuid.uuid4().hex
        self._processes, self._samples = Processes(), list[Point]()
        self._heard, self._deaf_looks = 0.0, 0

    def run(self) -> int:
        """Take tickets until SIGTERM or SIGINT comes; returns the exit code.

        Raises:
            EngineUnavailableError: an engine is unknown, not installed, or has no models.
            ResourceError: the lanes need more descriptors than there may be.
        """
        lanes = self._settings.lanes
        allow_descriptors(lanes, "--lanes")
        begin_image([engine.module for engine in find_engines(self._settings.engine)])
        options = IngestOptions(engine=self._settings.engine, unit=Unit.DOCUMENT)
        with_image(find_tools(options), Stop())
        telemetry.instrument_worker()
        # It warns root of messages that run code, as pickles do. None of ours does.
        warnings.simplefilter("ignore", SecurityWarning)
        with ExitStack() as stack:
            stack.enter_context(closing(self._store))
            scratch = stack.enter_context(closing(Scratch()))
            extractors = [
                stack.enter_context(
                    closing(Extractor(self._settings, self._store, scratch.make(f"lane-{number}")))
                )
                for number in range(lanes)
            ]
            reader = Reader(self._settings, self._tickets, self._store, extractors, self._send)
            self._app.task(name=queue.TASK)(reader.read)
            celery = self._celery(reader)
            for chore in self._chores(reader):
                threading.Thread(target=self._repeat, args=chore, daemon=True).start()
            gc.freeze()  # what is loaded now stays: it need not be looked through for garbage
            celery.start()
            self._end()
        return int(celery.exitcode or 0)

    def _celery(self, reader: Reader) -> Any:
        """Make the worker of Celery, which takes the messages."""

        def ending(**_: Any) -> None:
            self._ending.set()
            reader.let_go()

        def ready(**_: Any) -> None:
            _log.info("worker ready, %d at a time", self._settings.lanes)

        signals.setup_logging.connect(lambda **_: None, weak=False)  # it is set up already
        signals.worker_shutting_down.connect(ending, weak=False)
        signals.worker_ready.connect(ready, weak=False)
        return self._app.Worker(
            pool="threads",
            concurrency=self._settings.lanes,
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
        )

    def _chores(self, reader: Reader) -> list[tuple[str, Callable[[], None], float]]:
        """List what is to be done again and again, and the seconds between."""
        tidy_s = min(_TIDY_S, self._settings.keep)
        chores: list[tuple[str, Callable[[], None], float]] = [
            ("extend", reader.extend_all, _BEAT_S),
            ("sweep", partial(self._sweep, reader), _SWEEP_S),
            ("tidy", self._tidy, tidy_s),
            ("announce", partial(self._announce, reader), _ANNOUNCE_S),
        ]
        if self._settings.hosts:
            chores.append(("webhooks", self._webhooks.tell_due, _WEBHOOKS_S))
        return chores

    def _send(self, ticket_id: str) -> None:
        """Send a message for a ticket, or, while this worker ends, once it takes none itself.

        Celery takes messages while it stops: it could be this worker that gets the one it sent.
        """
        self._owed.append(ticket_id)
        if not self._ending.is_set():
            self._pay()

    def _pay(self) -> None:
        """Send the messages that are owed; one that cannot be sent stays owed."""
        while self._owed:
            ticket_id = self._owed.pop()
            try:
                queue.send(self._app, ticket_id)
            except BaseException:
                self._owed.append(ticket_id)
                raise

    def _end(self) -> None:
        self._ending.set()
        with suppress(RedisError, OperationalError):  # else a sweep finds them
            self._pay()
        self._webhooks.close()
        with suppress(RedisError):
            presence.leave(self._tickets, self._id)

    def _announce(self, reader: Reader) -> None:
        """Say that this worker is alive, what it holds, and whether that grows."""
        held_bytes = self._processes.look().held_bytes
        if not self._samples or self._samples[-1][0] < reader.files:
            self._samples.append((reader.files, held_bytes))
        if len(self._samples) > _MOST_SAMPLES:
            del self._samples[1::2]
        says = Presence(
            id=self._id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version("pdfingest"),
            lanes=self._settings.lanes,
            busy=reader.busy,
            files=reader.files,
            rss_bytes=held_bytes,
            verdict=judge(self._samples).verdict.value,
            source_prefixes=list(map(str, self._settings.prefixes)),
            at=self._tickets.now(),
        )
        presence.announce(self._tickets, says)

    def _sweep(self, reader: Reader) -> None:
        """Send messages for the tickets of all workers that have neither a worker nor a message."""
        is_idle = not self._tickets.client.llen(str(self._app.conf.task_default_queue))
        for ticket_id in self._tickets.lost(_UNHEARD_S if is_idle else _UNHEARD_BUSY_S):
            self._send(ticket_id)
        self._listen(reader, is_idle=is_idle)

    def _listen(self, reader: Reader, *, is_idle: bool) -> None:
        """Start this program anew if it does not hear the messages that there are.

        After Redis was away, Celery may go on with a connection that nobody listens to, and says
        nothing (celery/celery#9054, #10302; seen here with kombu 5.7 once in 20 restarts of Redis).
        """
        is_deaf = not is_idle and reader.is_idle and reader.heard == self._heard
        self._heard = reader.heard
        self._deaf_looks = self._deaf_looks + 1 if is_deaf else 0
        if self._deaf_looks >= _DEAF_LOOKS:
            _log.error("no message is heard though there are some: the worker starts anew")
            os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this very command

    def _tidy(self) -> None:
        """Delete tickets that ended long ago, with their files, and files that are left over."""
        for ticket_id in self._tickets.expired():
            self._store.delete(result_key(ticket_id))
            self._store.delete(upload_key(ticket_id))
        keep_s = self._settings.keep
        # To look through a store of millions of objects costs thousands of requests.
        period_s = min(max(keep_s / 24, _TIDY_S), _MOST_EXPIRY_S)
        if self._tickets.is_due("expiry", period_s):
            self._store.expire(keep_s + _ORPHAN_S, self._tickets.is_open)

    def _repeat(self, name: str, do: Callable[[], None], pause_s: float) -> None:
        """Call a function again and again until the worker ends, whatever it raises."""
        while not self._ending.is_set():
            try:
                do()
            except Exception as error:  # noqa: BLE001 - Redis may be away: tried again, and logged
                _log.warning("%s: %s", name, error)
            self._ending.wait(pause_s)
