"""Uplinks of places: fixes one by one or in arrays, of many watches at once; what else the OwnTracks app sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.core.location.checkins.actions import ReceivedFix, receive_fixes
from services.core.location.geometry import Point
from services.core.platform.idempotency.actions import Answer
from services.protocol import limits
from services.protocol.codec import decode_locations, fingerprint, is_array, receipt_for_error
from services.protocol.downlink import RejectedEntry
from services.protocol.errors import ProtocolError
from services.protocol.location import Location
from services.protocol.split import split_receipts
from services.protocol.topics import Identity, UplinkKind, uplink
from services.protocol.words import ReceiptCode
from services.watch_link.handlers.messages import answer_receipt
from services.watch_link.registry import Frame, handles_together
from services.watch_link.replies import Reply, receipt


@dataclass
class _Read:
    """A frame as it was read: the fixes in it, what was refused, or the one answer to all of it."""

    frame: Frame
    locations: list[Location] = field(default_factory=list)
    rejected: list[RejectedEntry] = field(default_factory=list)
    refused: list[Reply] | None = None


@handles_together(UplinkKind.LOCATION, who=Identity.PAIRED)
async def take_locations(frames: Sequence[Frame]) -> list[list[Reply]]:
    """Take ``up/location`` of any number of watches in one commit; a bad entry costs no other.

    What has no id (the OwnTracks app) gets no receipt, and of its other objects nothing is kept.
    """
    read = [_read(frame) for frame in frames]
    fixes = [_sent(one.frame, location) for one in read for location in one.locations]
    answers: list[Answer] = []
    if fixes:
        async with frames[0].database.begin() as work:
            answers = await receive_fixes(work, fixes)
    replies = []
    for one in read:
        of_frame, answers = answers[: len(one.locations)], answers[len(one.locations) :]
        replies.append(_replies(one, of_frame) if one.refused is None else one.refused)
    return replies


def _read(frame: Frame) -> _Read:
    try:
        batch = decode_locations(frame.payload)
    except ProtocolError as error:
        topic = uplink(frame.user, UplinkKind.LOCATION)
        return _Read(frame, refused=[receipt(frame.user, receipt_for_error(error, topic))])
    return _Read(frame, [entry for entry in batch.entries if isinstance(entry, Location)], batch.rejected)


def _sent(frame: Frame, location: Location) -> ReceivedFix:
    return ReceivedFix(
        username=frame.user.name,
        ref=location.id,
        point=Point(location.lat, location.lon),
        accuracy_m=location.acc,
        altitude_m=location.alt,
        source=None if location.source is None else str(location.source),
        tst=location.tst,
        boot=location.boot,
        mono_s=location.mono_s,
        fingerprint=fingerprint(location),
        reply_to=location.reply_to,
        battery_pct=location.batt,
    )


def _replies(read: _Read, answers: Sequence[Answer]) -> list[Reply]:
    user = read.frame.user
    told = [
        (location.id, answer)
        for location, answer in zip(read.locations, answers, strict=True)
        if location.id is not None
    ]
    if not is_array(read.frame.payload):
        return [receipt(user, answer_receipt(ref, answer)) for ref, answer in told]
    rejected = [
        *read.rejected,
        *(RejectedEntry(ref=ref, detail=answer.detail or "") for ref, answer in told if answer.code == "rejected"),
    ]
    stored = [ref for ref, answer in told if answer.code == "stored"]
    again = [ref for ref, answer in told if answer.code == "duplicate"]
    return [
        receipt(user, one)
        for one in (
            *(split_receipts(stored, rejected, limits.MAX_PAYLOAD_FLOOR_BYTES)),
            *(split_receipts(again, [], limits.MAX_PAYLOAD_FLOOR_BYTES, ReceiptCode.DUPLICATE)),
        )
    ]
