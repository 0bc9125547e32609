"""Read the device assignments of a batch: watches, their children, consent to store places, and the known places.

Each statement covers all watches of a batch, because a statement per watch would dominate the batch's duration.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from services.core.devices.watches.queries import assignment_spans
from services.core.devices.watches.tables import WatchIdentity, WatchSettings
from services.core.devices.watches.timestamps import AssignmentSpan
from services.core.location.checkins.rules import Fix, KnownPlaces
from services.core.location.checkins.sealing import latest_context, open_place, suspect_context
from services.core.location.checkins.tables import LatestCheckin
from services.core.location.zones.rows import ZoneView, view_zone, zones_of
from services.core.people.consents.rules import Part
from services.core.people.consents.tables import Consent
from services.core.people.households.child_key import data_key
from services.core.people.households.tables import Child, Membership
from services.core.platform.db.database import UnitOfWork


@dataclass
class DeviceAssignment:
    """A child with the watch assigned to it."""

    identity: WatchIdentity
    child: Child
    key: bytes
    # Whether location is on and a guardian consented to stored places.
    may_keep: bool
    timezone: ZoneInfo
    # The intervals in which the watch was assigned to this child.
    wearings: list[AssignmentSpan] = field(default_factory=list)
    known: KnownPlaces = field(default_factory=KnownPlaces)
    latest: LatestCheckin | None = None
    zones: list[ZoneView] = field(default_factory=list)

    @property
    def child_id(self) -> uuid.UUID:
        """The child's id."""
        return self.child.child_id


async def device_assignments(work: UnitOfWork, identities: Collection[WatchIdentity]) -> dict[str, DeviceAssignment]:
    """Return the assignments of these watches by user name; the caller holds the identities locked.

    Locks in the order of docs/decisions/0006-lock-order.md: identities, latest check-ins, zones; each kind in the
    order of its ids.
    Raises SealBrokenError when a child's key was erased.
    """
    if not identities:
        return {}
    child_ids = [identity.child_id for identity in identities]
    children = {
        child.child_id: child
        for child in await work.session.exec(select(Child).where(col(Child.child_id).in_(child_ids)))
    }
    settings = {
        settings.child_id: settings
        for settings in await work.session.exec(select(WatchSettings).where(col(WatchSettings.child_id).in_(child_ids)))
    }
    consented = await consenting_families(work, {identity.family_id for identity in identities}, Part.LOCATION)
    wearings = await assignment_spans(work, identities)
    assignments = {}
    for identity in identities:
        child, setting = children[identity.child_id], settings[identity.child_id]
        assignments[identity.username] = DeviceAssignment(
            identity, child, data_key(work, child), setting.location and identity.family_id in consented,
            ZoneInfo(setting.timezone), wearings[identity.username],
        )  # fmt: skip
    await _add_what_is_known(work, [assignment for assignment in assignments.values() if assignment.may_keep])
    return assignments


async def consenting_families(work: UnitOfWork, family_ids: Collection[uuid.UUID], part: Part) -> set[uuid.UUID]:
    """Return the families in which a current guardian consents to the storage of these places."""
    result = await work.session.exec(
        select(Membership.family_id)
        .join(
            Consent,
            (col(Consent.guardian_id) == col(Membership.guardian_id))
            & (col(Consent.family_id) == col(Membership.family_id)),
        )
        .where(
            col(Membership.family_id).in_(family_ids),
            col(Membership.removed_at).is_(None),
            col(Consent.part) == part,
            col(Consent.withdrawn_at).is_(None),
        )
    )
    return set(result)


async def _add_what_is_known(work: UnitOfWork, assignments: list[DeviceAssignment]) -> None:
    by_child = {assignment.child_id: assignment for assignment in assignments}
    result = await work.session.exec(
        select(LatestCheckin)
        .where(col(LatestCheckin.child_id).in_(by_child))
        .order_by(col(LatestCheckin.child_id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for row in result:
        assignment = by_child[row.child_id]
        assignment.latest, assignment.known = row, _known(row, assignment.key)
    for zone in await zones_of(work, by_child, lock=True):
        assignment = by_child[zone.child_id]
        assignment.zones.append(view_zone(assignment.key, zone))


def _known(row: LatestCheckin, key: bytes) -> KnownPlaces:
    place = open_place(key, row.sealed_place, latest_context(row.child_id))
    latest = Fix(place.point, row.accuracy_m, row.happened_at, row.source)
    if row.sealed_suspect is None or row.suspect_at is None:
        return KnownPlaces(latest, witnessed_at=row.witnessed_at)
    suspect = open_place(key, row.sealed_suspect, suspect_context(row.child_id))
    suspect_fix = Fix(suspect.point, row.suspect_accuracy_m, row.suspect_at, row.suspect_source)
    return KnownPlaces(latest, suspect_fix, row.witnessed_at)
