"""Create, change and delete safe zones."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, func, select

from services.core.location.checkins.errors import ZoneHoursError, ZonesFullError
from services.core.location.checkins.sealing import latest_context, open_place, seal_zone
from services.core.location.checkins.tables import LatestCheckin, SafeZone
from services.core.location.geometry import Shape
from services.core.location.tracks.days import Hours
from services.core.location.zones.rows import ZoneView, plain_hours, view_zone
from services.core.location.zones.rules import FIXES_TO_LEAVE, MAX_HOURS, MAX_ZONES, ZoneState, pass_zone
from services.core.people.households.child_key import data_key
from services.core.people.households.errors import NotFoundError
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.text_rules import NAME, check_text


@dataclass(frozen=True)
class ZoneChange:
    """Changes of a zone; None: unchanged."""

    name: str | None = None
    shape: Shape | None = None
    hours: Sequence[Hours] | None = None


async def create_zone(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, name: str, shape: Shape, hours: Sequence[Hours]
) -> ZoneView:
    """Create a safe zone. Its first state is computed from the latest place and is no passage.

    Raises ZonesFullError, ZoneHoursError, TextNotAllowedError.
    """
    checked = check_text("name", name, NAME)
    key = data_key(work, child)
    await _lock_child(work, child)
    count = await work.session.exec(select(func.count()).where(col(SafeZone.child_id) == child.child_id))
    if count.one() >= MAX_ZONES:
        raise ZonesFullError(MAX_ZONES)
    zone_id = new_id()
    row = SafeZone(
        zone_id=zone_id, child_id=child.child_id, sealed_body=seal_zone(key, zone_id, checked, shape),
        hours=_plain(hours), created_by=guardian_id, created_at=work.now, changed_at=work.now,
    )  # fmt: skip
    _judge_latest(key, row, shape, await _locked_latest(work, child.child_id))
    work.add(row)
    record_audit(work, guardian_actor(guardian_id), "zone.drawn", family_id=child.family_id, subject_id=zone_id)
    await _notify(work, child, "zone.drawn", zone_id)
    return view_zone(key, row)


async def change_zone(
    work: UnitOfWork, child: Child, guardian_id: uuid.UUID, zone_id: uuid.UUID, change: ZoneChange
) -> ZoneView:
    """Change a zone. With a new shape the state is computed again from the latest place.

    Raises NotFoundError, ZoneHoursError, TextNotAllowedError.
    """
    name = None if change.name is None else check_text("name", change.name, NAME)
    key = data_key(work, child)
    # The lock order of incoming fixes: the latest place before the zone.
    latest = await _locked_latest(work, child.child_id)
    row = await zone_of_child(work, child, zone_id, lock=True)
    before = view_zone(key, row).zone
    shape = change.shape or before.shape
    row.sealed_body = seal_zone(key, zone_id, before.name if name is None else name, shape)
    if change.hours is not None:
        row.hours = _plain(change.hours)
    if change.shape is not None:
        _judge_latest(key, row, shape, latest)
    row.changed_at = work.now
    work.add(row)
    record_audit(work, guardian_actor(guardian_id), "zone.changed", family_id=child.family_id, subject_id=zone_id)
    await _notify(work, child, "zone.changed", zone_id)
    return view_zone(key, row)


async def delete_zone(work: UnitOfWork, child: Child, guardian_id: uuid.UUID, zone_id: uuid.UUID) -> None:
    """Delete a zone with its passages. Raises NotFoundError."""
    row = await zone_of_child(work, child, zone_id, lock=True)
    await work.session.delete(row)
    record_audit(work, guardian_actor(guardian_id), "zone.removed", family_id=child.family_id, subject_id=zone_id)
    await _notify(work, child, "zone.removed", zone_id)


async def zone_of_child(work: UnitOfWork, child: Child, zone_id: uuid.UUID, *, lock: bool = False) -> SafeZone:
    """Return a zone of this child; raises NotFoundError."""
    statement = select(SafeZone).where(col(SafeZone.zone_id) == zone_id, col(SafeZone.child_id) == child.child_id)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = (await work.session.exec(statement)).first()
    if row is None:
        raise NotFoundError
    return row


def _plain(hours: Sequence[Hours]) -> list[dict[str, object]]:
    if len(hours) > MAX_HOURS:
        raise ZoneHoursError
    return [plain_hours(hour) for hour in hours]


async def _locked_latest(work: UnitOfWork, child_id: uuid.UUID) -> LatestCheckin | None:
    result = await work.session.exec(
        select(LatestCheckin)
        .where(col(LatestCheckin.child_id) == child_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return result.first()


def _judge_latest(key: bytes, row: SafeZone, shape: Shape, latest: LatestCheckin | None) -> None:
    stand = ZoneState()
    if latest is not None:
        point = open_place(key, latest.sealed_place, latest_context(row.child_id)).point
        # The latest place counts as confirmed by further fixes, so it can place the child outside at once.
        for _ in range(FIXES_TO_LEAVE):
            stand, _passage = pass_zone(stand, shape.edge_m(point), latest.accuracy_m)
        row.since_at = latest.happened_at
    row.stand, row.outside_fixes = stand.where, stand.outside_fixes


async def _lock_child(work: UnitOfWork, child: Child) -> None:
    await work.session.exec(
        select(Child.child_id).where(col(Child.child_id) == child.child_id).with_for_update(key_share=True)
    )


async def _notify(work: UnitOfWork, child: Child, kind: str, zone_id: uuid.UUID) -> None:
    await work.flush()
    await record_event(work, child.family_id, kind, child_id=child.child_id, ref_id=zone_id, needs_right=Right.LOCATE)
