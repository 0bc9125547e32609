"""Webhooks: a note that its receiver can know to be ours, and to be new. Pure."""

from __future__ import annotations

import hashlib
import hmac


def signed_headers(secret: str, note: bytes, at_tst: int) -> dict[str, str]:
    """Return the headers that prove a note: when it was signed, and HMAC-SHA-256 over ``<when>.<note>``.

    A receiver compares the signature and refuses what is older than some minutes.
    """
    signature = hmac.new(secret.encode(), f"{at_tst}.".encode() + note, hashlib.sha256).hexdigest()
    return {"SmartWatch-Timestamp": str(at_tst), "SmartWatch-Signature": f"v1={signature}"}
