"""Uplinks that call the guardians: SOS and its cancellation, low battery, taken off, fall, tamper, factory reset."""

from __future__ import annotations

from typing import Any, Final

from services.core.devices.alerts import from_watch
from services.core.devices.alerts.rules import AlertKind as KnownKind
from services.core.devices.alerts.tables import Alert as AlertRow
from services.core.devices.presence.queries import clock_of_watch
from services.core.devices.watches.queries import assignment_spans
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import happened_at, was_assigned
from services.core.location.checkins.sealing import Place as SealedPlace
from services.core.location.checkins.sos_places import SosPosition, store_sos_place
from services.core.location.geometry import Point
from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.actions import Answer
from services.protocol import limits
from services.protocol.codec import ReceivedAlert, decode_alert, fingerprint
from services.protocol.downlink import Receipt
from services.protocol.location import Place
from services.protocol.topics import UplinkKind, uplink
from services.protocol.words import AlertKind
from services.watch_link.registry import UplinkMessage, handles
from services.watch_link.replies import Reply, receipt, retry_receipt

_DIGEST_PURPOSE: Final = "alert without an id"


def _answer(message: UplinkMessage[Any], answer: Answer) -> list[Reply]:
    """Return the receipt: it repeats the id as it was sent, or names the topic where there was none."""
    sent_id: str | None = message.content.sent_id
    topic = None if sent_id is not None else uplink(message.user, UplinkKind.ALERT)
    return [receipt(message.user, Receipt(ref=sent_id, topic=topic, code=answer.code, detail=answer.detail))]


@handles(UplinkKind.ALERT, lambda _topic, payload: decode_alert(payload), _answer)
async def receive_alert(
    work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[ReceivedAlert]
) -> list[Reply]:  # fmt: skip
    """Record ``up/alert``; the receipt says stored only after the commit.

    An alert that cannot be read is recorded as a call whose details are unreadable. A kind of a later version is
    recorded so as well, and gets ``retry``: the watch keeps it for a backend that knows the kind.
    """
    received = message.content
    ref = _stored_id(work, received)
    sent = received.alert
    sent_ref = None if received.has_usable_id else received.sent_id
    if sent is None:
        # Keyed: an unreadable payload may hold a place, which must not be guessable from a plain digest.
        digest = work.vault.keyed_hash(received.digest, _DIGEST_PURPOSE).hex()
        answer, _ = await from_watch.receive_alert(
            work, identity, from_watch.WatchAlert(ref, KnownKind.UNREADABLE, digest, None, sent_ref)
        )
        return _answer(message, answer)
    if not isinstance(sent.kind, AlertKind):
        await from_watch.record_unreadable_call(work, identity, ref, sent_ref)
        topic = uplink(message.user, UplinkKind.ALERT)
        return [receipt(message.user, retry_receipt(received.sent_id, limits.RETRY_AFTER_DEFAULT_S, topic))]
    # Without the place: the digest by which a repeat is recognised must not reveal where the child was.
    digest = fingerprint(sent.model_copy(update={"id": ref, "location": None}))
    at = happened_at(clock_of_watch(identity), work.now, tst=sent.tst, boot=sent.boot, mono_s=sent.mono_s)
    answer, alert = await from_watch.receive_alert(
        work, identity, from_watch.WatchAlert(ref, KnownKind(sent.kind.value), digest, at, sent_ref)
    )
    if alert is not None and sent.location is not None:
        await _record_place(work, identity, alert, sent.location)
    return _answer(message, answer)


def _stored_id(work: UnitOfWork, received: ReceivedAlert) -> str:
    """Return the id of an alert, or one of its digest, so that a repeat without a usable id is recognised."""
    if received.has_usable_id and received.sent_id is not None:
        return received.sent_id
    key = received.repeat_key(int(work.now.timestamp()))
    return work.vault.keyed_hash(key, _DIGEST_PURPOSE).hex()[: limits.ID_DIGEST_CHARS]


async def _record_place(work: UnitOfWork, identity: WatchIdentity, alert: AlertRow, place: Place) -> None:
    """Record the place of an SOS in the transaction of its alert; the only path on which such a place is stored.

    ``store_sos_place`` checks the consent. Nothing of the place is in the digest by which a repeat is recognised.
    """
    taken_at = happened_at(clock_of_watch(identity), work.now, tst=place.tst, boot=place.boot, mono_s=place.mono_s)
    worn = (await assignment_spans(work, [identity]))[identity.username]
    if not was_assigned(clock_of_watch(identity), worn, taken_at, boot=place.boot, first_boot=identity.first_boot):
        # The place belongs to another child; the alert itself is always recorded.
        return
    sent = SosPosition(
        SealedPlace(Point(place.lat, place.lon), place.alt), place.acc,
        None if place.source is None else str(place.source), taken_at,
    )  # fmt: skip
    await store_sos_place(work, alert, sent)
