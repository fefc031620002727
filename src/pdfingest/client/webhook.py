"""Webhooks as their receiver sees them: verified by Standard Webhooks, then parsed.

Owns the check of a signature (https://www.standardwebhooks.com). Needs the standard library alone.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from pdfingest.client.errors import WebhookError
from pdfingest.client.jobs import mapping

_ENCODED = "whsec_"
"""Prefix of a secret whose rest is the key in Base64."""
_VERSION = "v1,"


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secret: str, tolerance_s: float = 300
) -> dict[str, Any]:
    """Check that a webhook comes from the service, and return the job document that it holds.

    A webhook may come twice. Its header `webhook-id`, the id of the job, tells.

    Args:
        body: the body as it came; one that was parsed and written anew is another.
        headers: the headers, in any case.
        secret: the secret that the service signs with, as text or in Base64 behind `whsec_`.
        tolerance_s: seconds that the clocks, and the way here, may account for.

    Raises:
        WebhookError: the webhook is not signed with this secret, or not at about this time.
        ValueError: the secret is empty, or not the Base64 that its prefix promises.
    """
    key = _key(secret)
    given = {name.lower(): value for name, value in headers.items()}
    try:
        name, at, signatures = (
            given[f"webhook-{each}"] for each in ("id", "timestamp", "signature")
        )
    except KeyError as error:
        raise WebhookError("not signed", f"the header {error} is missing.") from None
    signed = b"%s.%s.%s" % (_raw(name), _raw(at), body)
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # Several signatures, while secrets are exchanged. All are compared, each in constant time.
    matches = [
        hmac.compare_digest(expected, _raw(each.removeprefix(_VERSION)))
        for each in signatures.split()
        if each.startswith(_VERSION)
    ]
    if not any(matches):
        raise WebhookError("wrong signature", "it was not signed with this secret.")
    _check_time(at, tolerance_s)
    try:
        return mapping(json.loads(body))
    except ValueError as error:
        raise WebhookError("not JSON", "its signature is right, but its body is not.") from error


def _check_time(at: str, tolerance_s: float) -> None:
    if not (at.isascii() and at.isdigit()):
        raise WebhookError("wrong time", "its timestamp is not a number of seconds.")
    if abs(time.time() - int(at)) > tolerance_s:
        detail = f"its timestamp is more than {tolerance_s:g} s from now. Check the clocks."
        raise WebhookError("wrong time", detail)


def _key(secret: str) -> bytes:
    encoded = secret.startswith(_ENCODED)
    rest = secret.removeprefix(_ENCODED)
    key = base64.b64decode(rest, validate=True) if encoded else secret.encode()
    if not key:  # anybody could sign with that
        raise ValueError("the secret is empty. Give the one that the service has.")
    return key


def _raw(header: str) -> bytes:
    return header.encode("utf-8", "surrogatepass")
