"""Time-based one-time passwords of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 seconds). Pure."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP_S: Final = 30
_DIGITS: Final = 6
# RFC 4226 section 4 recommends 160 bits.
_SECRET_BYTES: Final = 20
_ISSUER: Final = "SmartWatch"


def new_totp_secret() -> bytes:
    """Return a random secret."""
    return secrets.token_bytes(_SECRET_BYTES)


def otpauth_url(secret: bytes, account: str) -> str:
    """Return the content of the set-up QR code."""
    return _totp(secret).get_provisioning_uri(account, _ISSUER)


def step_of(now: datetime) -> int:
    """Return the number of the 30-second step that contains ``now``."""
    return int(now.timestamp()) // STEP_S


def code_of(secret: bytes, step: int) -> str:
    """Return the code that the app shows during a step."""
    return _totp(secret).generate(step * STEP_S).decode()


def matching_step(secret: bytes, code: str, now: datetime, used_step: int | None) -> int | None:
    """Return the step of a code, current or adjacent for clock differences, if later than ``used_step``; else None."""
    matching = [
        step
        for step in range(step_of(now) - 1, step_of(now) + 2)
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode())
    ]
    fresh = [step for step in matching if used_step is None or step > used_step]
    return fresh[0] if fresh else None


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, _DIGITS, SHA1(), STEP_S)  # noqa: S303 - RFC 6238 as every app has it
