"""Passwords with which the backend takes a revoked watch's session over: for one user, one use, five seconds.

Any process that has the hash key makes and checks them; nothing is stored but the mark of the use.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Final

from services.core.platform.crypto.vault import Vault

VALID_FOR: Final = timedelta(seconds=5)
# The clocks of two machines differ by so much at most.
_SKEW: Final = timedelta(seconds=1)
_PURPOSE: Final = "broker-kick"
_FORM: Final = re.compile(r"kick\.(?P<until_ms>\d{13})\.(?P<nonce>[0-9a-f]{32})\.(?P<mark>[0-9a-f]{64})")


def make_kick_password(vault: Vault, username: str, now: datetime) -> str:
    """Return a password that is valid for this user for five seconds."""
    until_ms = int((now + VALID_FOR).timestamp() * 1000)
    nonce = secrets.token_hex(16)
    return f"kick.{until_ms}.{nonce}.{_mark(vault, username, until_ms, nonce)}"


def kick_nonce(vault: Vault, username: str, password: str, now: datetime) -> str | None:
    """Return the nonce of a kick password that is valid now for this user, None for any other password.

    The caller accepts each nonce once.
    """
    parts = _FORM.fullmatch(password)
    if parts is None:
        return None
    until_ms = int(parts["until_ms"])
    if not hmac.compare_digest(parts["mark"], _mark(vault, username, until_ms, parts["nonce"])):
        return None
    left = timedelta(milliseconds=until_ms) - timedelta(seconds=now.timestamp())
    return parts["nonce"] if timedelta(0) < left <= VALID_FOR + _SKEW else None


def _mark(vault: Vault, username: str, until_ms: int, nonce: str) -> str:
    return vault.keyed_hash(f"{username}/{until_ms}/{nonce}", _PURPOSE).hex()
