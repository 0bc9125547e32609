"""From the replies to an uplink to the trace of its watch: hellos, refusals with their reason, put-offs. No content."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from services.core.devices.traces.buffer import TraceBuffer
from services.core.devices.traces.rules import Seen
from services.protocol.topics import DownlinkKind, MalformedTopic, UnknownKind, Uplink, UplinkKind, User, downlink
from services.protocol.words import ReceiptCode
from services.watch_link.replies import Reply

# Reasons are words of the contract; whatever else stood there would not be ours.
_WORD: Final = re.compile(r"[a-z0-9_]{1,32}")
_GREETINGS: Final = {UplinkKind.HELLO, UplinkKind.PAIRING}


def trace_replies(
    trace: TraceBuffer | None, topic: Uplink | UnknownKind | MalformedTopic, replies: Sequence[Reply]
) -> None:
    """Note what was answered to an uplink of a traced watch; for any other one nothing is read."""
    if trace is None or topic.user is None or not trace.is_traced(topic.user.name):
        return
    user, kind = topic.user, topic.kind.value if isinstance(topic, Uplink) else "unknown_topic"
    receipts = [receipt for reply in replies if (receipt := _receipt_in(reply, user)) is not None]
    refusals = [reason for receipt in receipts for reason in _refusals(receipt)]
    for reason in refusals:
        trace.note(user.name, Seen.REFUSED, f"{kind} {reason}")
    if any(receipt.get("code") == ReceiptCode.RETRY for receipt in receipts):
        trace.note(user.name, Seen.PUT_OFF, kind)
    elif not refusals and isinstance(topic, Uplink) and topic.kind in _GREETINGS:
        trace.note(user.name, Seen.HELLO, "" if topic.kind is UplinkKind.HELLO else kind)
    elif not refusals and trace.traces_receipts:
        for receipt in receipts:
            if _WORD.fullmatch(code := str(receipt.get("code"))):
                trace.note(user.name, Seen.RECEIPT, f"{kind} {code}")


def _receipt_in(reply: Reply, user: User) -> dict[str, Any] | None:
    """Return a receipt as far as it is traced; None for another reply."""
    if reply.code is not None:
        return {"code": reply.code}
    is_receipt = reply.topic == downlink(user, DownlinkKind.RECEIPT)
    return dict(json.loads(reply.payload)) if is_receipt else None


def _refusals(receipt: dict[str, Any]) -> list[str]:
    refused = [*(receipt.get("rejected") or [])]
    # An array is refused entry by entry, and then has no reason of its own.
    if receipt.get("code") == ReceiptCode.REJECTED and not refused:
        refused.append(receipt)
    return [reason if _WORD.fullmatch(reason := str(refusal.get("detail"))) else "other" for refusal in refused]
