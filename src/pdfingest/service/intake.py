"""Intake: what a client sent becomes a job, once, and nothing is left behind if it cannot."""

# pyright: basic
# Celery is not typed; mypy checks this file strictly.

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from pydantic import ValidationError
from redis.exceptions import RedisError

from pdfingest.engines.registry import find_engines
from pdfingest.errors import EngineUnavailableError, OutputError, UsageError
from pdfingest.model import Unit
from pdfingest.options import options_digest
from pdfingest.service import queue, sources, webhook
from pdfingest.service.contents import upload_key
from pdfingest.service.documents import Choices, Named
from pdfingest.service.form import file_name
from pdfingest.service.jobs import Job, Jobs, State, new_id
from pdfingest.service.problems import Problem, invalid, no_room, unavailable
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store
from pdfingest.service.upload import Upload

_MOST_ENGINES = 8
_IN_BETWEEN_S = 3.0
"""How long a job may have a name and not be there yet; then whoever made it has died."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Makes jobs. Blocks, so it is called in threads."""

    settings: Settings
    jobs: Jobs
    store: Store
    app: Celery

    def admit(self, owner: str) -> None:
        """See whether one more job may come.

        Raises:
            Problem: 429, too many in this minute; 503, too many wait.
        """
        wait_s = self.jobs.admit(owner, self.settings.rate)
        if wait_s > 0:
            raise Problem(
                429,
                "too many requests",
                f"A key may send {self.settings.rate} jobs a minute.",
                {"Retry-After": str(int(wait_s) + 1)},
            )
        if self.jobs.waiting() >= self.settings.max_queue:
            raise Problem(
                503, "queue full", "Too many jobs wait. Send it later.", {"Retry-After": "10"}
            )

    def upload(self, upload: Upload, owner: str, key: str) -> tuple[Job, bool]:
        """Make a job of an upload, which is moved from where it is if it is needed.

        Args:
            upload: the file, and the fields that came with it.
            owner: who sent it.
            key: `Idempotency-Key`, or empty.

        Returns:
            The job, and whether it is an earlier one that is done already.

        Raises:
            Problem: 403, 409, 422, 503 or 507.
        """
        choices = read_choices(upload.fields)
        job_id = new_id()
        job = Job(
            job_id,
            upload.name,
            upload_key(job_id),
            upload.size_bytes,
            upload.sha256,
            **self._chosen(choices),
            owner=owner,
        )
        same = f"{owner}:{job.sha256}:{job.digest}"
        before = self._named(_idempotency(owner, key), job) if key else None
        if before is None:
            before = self.jobs.recall(same)
            if before and before.state is not State.DONE:
                if before.state.ended:
                    self.jobs.unname(same)
                before = None
        if before:
            return before, before.state is State.DONE
        try:
            self.store.put(job.source, upload.path)
        except OutputError as error:
            raise no_room() from error
        return self._queue(job, key, same)

    def named(self, text: bytes, owner: str, key: str) -> tuple[Job, bool]:
        """Make a job of a source that the service can reach; arguments and answer as `upload`.

        Raises:
            Problem: 400, 403, 409, 422 or 503.
        """
        named = read_named(text)
        try:
            sources.locate(named.source, self.settings)
        except sources.SourceError as error:
            raise Problem(403, "source not allowed", f"The source is refused: {error}.") from error
        name = file_name(named.source)
        job = Job(new_id(), name, named.source, **self._chosen(named), owner=owner)
        before = self._named(_idempotency(owner, key), job) if key else None
        if before:
            return before, before.state is State.DONE
        return self._queue(job, key, "")

    def _chosen(self, choices: Choices) -> dict[str, Any]:
        """Parts of a job that are options."""
        if choices.webhook and not webhook.is_allowed(choices.webhook, self.settings):
            raise Problem(
                403,
                "webhook not allowed",
                "This service sends webhooks only to the hosts that it allows.",
            )
        given = {
            name: str(value)
            for name in ("engine", "unit")
            if (value := getattr(choices, name)) is not None
        }
        try:
            digest = _digest(self.settings, given.get("engine", ""), given.get("unit", ""))
        except (EngineUnavailableError, UsageError) as error:
            raise invalid([{"loc": ("body", "engine"), "msg": str(error)}]) from error
        return {
            "digest": digest,
            "options": given,
            "passwords": tuple(choices.password),
            "webhook": choices.webhook,
        }

    def _queue(self, job: Job, key: str, same: str) -> tuple[Job, bool]:
        """Have a job done, unless one with the same idempotency key came meanwhile."""
        name = _idempotency(job.owner, key) if key else ""
        try:
            before = self._first(name, job) if name else None
            if before:
                self._undo(job, "")
                return before, before.state is State.DONE
            self.jobs.add(job)
            if same:
                self.jobs.remember(same, job.id)
            queue.send(self.app, job.id)
        except (OperationalError, RedisError) as error:
            self._undo(job, name)
            raise unavailable("The queue does not answer.") from error
        except Problem:
            self._undo(job, "")
            raise
        return self.jobs.get(job.id) or job, False

    def _first(self, name: str, job: Job) -> Job | None:
        """The job that came first with an idempotency key; None if it is this one."""
        deadline_s = time.monotonic() + _IN_BETWEEN_S
        while self.jobs.remember(name, job.id) != job.id:
            before = self._named(name, job)
            if before:
                return before
            if time.monotonic() > deadline_s:
                self.jobs.unname(name)
            time.sleep(0.05)
        return None

    def _named(self, name: str, job: Job) -> Job | None:
        """The job that an idempotency key stands for, if it is there yet."""
        before = self.jobs.recall(name)
        if before and _content(before) != _content(job):
            raise Problem(409, "key used", "This Idempotency-Key came with another content before.")
        return before

    def _undo(self, job: Job, name: str) -> None:
        """Leave nothing of a job that was not queued."""
        if job.source == upload_key(job.id):
            self.store.delete(job.source)
        try:
            self.jobs.forget(job.id)
            if name:
                self.jobs.unname(name)
        except RedisError:
            return  # it is not queued, and it expires


def read_choices(fields: Mapping[str, list[str]]) -> Choices:
    """Options from the fields of a form.

    Raises:
        Problem: 422, they do not fit.
    """
    given: dict[str, Any] = {}
    for name, values in fields.items():
        if name != "password" and len(values) > 1:
            raise invalid([{"loc": ("body", name), "msg": "given more than once"}])
        if name == "password" or values[0]:
            given[name] = values if name == "password" else values[0]
    try:
        return Choices.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors()) from error


def read_named(text: bytes) -> Named:
    """A source and its options from JSON.

    Raises:
        Problem: 400, it is no JSON; 422, it does not fit.
    """
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(400, "no JSON", "The body is no JSON in UTF-8.") from None
    try:
        return Named.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors()) from error


def _content(job: Job) -> tuple[str, str]:
    """What makes two jobs the same."""
    return job.sha256 if job.source == upload_key(job.id) else job.source, job.digest


def _idempotency(owner: str, key: str) -> str:
    """The name by which a job is remembered for a key."""
    return f"{owner}:key:{hashlib.sha256(key.encode()).hexdigest()}"


@lru_cache(64)
def _digest(settings: Settings, engine: str, unit: str) -> str:
    """Of options that change records; engines do not change while a program runs."""
    options = settings.options(engine=engine or settings.engine, unit=Unit(unit or Unit.PAGE))
    if options.engine.count(",") >= _MOST_ENGINES:
        raise UsageError(f"at most {_MOST_ENGINES} engines are tried.")
    return options_digest(options, find_engines(options.engine))
