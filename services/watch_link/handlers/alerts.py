"""Uplinks that call the guardians: SOS and what takes it back, low battery, taken off, fall, tamper, factory reset."""

from __future__ import annotations

from services.core.devices.alerts.from_watch import WatchAlert, receive_alert
from services.core.devices.alerts.rules import AlertKind as KnownKind
from services.core.devices.alerts.tables import Alert as AlertRow
from services.core.devices.presence.actions import assignment_spans, clock_of_watch, record_seen
from services.core.devices.watches.queries import standing_identity
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import happened_at, was_assigned
from services.core.location.checkins.sealing import Place as SealedPlace
from services.core.location.checkins.sos_places import SosPosition, store_sos_place
from services.core.location.geometry import Point
from services.core.platform.db.database import UnitOfWork
from services.protocol import limits
from services.protocol.codec import decode_json, fingerprint
from services.protocol.location import Place
from services.protocol.topics import Identity, UplinkKind
from services.protocol.uplink import Alert
from services.protocol.words import AlertKind
from services.watch_link.handlers.messages import NOT_PAIRED, answer_receipt
from services.watch_link.registry import Frame, handles
from services.watch_link.replies import Reply, receipt, retry_receipt


@handles(UplinkKind.ALERT, who=Identity.PAIRED)
async def take_up_alert(frame: Frame) -> list[Reply]:
    """Take ``up/alert``; the receipt says stored only after it is committed. A kind of a later version: ``retry``."""
    said = decode_json(frame.payload, Alert)
    if not isinstance(said.kind, AlertKind):
        return [receipt(frame.user, retry_receipt(said.id, limits.RETRY_AFTER_DEFAULT_S))]
    # Without the place: what is kept to know a repeat must not tell where the child was.
    mark = fingerprint(said.model_copy(update={"location": None}))
    async with frame.database.begin() as work:
        identity = await standing_identity(work, frame.user.name, lock=True)
        if identity is None:
            answer = NOT_PAIRED
        else:
            await record_seen(work, identity)
            when = happened_at(clock_of_watch(identity), work.now, tst=said.tst, boot=said.boot, mono_s=said.mono_s)
            answer, taken = await receive_alert(
                work, identity, WatchAlert(said.id, KnownKind(said.kind.value), mark, when)
            )
            if taken is not None and said.location is not None:
                await _keep_place(work, identity, taken, said.location)
    return [receipt(frame.user, answer_receipt(said.id, answer))]


async def _keep_place(work: UnitOfWork, identity: WatchIdentity, alert: AlertRow, said: Place) -> None:
    """The one way of an SOS's place into the product, in the transaction of its alert; consent is judged there.

    Nothing of it is in the digest by which a repeat is known.
    """
    taken_at = happened_at(clock_of_watch(identity), work.now, tst=said.tst, boot=said.boot, mono_s=said.mono_s)
    worn = (await assignment_spans(work, [identity]))[identity.username]
    if not was_assigned(clock_of_watch(identity), worn, taken_at, boot=said.boot, first_boot=identity.first_boot):
        # Another child's place; the call itself is never held back.
        return
    sent = SosPosition(
        SealedPlace(Point(said.lat, said.lon), said.alt), said.acc,
        None if said.source is None else str(said.source), taken_at,
    )  # fmt: skip
    await store_sos_place(work, alert, sent)
