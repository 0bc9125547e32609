"""Kinds that this backend does not serve yet: the watch keeps them and is told to come again, never to drop them."""

from __future__ import annotations

from services.mqtt_bridge.handlers.registry import Frame, handles
from services.mqtt_bridge.replies import Reply, receipt
from services.protocol import limits
from services.protocol.codec import Batch, decode_locations, decode_usage
from services.protocol.location import Location
from services.protocol.split import split_receipts
from services.protocol.topics import Identity, UplinkKind
from services.protocol.uplink import Usage
from services.protocol.words import ReceiptCode


@handles(UplinkKind.LOCATION, UplinkKind.USAGE, who=Identity.PAIRED)
async def leave_array(frame: Frame) -> list[Reply]:
    """Answer one record or an array of them with ``retry``; what has no id gets no receipt."""
    batch: Batch[Location] | Batch[Usage]
    if frame.topic.kind is UplinkKind.USAGE:
        batch = decode_usage(frame.payload)
    else:
        found = decode_locations(frame.payload)
        batch = Batch([entry for entry in found.entries if isinstance(entry, Location)], found.rejected)
    refs = [entry.id for entry in batch.entries if entry.id is not None]
    return [
        receipt(frame.user, one.model_copy(update={"retry_after_s": limits.RETRY_AFTER_DEFAULT_S} if one.refs else {}))
        for one in split_receipts(refs, batch.rejected, limits.MAX_PAYLOAD_FLOOR_BYTES, code=ReceiptCode.RETRY)
    ]
