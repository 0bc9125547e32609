"""Uplinks of counters: one report or an array of them, each answered by itself."""

from __future__ import annotations

from services.core.devices.watches.queries import standing_identity
from services.core.measurement.reports.actions import HEALTH, MEASURED, WatchReport, receive_reports
from services.protocol import limits
from services.protocol.codec import decode_usage, fingerprint
from services.protocol.downlink import RejectedEntry
from services.protocol.split import split_receipts
from services.protocol.topics import Identity, UplinkKind
from services.protocol.uplink import Usage
from services.protocol.words import Detail, ReceiptCode
from services.watch_link.handlers.messages import NOT_PAIRED, answer_receipt
from services.watch_link.registry import Frame, handles
from services.watch_link.replies import Reply, receipt


@handles(UplinkKind.USAGE, who=Identity.PAIRED)
async def take_usage(frame: Frame) -> list[Reply]:
    """Take ``up/usage``: every entry is stored, known or rejected by itself, and all that are taken commit together."""
    batch = decode_usage(frame.payload)
    room_bytes = limits.MAX_PAYLOAD_FLOOR_BYTES
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is None:
            answers = [NOT_PAIRED for _ in batch.entries]
        else:
            identity.last_seen_at = work.now
            room_bytes = int(identity.hello.get("max_payload_bytes", room_bytes))
            answers = await receive_reports(work, identity, [_report(entry) for entry in batch.entries])
    if frame.payload.lstrip()[:1] != b"[":
        return [receipt(frame.user, answer_receipt(entry.id, answers[0])) for entry in batch.entries]
    told = list(zip((entry.id for entry in batch.entries), answers, strict=True))
    refused = [
        RejectedEntry(ref=ref, detail=answer.detail or Detail.MALFORMED)
        for ref, answer in told
        if answer.code == ReceiptCode.REJECTED
    ]
    receipts = []
    for code, rejected in ((ReceiptCode.STORED, [*batch.rejected, *refused]), (ReceiptCode.DUPLICATE, [])):
        refs = [ref for ref, answer in told if answer.code == code]
        receipts += split_receipts(refs, rejected, room_bytes, code=code)
    return [receipt(frame.user, one) for one in receipts]


def _report(entry: Usage) -> WatchReport:
    counters = {name: getattr(entry, name) for name in HEALTH + MEASURED}
    return WatchReport(
        ref=entry.id, fingerprint=fingerprint(entry), from_tst=entry.from_tst, to_tst=entry.to_tst, boot=entry.boot,
        mono_s=entry.mono_s, counters={name: value for name, value in counters.items() if value is not None},
    )  # fmt: skip
