"""Replies of handlers: messages on the down topics of the watch."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.platform.metrics.registry import counter
from services.protocol.codec import encode, encode_short_receipt
from services.protocol.downlink import Receipt
from services.protocol.fields import WireMessage
from services.protocol.topics import DownlinkKind, User, downlink
from services.protocol.words import ReceiptCode

_RECEIPTS = counter("receipts", "Receipts made for watches, by code.", code=[code.value for code in ReceiptCode])


@dataclass(frozen=True, slots=True)
class Reply:
    """A message for one watch; ``code`` is that of a short receipt, so that nobody reads it from the payload."""

    topic: str
    payload: bytes
    code: str | None = None


def reply(user: User, kind: DownlinkKind, message: WireMessage, ref: str | None = None) -> Reply:
    """Return ``message`` on the user's topic of this kind."""
    return Reply(downlink(user, kind, ref), encode(message))


def receipt(user: User, message: Receipt) -> Reply:
    """Return a receipt on the user's topic."""
    _RECEIPTS.count(code=message.code)
    return reply(user, DownlinkKind.RECEIPT, message)


def short_receipt(user: User, code: str, ref: str) -> Reply:
    """Return the receipt of a code and a valid id, without a detail: that of nearly every uplink."""
    _RECEIPTS.count(code=code)
    return Reply(downlink(user, DownlinkKind.RECEIPT), encode_short_receipt(code, ref), code)


def retry_receipt(ref: str | None, retry_after_s: int, topic: str | None = None) -> Receipt:
    """Return the receipt `retry`: the watch keeps the message and sends it again after the wait."""
    return Receipt(code=ReceiptCode.RETRY, ref=ref, topic=topic if ref is None else None, retry_after_s=retry_after_s)
