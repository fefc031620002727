"""Webhooks: only what the service signed, just now, is taken for its word."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable

import pytest

from pdfingest.client import ClientError, WebhookError, verify_webhook

SECRET = "a secret"
BODY = json.dumps({"id": "j1", "state": "done"}).encode()


def signed(
    body: bytes = BODY, key: bytes = SECRET.encode(), at: object = None, name: str = "j1"
) -> dict[str, str]:
    at = int(time.time()) if at is None else at
    digest = hmac.new(key, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def test_what_the_service_signed_is_its_document() -> None:
    assert verify_webhook(BODY, signed(), SECRET) == {"id": "j1", "state": "done"}


def test_the_example_of_the_standard_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of https://github.com/standard-webhooks/standard-webhooks, as its libraries test themselves.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    body = b'{"test": 2432232314}'
    monkeypatch.setattr(time, "time", lambda: 1614265330.0 + 10)
    assert verify_webhook(body, headers, secret) == {"test": 2432232314}
    with pytest.raises(WebhookError):
        verify_webhook(body, headers, secret.removeprefix("whsec_"))


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed()
    right = headers["webhook-signature"]
    other = signed(key=b"the next secret")["webhook-signature"]
    for given in (f"{other} {right}", f"v1a,xyz {right} {other}"):
        assert verify_webhook(BODY, {**headers, "webhook-signature": given}, SECRET)


Tamper = Callable[[dict[str, str]], dict[str, str]]


@pytest.mark.parametrize(
    "tamper",
    [
        lambda h: {**h, "webhook-id": "j2"},
        lambda h: {**h, "webhook-timestamp": str(int(h["webhook-timestamp"]) + 1)},
        lambda h: {**h, "webhook-signature": signed(key=b"another")["webhook-signature"]},
        lambda h: {**h, "webhook-signature": h["webhook-signature"].removeprefix("v1,")},
        lambda h: {**h, "webhook-signature": h["webhook-signature"].replace("v1,", "v2,")},
        lambda h: {**h, "webhook-signature": h["webhook-signature"][:-2]},
        lambda h: {**h, "webhook-signature": "v1,"},
        lambda h: {**h, "webhook-signature": "v1,ü\udcff"},
        lambda h: {**h, "webhook-signature": ""},
        lambda h: {k: v for k, v in h.items() if k != "webhook-id"},
        lambda h: {k: v for k, v in h.items() if k != "webhook-timestamp"},
        lambda h: {k: v for k, v in h.items() if k != "webhook-signature"},
        lambda _: {},
    ],
)
def test_headers_that_were_changed_are_refused(tamper: Tamper) -> None:
    with pytest.raises(WebhookError):
        verify_webhook(BODY, tamper(signed()), SECRET)


@pytest.mark.parametrize("body", [BODY + b" ", BODY.replace(b"done", b"dine"), b""])
def test_a_body_that_was_changed_is_refused(body: bytes) -> None:
    with pytest.raises(WebhookError, match="wrong signature"):
        verify_webhook(body, signed(), SECRET)


@pytest.mark.parametrize(
    ("away_s", "taken"), [(-310, False), (-290, True), (290, True), (310, False)]
)
def test_an_old_or_a_future_webhook_is_refused(away_s: int, taken: bool) -> None:
    headers = signed(at=int(time.time()) + away_s)
    if taken:
        assert verify_webhook(BODY, headers, SECRET)
    else:
        with pytest.raises(WebhookError, match="wrong time"):
            verify_webhook(BODY, headers, SECRET)
    assert verify_webhook(BODY, headers, SECRET, tolerance_s=400)


@pytest.mark.parametrize("at", ["", "1e9", "nan", "-1", "١٢٣", " 1", "0x1"])
def test_a_signed_time_that_is_no_number_is_refused(at: str) -> None:
    with pytest.raises(WebhookError, match="wrong time"):
        verify_webhook(BODY, signed(at=at), SECRET, tolerance_s=1e99)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_???"])
def test_an_empty_or_broken_secret_is_a_mistake_of_the_receiver(secret: str) -> None:
    with pytest.raises(ValueError, match=r"secret|Base64|base64|alphabet|non-base64"):
        verify_webhook(BODY, signed(key=b""), secret)


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff"])
def test_a_signed_body_that_is_no_object_is_an_error(body: bytes) -> None:
    with pytest.raises(ClientError):
        verify_webhook(body, signed(body), SECRET)
