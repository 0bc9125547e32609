"""What follows from fixes that were kept: streams, alarms, answered commands, batteries. All of it at the end.

Events lock their families, which come last of all; here are many in one transaction, so they are locked in order.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import tuple_
from sqlmodel import col, select

from services.core.devices.alerts.from_watch import record_battery
from services.core.devices.commands.actions import answer_command
from services.core.devices.watches.tables import WatchCommand
from services.core.location.checkins.device_assignments import DeviceAssignment
from services.core.location.zones.passages import ZoneCrossing, notify_passages
from services.core.people.households.rules import Right
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import hold_families, record_event_of_many


@dataclass(frozen=True)
class AnsweredCommand:
    """A fix came for a command."""

    assignment: DeviceAssignment
    ref: str


@dataclass
class FixEffects:
    """What a batch of fixes has to tell."""

    moved: list[DeviceAssignment] = field(default_factory=list)
    passed: list[ZoneCrossing] = field(default_factory=list)
    answered: list[AnsweredCommand] = field(default_factory=list)
    # The newest level a child's watch told along with a fix.
    battery_pct: dict[uuid.UUID, tuple[DeviceAssignment, int]] = field(default_factory=dict)

    def families(self) -> set[uuid.UUID]:
        """Everybody who may be told something."""
        assignments = [
            *self.moved,
            *(one.assignment for one in self.passed),
            *(one.assignment for one in self.answered),
            *(assignment for assignment, _ in self.battery_pct.values()),
        ]
        return {assignment.child.family_id for assignment in assignments}


async def publish_effects(work: UnitOfWork, effects: FixEffects) -> None:
    """Tell everybody what a batch of fixes has to tell."""
    await _hold_commands(work, effects.answered)
    await hold_families(work, effects.families())
    await record_event_of_many(
        work, "checkin.latest", {one.child_id: one.child.family_id for one in effects.moved}, needs_right=Right.LOCATE
    )
    await notify_passages(work, effects.passed)
    for one in effects.answered:
        await answer_command(work, one.assignment.identity, one.ref, "done")
    for assignment, level_pct in effects.battery_pct.values():
        await record_battery(work, assignment.identity, level_pct)


async def _hold_commands(work: UnitOfWork, answered: Sequence[AnsweredCommand]) -> None:
    """Lock the commands that are answered: whoever closes one that has expired locks it before its family."""
    if answered:
        named = [(one.assignment.identity.username, one.ref) for one in answered]
        await work.session.exec(
            select(WatchCommand.command_id)
            .where(tuple_(col(WatchCommand.username), col(WatchCommand.ref)).in_(named))
            .order_by(col(WatchCommand.command_id))
            .with_for_update(key_share=True)
        )
