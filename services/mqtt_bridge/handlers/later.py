"""Kinds that this backend does not serve yet: the watch keeps them and is told to come again, never to drop them."""

from __future__ import annotations

from services.mqtt_bridge.handlers.registry import Frame, handles
from services.mqtt_bridge.replies import Reply, receipt, retry_receipt
from services.protocol import limits
from services.protocol.codec import decode_json, decode_locations
from services.protocol.location import Location
from services.protocol.split import split_receipts
from services.protocol.topics import Identity, UplinkKind
from services.protocol.uplink import Alert
from services.protocol.words import ReceiptCode


@handles(UplinkKind.ALERT, who=Identity.PAIRED)
async def leave_alert(frame: Frame) -> list[Reply]:
    """Answer an alert with ``retry``; a malformed one is rejected, as it will be when it is served."""
    alert = decode_json(frame.payload, Alert)
    return [receipt(frame.user, retry_receipt(alert.id, limits.RETRY_AFTER_DEFAULT_S))]


@handles(UplinkKind.LOCATION, who=Identity.PAIRED)
async def leave_array(frame: Frame) -> list[Reply]:
    """Answer one record or an array of them with ``retry``; what has no id gets no receipt."""
    batch = decode_locations(frame.payload)
    refs = [entry.id for entry in batch.entries if isinstance(entry, Location) and entry.id is not None]
    return [
        receipt(frame.user, one.model_copy(update={"retry_after_s": limits.RETRY_AFTER_DEFAULT_S} if one.refs else {}))
        for one in split_receipts(refs, batch.rejected, limits.MAX_PAYLOAD_FLOOR_BYTES, code=ReceiptCode.RETRY)
    ]
