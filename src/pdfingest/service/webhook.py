"""Webhook: the end of a job, told to a host that was allowed, and signed."""

import hashlib
import hmac
import json
import time
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from pdfingest.service.settings import Settings

_TIMEOUT_S = 5.0
_TRIES = 3
SIGNATURE = "X-Pdfingest-Signature"
"""`sha256=` and the HMAC-SHA256 of the body in hex."""


def is_allowed(url: str, settings: Settings) -> bool:
    """Whether a job may name this address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc in settings.hosts


def tell(url: str, document: Mapping[str, Any], settings: Settings) -> bool:
    """Send a document; False if nobody takes it in three tries.

    Args:
        url: where to; checked again, for the settings may have changed since the job came.
        document: what to tell.
        settings: allowed hosts and the secret.
    """
    if not is_allowed(url, settings):
        return False
    body = json.dumps(document).encode()
    signed = hmac.new(settings.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={signed}"}
    opener = urllib.request.build_opener(_NoRedirect)
    for number in range(_TRIES):
        time.sleep(number)
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - http or https, checked
        with suppress(OSError), opener.open(request, timeout=_TIMEOUT_S) as answer:
            return bool(200 <= answer.status < 300)  # noqa: PLR2004 - success
    return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An allowed host must not send us to one that is not."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none."""
