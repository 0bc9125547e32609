"""Read the device assignments of a batch: watches, their children, consent to store places, and the known places.

Each statement covers all watches of a batch, because a statement per watch would dominate the batch's duration.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from services.core.devices.presence.queries import clock_of_watch
from services.core.devices.watches.queries import assignment_spans
from services.core.devices.watches.tables import WatchIdentity
from services.core.devices.watches.timestamps import AssignmentSpan, WatchClock
from services.core.location.checkins.rules import Fix, KnownPlaces
from services.core.location.checkins.sealing import latest_context, open_place, suspect_context
from services.core.location.checkins.store import LatestPlace, lock_latest_places
from services.core.location.zones.rows import ZoneView, view_zone, zones_of
from services.core.people.consents.rules import Part
from services.core.people.households.child_key import unwrapped_key
from services.core.platform.db.database import UnitOfWork


@dataclass
class DeviceAssignment:
    """A child with the watch assigned to it."""

    identity: WatchIdentity
    child_id: uuid.UUID
    family_id: uuid.UUID
    key: bytes
    # Whether location is on and a guardian consented to stored places.
    may_keep: bool
    timezone: ZoneInfo
    # As its last hello showed it.
    clock: WatchClock
    # The intervals in which the watch was assigned to this child.
    wearings: list[AssignmentSpan] = field(default_factory=list)
    known: KnownPlaces = field(default_factory=KnownPlaces)
    latest: LatestPlace | None = None
    zones: list[ZoneView] = field(default_factory=list)


# A current guardian consents to the storage of places, and a guardian has turned location on.
_READ: Final = """
SELECT child.child_id, child.family_id, child.wrapped_key, watch_settings.timezone,
 watch_settings.location AND EXISTS (
  SELECT FROM membership JOIN consent USING (guardian_id, family_id)
  WHERE membership.family_id = child.family_id AND membership.removed_at IS NULL
   AND consent.part = $2 AND consent.withdrawn_at IS NULL)
FROM child JOIN watch_settings USING (child_id) WHERE child.child_id = ANY($1::uuid[])
"""


async def device_assignments(work: UnitOfWork, identities: Collection[WatchIdentity]) -> dict[str, DeviceAssignment]:
    """Return the assignments of these watches by user name; the caller holds the identities locked.

    Locks in the order of docs/decisions/0006-lock-order.md: identities, latest check-ins, zones; each kind in the
    order of its ids.
    Raises SealBrokenError when a child's key was erased.
    """
    if not identities:
        return {}
    child_ids = [identity.child_id for identity in identities]
    children = {row[0]: row for row in await work.fetch(_READ, child_ids, Part.LOCATION.value)}
    wearings = await assignment_spans(work, identities)
    assignments = {}
    for identity in identities:
        child_id, family_id, wrapped_key, timezone, may_keep = children[identity.child_id]
        assignments[identity.username] = DeviceAssignment(
            identity, child_id, family_id, unwrapped_key(work, child_id, wrapped_key), may_keep, ZoneInfo(timezone),
            clock_of_watch(identity), wearings[identity.username],
        )  # fmt: skip
    await _add_what_is_known(work, [assignment for assignment in assignments.values() if assignment.may_keep])
    return assignments


async def consenting_families(work: UnitOfWork, family_ids: Collection[uuid.UUID], part: Part) -> set[uuid.UUID]:
    """Return the families in which a current guardian consents to the storage of these places."""
    result = await work.fetch(
        "SELECT DISTINCT family_id FROM membership JOIN consent USING (guardian_id, family_id)"
        " WHERE family_id = ANY($1::uuid[]) AND removed_at IS NULL AND part = $2 AND withdrawn_at IS NULL",
        list(family_ids), part.value,
    )  # fmt: skip
    return {row[0] for row in result}


async def _add_what_is_known(work: UnitOfWork, assignments: list[DeviceAssignment]) -> None:
    by_child = {assignment.child_id: assignment for assignment in assignments}
    for row in await lock_latest_places(work, list(by_child)):
        assignment = by_child[row.child_id]
        assignment.latest, assignment.known = row, _known(row, assignment.key)
    for zone in await zones_of(work, by_child, lock=True):
        assignment = by_child[zone.child_id]
        assignment.zones.append(view_zone(assignment.key, zone))


def _known(row: LatestPlace, key: bytes) -> KnownPlaces:
    place = open_place(key, row.sealed_place, latest_context(row.child_id))
    latest = Fix(place.point, row.accuracy_m, row.happened_at, row.source)
    if row.sealed_suspect is None or row.suspect_at is None:
        return KnownPlaces(latest, witnessed_at=row.witnessed_at)
    suspect = open_place(key, row.sealed_suspect, suspect_context(row.child_id))
    suspect_fix = Fix(suspect.point, row.suspect_accuracy_m, row.suspect_at, row.suspect_source)
    return KnownPlaces(latest, suspect_fix, row.witnessed_at)
