"""Webhooks: the end of a ticket, told to a host that the operator allows, and signed.

    ticket ends ─▶ due, in Redis ─▶ a worker tells ─▶ delivered
                        ▲                 │
                        └── later again ──┘           or failed, after `_TRIES`

Owns which addresses are allowed, how one is told, and when again. That a webhook is due is noted in
the step that ends its ticket, and taken back when it is told, so a worker that dies between the two
loses none. Each worker has threads of its own for this, so a host that hangs costs no lane.

Messages of Celery with a date would be kept in the memory of whichever worker took them, and be
delivered again whenever that is longer than the visibility timeout of Redis.

The signature is that of Standard Webhooks (https://www.standardwebhooks.com), for which there are
libraries: it covers the time, so that an old message cannot be sent again by somebody else.
"""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
from redis.exceptions import RedisError

from pdfingest.service.settings import Settings
from pdfingest.service.ticket import Ticket, Told
from pdfingest.service.tickets import Tickets

_TIMEOUT_S = 10.0
"""Seconds that a host may take for each step: to connect, to read, to answer."""
_HELD_S = 90.0
"""Seconds for which nobody else tells a webhook that somebody is telling; more than that takes."""
_TRIES = 8
_FIRST_PAUSE_S, _FACTOR = 5.0, 4.0
"""5 s, 20 s, 80 s, … after each try: the last is 7.6 hours after the end of the ticket."""
_THREADS = 8
"""Hosts that a worker tells at the same time."""
_ERROR_CHARS = 200
_SHAPE = re.compile(r"https?://[!-~]+", re.ASCII)
"""Printable ASCII without blanks: what a request line can carry (RFC 9112, 3.2)."""
_SECRET = "whsec_"  # noqa: S105 - the prefix by which Standard Webhooks marks Base64
_log = logging.getLogger("pdfingest.worker")


def is_url(text: str) -> bool:
    """Tell whether a text is a URL of a webhook that could be reached as it is spelled."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises where it is not a number
    except ValueError:
        return False
    return bool(_SHAPE.fullmatch(text) and parts.hostname and "\\" not in text)


def is_allowed(url: str, settings: Settings) -> bool:
    """Tell whether a ticket may have this URL as its webhook."""
    return is_url(url) and urlsplit(url).netloc in settings.hosts


def signature(secret: str, message_id: str, at_s: int, body: bytes) -> str:
    """Sign a message as Standard Webhooks says.

    Args:
        secret: the key, as text, or in Base64 behind `whsec_`.
        message_id: header `webhook-id`.
        at_s: header `webhook-timestamp`, in seconds since the epoch.
        body: the body.

    Returns:
        The header `webhook-signature`.
    """
    signed = hmac.new(_key(secret), b"%s.%d.%s" % (message_id.encode(), at_s, body), hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def _key(secret: str) -> bytes:
    if secret.startswith(_SECRET):
        try:
            return base64.b64decode(secret.removeprefix(_SECRET), validate=True)
        except binascii.Error:
            pass  # it is a text that begins so
    return secret.encode()


class Webhooks:
    """Tells webhooks that are due. `tell_due` is called again and again, by one thread.

    Args:
        settings: the allowed hosts and the secret.
        tickets: all tickets.
    """

    def __init__(self, settings: Settings, tickets: Tickets) -> None:
        self._settings, self._tickets = settings, tickets
        self._threads = ThreadPoolExecutor(_THREADS, "webhook")
        self._free = threading.Semaphore(_THREADS)
        self._client = httpx.Client(
            timeout=_TIMEOUT_S,
            follow_redirects=False,  # an allowed host must not lead to one that is not
            trust_env=False,
        )

    def tell_due(self) -> None:
        """Begin to tell as many webhooks as there are threads free; raises `RedisError`."""
        for ticket_id in self._tickets.due_webhooks(_THREADS):
            if not self._free.acquire(blocking=False):
                return
            self._threads.submit(self._tell, ticket_id)

    def close(self) -> None:
        """Stop telling; what is under way is due again later."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _tell(self, ticket_id: str) -> None:
        """Tell one webhook, unless somebody else does. Runs in a thread of its own."""
        try:
            number = self._tickets.tell(ticket_id, _HELD_S)
            ticket = self._tickets.get(ticket_id) if number else None
            if ticket is not None:
                error = self._post(ticket)
                pause_s = _FIRST_PAUSE_S * _FACTOR ** (number - 1)
                told = Told.DELIVERED if not error else Told.PENDING
                if error and number >= _TRIES:
                    told = Told.FAILED
                    _log.warning("webhook of %s: given up: %s", ticket_id, error)
                self._tickets.told(ticket_id, told, error, pause_s)
        except RedisError as redis_error:  # it is due again when nobody has noted its end
            _log.warning("webhook of %s: %s", ticket_id, redis_error)
        finally:
            self._free.release()

    def _post(self, ticket: Ticket) -> str:
        """Send the message; returns what went wrong, or an empty text."""
        if not is_allowed(ticket.webhook, self._settings):  # the settings may have changed
            return "its host is not among PDFINGEST_WEBHOOK_HOSTS any more"
        document = {"id": ticket.id, "state": ticket.state.value, "report": ticket.report}
        body, now_s = json.dumps(document).encode(), int(time.time())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": ticket.id,
            "webhook-timestamp": str(now_s),
            "webhook-signature": signature(self._settings.webhook_secret, ticket.id, now_s, body),
        }
        try:
            # Of the answer only its status counts; a body without end is not read.
            with self._client.stream("POST", ticket.webhook, content=body, headers=headers) as got:
                return "" if got.is_success else f"it answered {got.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return f"{type(error).__name__}: {error}"[:_ERROR_CHARS]
