"""Detect zone passages when a child's latest place changes."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.location.checkins.device_assignments import DeviceAssignment
from services.core.location.checkins.rules import AssessedFix, may_alarm
from services.core.location.checkins.tables import ZonePassage
from services.core.location.tracks.days import any_hold
from services.core.location.zones.rows import zone_state
from services.core.location.zones.rules import pass_zone
from services.core.people.households.rules import Right
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event


@dataclass(frozen=True)
class ZoneCrossing:
    """A passage with the device assignment of its child."""

    assignment: DeviceAssignment
    passage: ZonePassage


def update_zones(work: UnitOfWork, assignment: DeviceAssignment, assessed: AssessedFix) -> list[ZoneCrossing]:
    """Apply a new latest place to every zone of the child; return the passages.

    A passage within the zone's hours and soon after it happened is marked as an alarm; others are only stored.
    """
    crossings = []
    fix = assessed.fix
    assert fix.accuracy_m is not None  # noqa: S101 - a good fix has an accuracy
    for view in assignment.zones:
        before = zone_state(view.row)
        stand, passage = pass_zone(
            before, view.zone.shape.edge_m(fix.point), fix.accuracy_m, leaps=assessed.leaps, repeats=assessed.repeats
        )
        if stand != before:
            if stand.where is not before.where:
                view.row.since_at = fix.happened_at
            view.row.stand, view.row.outside_fixes = stand.where, stand.outside_fixes
            work.add(view.row)
        if passage is not None:
            alarmed = may_alarm(assessed, work.now) and any_hold(view.zone.hours, fix.happened_at, assignment.timezone)
            row = ZonePassage(
                zone_id=view.zone_id, child_id=assignment.child_id, kind=passage, happened_at=fix.happened_at,
                received_at=work.now, alarmed=alarmed,
            )  # fmt: skip
            work.add(row)
            crossings.append(ZoneCrossing(assignment, row))
    return crossings


async def notify_passages(work: UnitOfWork, passed: list[ZoneCrossing]) -> None:
    """Record an event of each passage for guardians who may locate, and raise the alerts of alarms.

    The caller holds the families' rows (``hold_families``).
    """
    for crossing in passed:
        passage, child = crossing.passage, crossing.assignment
        await record_event(
            work, child.family_id, f"zone.{passage.kind}", child_id=child.child_id, ref_id=passage.zone_id,
            needs_right=Right.LOCATE, detail={"alarmed": passage.alarmed},
        )  # fmt: skip
        if passage.alarmed:
            await raise_alert(
                work,
                NewAlert(
                    child_id=child.child_id, family_id=child.family_id, kind=f"zone_{passage.kind}",
                    watch_id=crossing.assignment.identity.watch_id, happened_at=passage.happened_at,
                    subject_id=passage.zone_id,
                ),
            )  # fmt: skip
