"""Webhooks: the end of a ticket, told to a host that the operator allows, and signed."""

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
"""Header with `sha256=` and the HMAC-SHA256 of the body in hex."""


def is_allowed(url: str, settings: Settings) -> bool:
    """Tell whether a ticket may have this URL as its webhook."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc in settings.hosts


def tell(url: str, document: Mapping[str, Any], settings: Settings) -> None:
    """Send a document, in three tries if need be; whether anybody takes it changes nothing.

    Args:
        url: the webhook; checked again, as the settings may have changed since it was taken.
        document: what to tell.
        settings: the allowed hosts and the secret.
    """
    if not is_allowed(url, settings):
        return
    body = json.dumps(document).encode()
    signed = hmac.new(settings.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"Content-Type": "application/json", SIGNATURE: f"sha256={signed}"}
    opener = urllib.request.build_opener(_NoRedirect)
    for number in range(_TRIES):
        time.sleep(number)
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - http or https, checked
        with suppress(OSError), opener.open(request, timeout=_TIMEOUT_S):  # raises unless 2xx
            return


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, as an allowed host must not lead to one that is not."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Return no request to follow, so that the answer raises."""
