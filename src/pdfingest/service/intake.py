"""Intake: makes a ticket of what a client sent, once, and leaves nothing behind if it cannot.

Owns what a client may choose, and which ticket stands for a file that was sent before, by its
`Idempotency-Key` or its content. Does not read requests: `api` and `upload` do.
"""

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
from pdfingest.options import options_digest
from pdfingest.service import queue, sources, webhook
from pdfingest.service.contents import upload_key
from pdfingest.service.documents import Choices, Named
from pdfingest.service.form import file_name
from pdfingest.service.problems import Problem, invalid, no_room, unavailable
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store
from pdfingest.service.ticket import State, Ticket, new_id
from pdfingest.service.tickets import Tickets
from pdfingest.service.upload import Upload

CHOSEN = ("engine", "unit", "format", "tables")
"""What a client may choose of the options that change a record."""
_MOST_ENGINES = 8
_IN_BETWEEN_S = 3.0
"""Seconds for which a name may belong to a ticket that is not added yet."""


@dataclass(frozen=True, slots=True)
class Intake:
    """Makes tickets. Its methods wait for Redis and the store, so they are called in threads."""

    settings: Settings
    tickets: Tickets
    store: Store
    app: Celery

    def admit(self, owner: str) -> None:
        """Check that a key may send one more file, before the file is read.

        Raises:
            Problem: 429, the key has sent too many in this minute; 503, too many are queued.
        """
        wait_s = self.tickets.admit(owner, self.settings.rate)
        if wait_s > 0:
            raise Problem(
                429,
                "too many requests",
                f"A key may send {self.settings.rate} files a minute.",
                {"Retry-After": str(int(wait_s) + 1)},
            )
        if self.tickets.queued() >= self.settings.max_queue:
            detail = "Too many files are queued. Send it later."
            raise Problem(503, "queue full", detail, {"Retry-After": "10"})

    def upload(self, upload: Upload, owner: str, key: str) -> Ticket:
        """Make a ticket of an upload, whose file is moved into the store if it is needed.

        Args:
            upload: the file, and the fields that came with it.
            owner: name of the API key that sent it; empty without keys.
            key: the `Idempotency-Key`, or empty.

        Returns:
            A new ticket, which is queued; or an earlier one that stands for the same file.

        Raises:
            Problem: 403, 409, 422, 503 or 507.
        """
        chosen = self._chosen(read_choices(upload.fields))
        ticket_id = new_id()
        ticket = Ticket(
            ticket_id,
            upload.name,
            upload_key(ticket_id),
            upload.size_bytes,
            upload.sha256,
            owner=owner,
            **chosen,
        )
        name, same = _key_name(owner, key), f"{owner}:{ticket.sha256}:{ticket.digest}"
        if earlier := self._named(name, ticket) or self._done(same):
            return earlier
        try:
            self.store.put(ticket.source, upload.path)
        except OutputError as error:
            raise no_room() from error
        return self._queue(ticket, name, same)

    def named(self, text: bytes, owner: str, key: str) -> Ticket:
        """Make a ticket of JSON that names a source and holds the options; otherwise as `upload`.

        Raises:
            Problem: 400, 403, 409, 422 or 503.
        """
        named = read_named(text)
        try:
            sources.locate(named.source, self.settings)
        except sources.SourceError as error:
            raise Problem(403, "source not allowed", f"The source is refused: {error}.") from error
        chosen = self._chosen(named)
        ticket = Ticket(new_id(), file_name(named.source), named.source, owner=owner, **chosen)
        name = _key_name(owner, key)
        # The content may change between two tickets, so that only a key can tell that it did not.
        return self._named(name, ticket) or self._queue(ticket, name, "")

    def _chosen(self, choices: Choices) -> dict[str, Any]:
        """Return the fields of a ticket that its client chooses."""
        if choices.webhook and not webhook.is_allowed(choices.webhook, self.settings):
            detail = "This service sends webhooks only to the hosts that its operator allows."
            raise Problem(403, "webhook not allowed", detail)
        options = {name: str(value) for name in CHOSEN if (value := getattr(choices, name))}
        try:
            digest = _digest(self.settings, *(options.get(name, "") for name in CHOSEN))
        except (EngineUnavailableError, UsageError) as error:
            raise invalid([{"loc": ("body", "engine"), "msg": str(error)}]) from error
        passwords, hook = tuple(choices.password), choices.webhook
        return {"digest": digest, "options": options, "passwords": passwords, "webhook": hook}

    def _queue(self, ticket: Ticket, name: str, same: str) -> Ticket:
        """Add a ticket and queue it, unless another got its name meanwhile, which is returned then.

        It is remembered by `same` as well, which another may have; both may be empty.
        """
        try:
            # The name is taken first: a request with the same key waits until the ticket is there.
            if name and (earlier := self._first(name, ticket)):
                self._undo(ticket, "")
                return earlier
            added = self.tickets.add(ticket)
            if same:
                self.tickets.remember(same, ticket.id)
            queue.send(self.app, ticket.id)
        except (OperationalError, RedisError) as error:
            self._undo(ticket, name)
            raise unavailable("The queue does not answer.") from error
        except Problem:
            self._undo(ticket, "")
            raise
        return added

    def _first(self, name: str, ticket: Ticket) -> Ticket | None:
        """Return the ticket that got a name first; None if it is this one."""
        deadline_s = time.monotonic() + _IN_BETWEEN_S
        while self.tickets.remember(name, ticket.id) != ticket.id:
            if earlier := self._named(name, ticket):
                return earlier
            if time.monotonic() > deadline_s:  # whoever has the name died before it added a ticket
                self.tickets.unname(name)
            time.sleep(0.05)
        return None

    def _named(self, name: str, ticket: Ticket) -> Ticket | None:
        """Return the ticket that an idempotency key stands for; None if it is not added yet."""
        earlier = self.tickets.recall(name) if name else None
        if earlier and _content(earlier) != _content(ticket):
            raise Problem(409, "key used", "This Idempotency-Key came with another content before.")
        return earlier

    def _done(self, same: str) -> Ticket | None:
        """Return the ticket that is done with the same content and options, if there is one."""
        earlier = self.tickets.recall(same)
        if earlier is None or earlier.state is State.DONE:
            return earlier
        if earlier.state.ended:  # it failed, and the next that is added is to have the name
            self.tickets.unname(same)
        return None

    def _undo(self, ticket: Ticket, name: str) -> None:
        """Leave nothing of a ticket that was not queued."""
        if ticket.source == upload_key(ticket.id):
            self.store.delete(ticket.source)
        try:
            self.tickets.forget(ticket.id)
            if name:
                self.tickets.unname(name)
        except RedisError:
            return  # no message was sent for it, and it expires


def read_choices(fields: Mapping[str, list[str]]) -> Choices:
    """Read the options from the fields of a form.

    Raises:
        Problem: 422, they do not fit.
    """
    given: dict[str, Any] = {}
    for name, values in fields.items():
        if name == "password":
            given[name] = values
        elif len(values) > 1:
            raise invalid([{"loc": ("body", name), "msg": "given more than once"}])
        elif values[0]:  # browsers send the fields that were left empty as well
            given[name] = values[0]
    try:
        return Choices.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors()) from error


def read_named(text: bytes) -> Named:
    """Read a source and its options from JSON.

    Raises:
        Problem: 400, the text is not JSON; 422, it does not fit.
    """
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(400, "no JSON", "The body is not JSON in UTF-8.") from None
    try:
        return Named.model_validate(given)
    except ValidationError as error:
        raise invalid(error.errors()) from error


def _content(ticket: Ticket) -> tuple[str, str]:
    """Return what two tickets have in common if they may share an idempotency key."""
    is_upload = ticket.source == upload_key(ticket.id)
    return ticket.sha256 if is_upload else ticket.source, ticket.digest


def _key_name(owner: str, key: str) -> str:
    """Return the name that a ticket is remembered by for an idempotency key; empty without one."""
    return f"{owner}:key:{hashlib.sha256(key.encode()).hexdigest()}" if key else ""


@lru_cache(64)
def _digest(settings: Settings, *chosen: str) -> str:
    """Return the options digest; the engines stay the same as long as the program runs."""
    options = settings.options_for(dict(zip(CHOSEN, chosen, strict=True)))
    if options.engine.count(",") >= _MOST_ENGINES:
        raise UsageError(f"at most {_MOST_ENGINES} engines are tried.")
    return options_digest(options, find_engines(options.engine))
