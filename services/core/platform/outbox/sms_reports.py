"""Delivery reports of providers: where they are sent, and how each is authenticated. Pure.

Sources: help.aliyun.com, "SmsReport" (HTTP batch push, a JSON array, no signature); developers.esms.vn, "Callback Url"
(GET, no signature); twilio.com/docs, "Track the Message Status of Outbound Messages" and "Validating requests"
(X-Twilio-Signature). Every address holds a secret, since some providers sign nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from services.core.platform.crypto.vault import Vault

REPORTS_PATH: Final = "/v1/sms-reports"
# The providers that report; the others have to be asked.
REPORTING: Final = ("aliyun", "esms", "twilio", "webhook")
_SECRET_HEX: Final = 40
# A signed report that is older, or further ahead, is a replay or a wrong clock.
_AGE_MAX: Final = timedelta(minutes=5)


def report_secret(vault: Vault, provider: str) -> str:
    """Return the secret part of a provider's address: 160 bits, another one for each provider."""
    return vault.keyed_hash(provider, "sms-report").hex()[:_SECRET_HEX]


def report_address(public_url: str, vault: Vault, provider: str) -> str:
    """Return the address that a provider reports to."""
    return f"{public_url.rstrip('/')}{REPORTS_PATH}/{provider}/{report_secret(vault, provider)}"


def is_report_secret(vault: Vault, provider: str, offered: str) -> bool:
    """Return whether the secret in an address is that of this provider, in constant time."""
    return hmac.compare_digest(report_secret(vault, provider).encode(), offered.encode())


def twilio_signature(auth_token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """Return what X-Twilio-Signature must be: base64 of HMAC-SHA1 over the URL and the sorted fields of the form."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(form))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def is_twilio_signature(auth_token: str, url: str, form: Iterable[tuple[str, str]], offered: str) -> bool:
    """Return whether Twilio signed this request; an empty token signs nothing."""
    expected = twilio_signature(auth_token, url, form)
    return bool(auth_token) and hmac.compare_digest(expected.encode(), offered.encode())


def is_webhook_signature(secret: str, body: bytes, headers: Mapping[str, str], now: datetime) -> bool:
    """Return whether the gateway signed this body within the last five minutes, as it is signed towards the gateway."""
    stamp = headers.get("smartwatch-timestamp", "")
    if not secret or not stamp.isascii() or not stamp.isdigit() or len(stamp) > len("9999999999"):
        return False
    if abs(now.timestamp() - int(stamp)) > _AGE_MAX.total_seconds():
        return False
    signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v1={signature}".encode(), headers.get("smartwatch-signature", "").encode())
