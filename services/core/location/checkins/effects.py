"""Effects of stored fixes: events, alerts, answered commands, batteries. Published at the end of the transaction.

Events lock their families, which are the last rows of the lock order. A batch touches many families, so they are
locked in the order of their ids.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from services.core.devices.alerts.from_watch import record_battery
from services.core.devices.commands.actions import answer_command, hold_commands
from services.core.location.checkins.device_assignments import DeviceAssignment
from services.core.location.zones.passages import ZoneCrossing, notify_passages
from services.core.people.households.rules import Right
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import hold_families, record_event_of_many


@dataclass(frozen=True)
class AnsweredCommand:
    """A command that a fix answered."""

    assignment: DeviceAssignment
    ref: str


@dataclass
class FixEffects:
    """The effects of a batch of fixes."""

    moved: list[DeviceAssignment] = field(default_factory=list)
    passed: list[ZoneCrossing] = field(default_factory=list)
    answered: list[AnsweredCommand] = field(default_factory=list)
    # The newest battery level that a watch sent along with a fix.
    battery_pct: dict[uuid.UUID, tuple[DeviceAssignment, int]] = field(default_factory=dict)

    def families(self) -> set[uuid.UUID]:
        """Families with an event or alert to record."""
        assignments = [
            *self.moved,
            *(checkin.assignment for checkin in self.passed),
            *(checkin.assignment for checkin in self.answered),
            *(assignment for assignment, _ in self.battery_pct.values()),
        ]
        return {assignment.family_id for assignment in assignments}


async def publish_effects(work: UnitOfWork, effects: FixEffects) -> None:
    """Record the events, alerts, answers and battery levels of a batch."""
    await hold_commands(work, [(checkin.assignment.identity.username, checkin.ref) for checkin in effects.answered])
    await hold_families(work, effects.families())
    await record_event_of_many(
        work,
        "checkin.latest",
        {checkin.child_id: checkin.family_id for checkin in effects.moved},
        needs_right=Right.LOCATE,
    )
    await notify_passages(work, effects.passed)
    for checkin in effects.answered:
        await answer_command(work, checkin.assignment.identity, checkin.ref, "done")
    for assignment, level_pct in effects.battery_pct.values():
        await record_battery(work, assignment.identity, level_pct)
