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
from services.core.location.checkins.device_assignments import Wearer
from services.core.location.zones.passages import Passed, tell_passages
from services.core.people.households.rules import Right
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import hold_families, record_event_of_many


@dataclass(frozen=True)
class Answered:
    """A fix came for a command."""

    wearer: Wearer
    ref: str


@dataclass
class Told:
    """What a batch of fixes has to tell."""

    moved: list[Wearer] = field(default_factory=list)
    passed: list[Passed] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)
    # The newest level a child's watch told along with a fix.
    battery_pct: dict[uuid.UUID, tuple[Wearer, int]] = field(default_factory=dict)

    def families(self) -> set[uuid.UUID]:
        """Everybody who may be told something."""
        wearers = [
            *self.moved,
            *(one.wearer for one in self.passed),
            *(one.wearer for one in self.answered),
            *(wearer for wearer, _ in self.battery_pct.values()),
        ]
        return {wearer.child.family_id for wearer in wearers}


async def tell(work: UnitOfWork, told: Told) -> None:
    """Tell everybody what a batch of fixes has to tell."""
    await _hold_commands(work, told.answered)
    await hold_families(work, told.families())
    await record_event_of_many(
        work, "checkin.latest", {one.child_id: one.child.family_id for one in told.moved}, needs_right=Right.LOCATE
    )
    await tell_passages(work, told.passed)
    for one in told.answered:
        await answer_command(work, one.wearer.identity, one.ref, "done")
    for wearer, level_pct in told.battery_pct.values():
        await record_battery(work, wearer.identity, level_pct)


async def _hold_commands(work: UnitOfWork, answered: Sequence[Answered]) -> None:
    """Lock the commands that are answered: whoever closes one that has expired locks it before its family."""
    if answered:
        named = [(one.wearer.identity.username, one.ref) for one in answered]
        await work.session.exec(
            select(WatchCommand.command_id)
            .where(tuple_(col(WatchCommand.username), col(WatchCommand.ref)).in_(named))
            .order_by(col(WatchCommand.command_id))
            .with_for_update(key_share=True)
        )
