"""Intake: makes a ticket of what a client sent, once, and leaves nothing behind if it cannot.

Owns what a client may choose, and which ticket stands for a request that was sent before, by its
`Idempotency-Key`. Without one, each file that is sent is a ticket of its own, with its own name and
webhook, also if the same bytes were sent before; a worker sees to it that they are read once. Does
not read requests: `routes` and `upload` do.
"""

# pyright: basic
# Celery is not typed; mypy checks this file strictly.

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError
from pydantic import ValidationError
from redis.exceptions import RedisError

from pdfingest.errors import EngineUnavailableError, StoreError, UsageError
from pdfingest.run.tools import find_tools
from pdfingest.service import queue, sources, webhook
from pdfingest.service.contents import upload_key
from pdfingest.service.documents import Choices, Named
from pdfingest.service.form import file_name
from pdfingest.service.problems import Problem, invalid, no_room, unavailable
from pdfingest.service.settings import Settings
from pdfingest.service.store import Store
from pdfingest.service.ticket import Ticket, new_id
from pdfingest.service.tickets import Tickets
from pdfingest.service.upload import Received, Upload

CHOSEN = (
    *("engine", "unit", "chunk_tokens", "chunk_overlap", "tokenizer"),
    *("format", "tables", "ocr", "ocr_lang"),
)
"""What a client may choose of the options that change a record."""
_MOST_ENGINES = 8
_MOST_DIGESTS = 64
_IN_BETWEEN_S = 3.0
"""Seconds for which a name may belong to a ticket that is not added yet."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A file, one of several, of which no ticket was made."""

    name: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Intake:
    """Makes tickets. Its methods wait for Redis and the store, so they are called in threads."""

    settings: Settings
    tickets: Tickets
    store: Store
    app: Celery
    _digests: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    """Options digests by what the client chose, since to find engines takes 10 ms."""

    def admit(self, owner: str) -> None:
        """Check that a key may send one more file, before the file is read.

        Raises:
            Problem: 429, the key has sent too many in this minute, or too many of its files wait;
                503, too many are queued.
        """
        settings = self.settings
        admission = self.tickets.admit(owner)
        if admission.sent > settings.rate:
            raise Problem(
                429,
                "too many requests",
                f"A key may send {settings.rate} files a minute.",
                {"Retry-After": str(admission.minute_left_s)},
            )
        if owner and admission.open >= settings.max_queue_per_key:
            raise Problem(
                429,
                "too many open",
                f"A key may have {settings.max_queue_per_key} files that are not done.",
                {"Retry-After": "10"},
            )
        if admission.queued >= settings.max_queue:
            detail = "Too many files are queued. Send it later."
            raise Problem(503, "queue full", detail, {"Retry-After": "10"})

    def form(self, form: Received, owner: str, key: str) -> list[Ticket | Refused]:
        """Make a ticket of each file of a form, whose first file was admitted.

        Args:
            form: the files, which are moved into the store or deleted, and the fields with them.
            owner: name of the API key that sent it; empty without keys.
            key: the `Idempotency-Key`, or empty.

        Returns:
            For each file a new ticket, which is queued, or the earlier one of the same key, or why
            it is refused.

        Raises:
            Problem: 403, 409, 422, 503 or 507; of a form with one file, also why it is refused.
        """
        try:
            return self._form(form, owner, key)
        finally:
            form.discard()

    def _form(self, form: Received, owner: str, key: str) -> list[Ticket | Refused]:
        uploads = form.uploads()
        chosen = self._chosen(read_choices(form.fields))
        if len(uploads) == 1:
            return [self._upload(uploads[0], chosen, owner, key)]
        made: list[Ticket | Refused] = []
        for number, upload in enumerate(uploads):
            try:
                if number:
                    self.admit(owner)
                made.append(self._upload(upload, chosen, owner, key and f"{key}/{number}"))
            except Problem as problem:
                made.append(Refused(upload.name, problem))
        return made

    def _upload(self, upload: Upload, chosen: Mapping[str, Any], owner: str, key: str) -> Ticket:
        """Make a ticket of one file; raises as `form`."""
        if upload.problem is not None:
            raise upload.problem
        ticket_id = new_id()
        ticket = Ticket(
            ticket_id,
            upload.name,
            upload_key(ticket_id),
            upload.size_bytes,
            upload.sha256,
            owner=owner,
            named=_key_name(owner, key),
            same=f"{owner}:{upload.sha256}:{chosen['digest']}",
            **chosen,
        )
        if earlier := self._named(ticket):
            return earlier
        try:
            self.store.put(ticket.source, upload.path)
        except StoreError as error:
            raise no_room() from error
        return self._queue(ticket)

    def named(self, text: bytes, owner: str, key: str, defaults: Mapping[str, str]) -> Ticket:
        """Make a ticket of JSON that names a source and holds the options; otherwise as `form`.

        Args:
            text: the JSON.
            owner: name of the API key that sent it; empty without keys.
            key: the `Idempotency-Key`, or empty.
            defaults: options that count where the JSON does not have them.

        Raises:
            Problem: 400, 403, 409, 422 or 503.
        """
        named = read_named(text, defaults)
        try:
            sources.locate(named.source, self.settings)
        except sources.SourceError as error:
            raise Problem(403, "source not allowed", f"The source is refused: {error}.") from error
        # The content may change between two tickets, so no other ticket may have its records.
        ticket = Ticket(
            new_id(),
            file_name(named.source),
            named.source,
            owner=owner,
            named=_key_name(owner, key),
            **self._chosen(named),
        )
        return self._named(ticket) or self._queue(ticket)

    def _chosen(self, choices: Choices) -> dict[str, Any]:
        """Return the fields of a ticket that its client chooses."""
        if choices.webhook and not webhook.is_url(choices.webhook):
            what = "not an http or https URL in printable ASCII without blanks"
            raise invalid([{"loc": ("body", "webhook"), "msg": what}])
        if choices.webhook and not webhook.is_allowed(choices.webhook, self.settings):
            detail = "This service sends webhooks only to the hosts that its operator allows."
            raise Problem(403, "webhook not allowed", detail)
        options = {name: str(value) for name in CHOSEN if (value := getattr(choices, name))}
        try:
            digest = self._digest(options)
        except (EngineUnavailableError, UsageError) as error:
            raise invalid([{"loc": ("body", "engine"), "msg": str(error)}]) from error
        passwords, hook = tuple(choices.password), choices.webhook
        return {"digest": digest, "options": options, "passwords": passwords, "webhook": hook}

    def _digest(self, options: Mapping[str, str]) -> str:
        """Return the options digest; the engines stay the same as long as the program runs."""
        key = tuple(options.get(name, "") for name in CHOSEN)
        if key not in self._digests:
            chosen = self.settings.options_for(options)
            if chosen.engine.count(",") >= _MOST_ENGINES:
                raise UsageError(f"at most {_MOST_ENGINES} engines are tried.")
            if len(self._digests) >= _MOST_DIGESTS:
                self._digests.clear()
            self._digests[key] = find_tools(chosen).digest(chosen)
        return self._digests[key]

    def _queue(self, ticket: Ticket) -> Ticket:
        """Add a ticket and queue it, unless another got its name meanwhile, which is returned."""
        try:
            # The name is taken first: a request with the same key waits until the ticket is there.
            if ticket.named and (earlier := self._first(ticket)):
                self._undo(ticket, "")
                return earlier
            added = self.tickets.add(ticket)
            queue.send(self.app, ticket.id)
        except (OperationalError, RedisError) as error:
            self._undo(ticket, ticket.named)
            raise unavailable("The queue does not answer.") from error
        except Problem:
            self._undo(ticket, "")
            raise
        return added

    def _first(self, ticket: Ticket) -> Ticket | None:
        """Return the ticket that got a name first; None if it is this one."""
        deadline_s = time.monotonic() + _IN_BETWEEN_S
        while self.tickets.remember(ticket.named, ticket.id) != ticket.id:
            if earlier := self._named(ticket):
                return earlier
            if time.monotonic() > deadline_s:  # whoever has the name died before it added a ticket
                self.tickets.unname(ticket.named)
            time.sleep(0.05)
        return None

    def _named(self, ticket: Ticket) -> Ticket | None:
        """Return the ticket that an idempotency key stands for; None if it is not added yet."""
        earlier = self.tickets.recall(ticket.named) if ticket.named else None
        if earlier and _content(earlier) != _content(ticket):
            raise Problem(409, "key used", "This Idempotency-Key came with another content before.")
        return earlier

    def _undo(self, ticket: Ticket, name: str) -> None:
        """Leave nothing of a ticket that was not queued."""
        if ticket.source == upload_key(ticket.id):
            self.store.delete(ticket.source)
        try:
            self.tickets.forget(ticket.id)
            if name:
                self.tickets.unname(name)
        except RedisError:
            return  # no message was sent for it; a worker finds it, or that its file is gone


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


def read_named(text: bytes, defaults: Mapping[str, str]) -> Named:
    """Read a source and its options from JSON; `defaults` are options that it may lack.

    Raises:
        Problem: 400, the text is not JSON; 422, it does not fit.
    """
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise Problem(400, "no JSON", "The body is not JSON in UTF-8.") from None
    try:
        return Named.model_validate({**defaults, **given} if isinstance(given, dict) else given)
    except ValidationError as error:
        raise invalid(error.errors()) from error


def _content(ticket: Ticket) -> tuple[str, str]:
    """Return what two tickets have in common if they may share an idempotency key."""
    is_upload = ticket.source == upload_key(ticket.id)
    return ticket.sha256 if is_upload else ticket.source, ticket.digest


def _key_name(owner: str, key: str) -> str:
    """Return the name that a ticket is remembered by for an idempotency key; empty without one."""
    return f"{owner}:key:{hashlib.sha256(key.encode()).hexdigest()}" if key else ""
