"""Kinds that this backend does not serve yet: the watch keeps them and is told to come again, never to drop them."""

from __future__ import annotations

from services.mqtt_bridge.handlers.registry import Frame, handles
from services.mqtt_bridge.replies import Reply, receipt
from services.protocol import limits
from services.protocol.codec import decode_usage
from services.protocol.split import split_receipts
from services.protocol.topics import Identity, UplinkKind
from services.protocol.words import ReceiptCode


@handles(UplinkKind.USAGE, who=Identity.PAIRED)
async def leave_usage(frame: Frame) -> list[Reply]:
    """Answer one record or an array of them with ``retry``."""
    batch = decode_usage(frame.payload)
    return [
        receipt(frame.user, one.model_copy(update={"retry_after_s": limits.RETRY_AFTER_DEFAULT_S} if one.refs else {}))
        for one in split_receipts(
            [entry.id for entry in batch.entries], batch.rejected, limits.MAX_PAYLOAD_FLOOR_BYTES, ReceiptCode.RETRY
        )
    ]
