"""Uplinks of fixes: one or an array, of many watches under one commit; other objects of the OwnTracks app."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from services.core.devices.watches.tables import WatchIdentity
from services.core.location.checkins.actions import ReceivedFix, receive_fixes
from services.core.location.geometry import Point
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import Answer
from services.protocol.codec import Batch, decode_locations, fingerprint
from services.protocol.location import Location, OwnTracksOther
from services.protocol.topics import UplinkKind
from services.watch_link.answers import entry_replies
from services.watch_link.registry import UplinkMessage, handles_batch
from services.watch_link.replies import Reply

LocationMessage = UplinkMessage[Batch[Location | OwnTracksOther]]


def _fixes(message: LocationMessage) -> list[Location]:
    return [entry for entry in message.content.entries if isinstance(entry, Location)]


def _replies(message: LocationMessage, fixes: Sequence[Location], answers: Iterable[Answer]) -> list[Reply]:
    """Return the receipts; a fix without an id (the OwnTracks app) has none."""
    answered = [(fix.id, answer) for fix, answer in zip(fixes, answers, strict=True) if fix.id is not None]
    return entry_replies(message, answered, message.content.rejected)


def _refuse(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    fixes = _fixes(message)
    return _replies(message, fixes, [answer] * len(fixes))


@handles_batch(UplinkKind.LOCATION, lambda _topic, payload: decode_locations(payload), _refuse)
async def receive_locations(
    work: UnitOfWork, received: Sequence[tuple[WatchIdentity, LocationMessage]]
) -> list[list[Reply]]:
    """Record ``up/location`` of any number of watches under one commit; a bad entry affects no other entry.

    A fix without an id gets no receipt; other objects of the OwnTracks app are discarded.
    """
    sent = [(message, _fixes(message)) for _, message in received]
    answers = iter(
        await receive_fixes(
            work,
            {identity.username: identity for identity, _ in received},
            [_sent(message.user.name, fix) for message, fixes in sent for fix in fixes],
        )
    )
    return [_replies(message, fixes, islice(answers, len(fixes))) for message, fixes in sent]


def _sent(username: str, fix: Location) -> ReceivedFix:
    return ReceivedFix(
        username=username,
        ref=fix.id,
        point=Point(fix.lat, fix.lon),
        accuracy_m=fix.acc,
        altitude_m=fix.alt,
        source=None if fix.source is None else str(fix.source),
        tst=fix.tst,
        boot=fix.boot,
        mono_s=fix.mono_s,
        fingerprint=fingerprint(fix),
        reply_to=fix.reply_to,
        battery_pct=fix.batt,
    )
