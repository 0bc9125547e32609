"""Uplinks of counters: one report or an array of them, each answered separately."""

from __future__ import annotations

from typing import Any

from services.core.devices.watches.tables import WatchIdentity
from services.core.measurement.reports.actions import HEALTH, MEASURED, WatchReport, receive_reports
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import Answer
from services.protocol import limits
from services.protocol.codec import Batch, decode_usage, fingerprint
from services.protocol.topics import UplinkKind
from services.protocol.uplink import Usage
from services.watch_link.answers import entry_replies
from services.watch_link.registry import UplinkMessage, handles
from services.watch_link.replies import Reply


def _refuse(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    return entry_replies(message, [(entry.id, answer) for entry in message.content.entries], message.content.rejected)


@handles(UplinkKind.USAGE, lambda _topic, payload: decode_usage(payload), _refuse)
async def receive_usage(work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[Batch[Usage]]) -> list[Reply]:
    """Record ``up/usage``: every entry is stored, known or rejected separately, and all stored ones commit together."""
    batch = message.content
    answers = await receive_reports(work, identity, [_report(entry) for entry in batch.entries])
    answered = [(entry.id, answer) for entry, answer in zip(batch.entries, answers, strict=True)]
    max_payload_bytes = int(identity.hello.get("max_payload_bytes", limits.MAX_PAYLOAD_FLOOR_BYTES))
    return entry_replies(message, answered, batch.rejected, max_payload_bytes)


def _report(entry: Usage) -> WatchReport:
    counters = {name: getattr(entry, name) for name in HEALTH + MEASURED}
    return WatchReport(
        ref=entry.id, fingerprint=fingerprint(entry), from_tst=entry.from_tst, to_tst=entry.to_tst, boot=entry.boot,
        mono_s=entry.mono_s, counters={name: value for name, value in counters.items() if value is not None},
    )  # fmt: skip
