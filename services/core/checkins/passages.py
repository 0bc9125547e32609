"""What happens at the edges of safe zones when a child's latest place moves."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.checkins.days import any_hold
from services.core.checkins.rules import Judged, may_alarm
from services.core.checkins.tables import ZonePassage
from services.core.checkins.wearers import Wearer
from services.core.checkins.zone_rows import stand_of
from services.core.checkins.zone_rules import pass_zone
from services.core.db.database import UnitOfWork
from services.core.events.actions import record_event
from services.core.families.rules import Right


@dataclass(frozen=True)
class Passed:
    """A passage, and whose."""

    wearer: Wearer
    passage: ZonePassage


def move_zones(work: UnitOfWork, wearer: Wearer, judged: Judged) -> list[Passed]:
    """Take a fix that is the latest place to every zone of the child; return what happened at their edges.

    Guardians are alarmed of what happens within a zone's hours and just now; the rest is only remembered.
    """
    found = []
    fix = judged.fix
    assert fix.accuracy_m is not None  # noqa: S101 - a good fix has an accuracy
    for view in wearer.zones:
        before = stand_of(view.row)
        stand, passage = pass_zone(before, view.zone.shape.edge_m(fix.point), fix.accuracy_m)
        if stand != before:
            if stand.where is not before.where:
                view.row.since_at = fix.happened_at
            view.row.stand, view.row.outside_fixes = stand.where, stand.outside_fixes
            work.add(view.row)
        if passage is not None:
            alarmed = may_alarm(judged, work.now) and any_hold(view.zone.hours, fix.happened_at, wearer.timezone)
            row = ZonePassage(
                zone_id=view.zone_id, child_id=wearer.child_id, kind=passage, happened_at=fix.happened_at,
                received_at=work.now, alarmed=alarmed,
            )  # fmt: skip
            work.add(row)
            found.append(Passed(wearer, row))
    return found


async def tell_passages(work: UnitOfWork, passed: list[Passed]) -> None:
    """Tell guardians who may locate of the passages; takes the families' locks, so it comes last."""
    for one in sorted(passed, key=lambda one: one.wearer.child.family_id):
        await record_event(
            work, one.wearer.child.family_id, f"zone.{one.passage.kind}", child_id=one.wearer.child_id,
            ref_id=one.passage.zone_id, needs_right=Right.LOCATE, detail={"alarmed": one.passage.alarmed},
        )  # fmt: skip
