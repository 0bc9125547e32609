"""Places of SOS alerts: stored under a separate consent, independent of location; sealed, deleted with the alert."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.devices.alerts.rules import AlertKind
from services.core.devices.alerts.tables import Alert
from services.core.location.checkins.device_assignments import consenting_families
from services.core.location.checkins.sealing import Place, open_place, seal_place, sos_context
from services.core.location.checkins.tables import SosPlace
from services.core.people.consents.rules import Part
from services.core.people.consents.tables import Consent
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child, Membership
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class SosPosition:
    """The position sent with an SOS; ``happened_at`` is the time of the fix."""

    place: Place
    accuracy_m: float | None
    source: str | None
    happened_at: datetime | None


@dataclass(frozen=True)
class SosPlaceView:
    """The place of an SOS, with its accuracy and time."""

    place: Place
    accuracy_m: float | None
    source: str | None
    happened_at: datetime | None
    received_at: datetime


async def store_sos_place(work: UnitOfWork, alert: Alert, sent: SosPosition) -> bool:
    """Store the place of an SOS and return whether it is stored; a second place of the same alert changes nothing.

    Stored for SOS alerts only, and only while a guardian of the family consents to the part ``sos_places``; the
    location setting does not matter. The caller holds the row of the watch's identity.
    """
    if alert.kind != AlertKind.SOS:
        return False
    if not await consenting_families(work, [alert.family_id], Part.SOS_PLACES):
        return False
    if await work.session.get(SosPlace, alert.alert_id) is not None:
        return False
    child = await work.session.get_one(Child, alert.child_id)
    work.add(
        SosPlace(
            alert_id=alert.alert_id, child_id=alert.child_id, happened_at=sent.happened_at, received_at=work.now,
            accuracy_m=sent.accuracy_m, source=sent.source,
            sealed_place=seal_place(data_key(work, child), sent.place, sos_context(alert.alert_id)),
        )
    )  # fmt: skip
    await work.flush()
    return True


async def sos_place_of(work: UnitOfWork, child: Child, alert_id: uuid.UUID) -> SosPlaceView | None:
    """Return the place of the child's alert, or None when none is stored."""
    row = await work.session.get(SosPlace, alert_id)
    if row is None or row.child_id != child.child_id:
        return None
    return _view(data_key(work, child), row)


async def sos_places_of(work: UnitOfWork, child: Child) -> dict[uuid.UUID, SosPlaceView]:
    """Return the place of each SOS of the child by alert id, oldest first."""
    result = await work.session.exec(
        select(SosPlace)
        .where(col(SosPlace.child_id) == child.child_id)
        .order_by(col(SosPlace.received_at), col(SosPlace.alert_id))
    )
    key = data_key(work, child)
    return {row.alert_id: _view(key, row) for row in result}


async def purge_unconsented_sos_places(work: UnitOfWork) -> bool:
    """Delete SOS places to which no guardian of the family consents any more; return False: one run deletes all."""
    agreed = (
        select(Child.child_id)
        .join(Membership, col(Membership.family_id) == col(Child.family_id))
        .join(
            Consent,
            (col(Consent.guardian_id) == col(Membership.guardian_id))
            & (col(Consent.family_id) == col(Membership.family_id)),
        )
        .where(
            col(Membership.removed_at).is_(None),
            col(Consent.part) == Part.SOS_PLACES,
            col(Consent.withdrawn_at).is_(None),
        )
    )
    await work.run(delete(SosPlace).where(col(SosPlace.child_id).not_in(agreed)))
    return False


def _view(key: bytes, row: SosPlace) -> SosPlaceView:
    return SosPlaceView(
        open_place(key, row.sealed_place, sos_context(row.alert_id)), row.accuracy_m, row.source, row.happened_at,
        row.received_at,
    )  # fmt: skip
