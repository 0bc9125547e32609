"""Uplinks that call the guardians: SOS and its cancellation, low battery, taken off, fall, tamper, factory reset."""

from __future__ import annotations

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
from services.protocol import limits
from services.protocol.codec import decode_json, fingerprint
from services.protocol.location import Place
from services.protocol.topics import UplinkKind
from services.protocol.uplink import Alert
from services.protocol.words import AlertKind
from services.watch_link.answers import answer_to_id
from services.watch_link.registry import UplinkMessage, handles
from services.watch_link.replies import Reply, receipt, retry_receipt


@handles(UplinkKind.ALERT, lambda _topic, payload: decode_json(payload, Alert), answer_to_id)
async def receive_alert(work: UnitOfWork, identity: WatchIdentity, message: UplinkMessage[Alert]) -> list[Reply]:
    """Record ``up/alert``; the receipt says stored only after the commit. A kind of a later version gets ``retry``."""
    sent = message.content
    if not isinstance(sent.kind, AlertKind):
        return [receipt(message.user, retry_receipt(sent.id, limits.RETRY_AFTER_DEFAULT_S))]
    # Without the place: the digest by which a repeat is recognised must not reveal where the child was.
    digest = fingerprint(sent.model_copy(update={"location": None}))
    at = happened_at(clock_of_watch(identity), work.now, tst=sent.tst, boot=sent.boot, mono_s=sent.mono_s)
    answer, alert = await from_watch.receive_alert(
        work, identity, from_watch.WatchAlert(sent.id, KnownKind(sent.kind.value), digest, at)
    )
    if alert is not None and sent.location is not None:
        await _record_place(work, identity, alert, sent.location)
    return answer_to_id(message, answer)


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
