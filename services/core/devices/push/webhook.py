"""Webhooks: signed notes, which the receiver can authenticate and date. Pure."""

from __future__ import annotations

import hashlib
import hmac


def signed_headers(secret: str, note: bytes, at_tst: int) -> dict[str, str]:
    """Return the headers that authenticate a note: its time, and HMAC-SHA-256 over ``<time>.<note>``.

    A receiver compares the signature and rejects notes older than some minutes.
    """
    signature = hmac.new(secret.encode(), f"{at_tst}.".encode() + note, hashlib.sha256).hexdigest()
    return {"SmartWatch-Timestamp": str(at_tst), "SmartWatch-Signature": f"v1={signature}"}
