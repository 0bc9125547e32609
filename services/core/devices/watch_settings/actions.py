"""Change the settings of a child's watch: each change is a version, announced until the watch acknowledges it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import and_, col, false, or_, select

from services.core.devices.watch_settings.quiet_rules import QuietTime, checked_quiet_times, utc_offset_s
from services.core.devices.watches.queries import current_identity
from services.core.devices.watches.tables import WatchSettings
from services.core.people.households.tables import Child
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.locales import fitting_locale
from services.core.platform.outbox.actions import notify_watch


@dataclass(frozen=True)
class SettingsChange:
    """A change of settings; None leaves a field as it is."""

    checkin_interval_s: int | None = None
    quiet: Sequence[QuietTime] | None = None
    language: str | None = None
    volume_pct: int | None = None


async def change_settings(work: UnitOfWork, child: Child, by: uuid.UUID, change: SettingsChange) -> WatchSettings:
    """Apply a change as a new version; a change without effect makes none.

    Location is turned on and off in contacts/location.py, which checks consent. Raises QuietTimesError.
    """
    settings = await locked_settings(work, child.child_id)
    wanted = {
        "checkin_interval_s": change.checkin_interval_s,
        "quiet": None if change.quiet is None else [period.row() for period in checked_quiet_times(change.quiet)],
        "language": None if change.language is None else fitting_locale(change.language),
        "volume_pct": change.volume_pct,
    }
    news = {name: value for name, value in wanted.items() if value is not None and getattr(settings, name) != value}
    if news:
        settings.sqlmodel_update(news)
        record_audit(
            work, guardian_actor(by), "watch_settings.changed", family_id=child.family_id, subject_id=child.child_id
        )
        await new_version(work, settings, child.family_id)
    return settings


async def repair_one_offset(work: UnitOfWork) -> bool:
    """Make a new version for one watch whose time zone has a new UTC offset; return whether there was one.

    A watch adds ``utc_offset_s`` to the server's time and holds no rules of time zones. A repeat is safe.
    """
    zones = (await work.session.exec(select(WatchSettings.timezone).distinct())).all()
    wrong = [
        and_(
            col(WatchSettings.timezone) == zone,
            col(WatchSettings.utc_offset_s).is_distinct_from(utc_offset_s(zone, work.now)),
        )
        for zone in zones
    ]
    result = await work.session.exec(
        select(WatchSettings, Child.family_id)
        .join(Child, col(Child.child_id) == col(WatchSettings.child_id))
        .where(or_(false(), *wrong))
        .limit(1)
        .with_for_update(of=WatchSettings, key_share=True, skip_locked=True)
    )
    row = result.first()
    if row is None:
        return False
    settings, family_id = row
    await new_version(work, settings, family_id)
    return True


async def locked_settings(work: UnitOfWork, child_id: uuid.UUID) -> WatchSettings:
    """Return the settings of the child's watch, locked."""
    result = await work.session.exec(
        select(WatchSettings)
        .where(col(WatchSettings.child_id) == child_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return result.one()


async def new_version(work: UnitOfWork, settings: WatchSettings, family_id: uuid.UUID) -> None:
    """Make a new version of the locked settings, and notify the watch and the guardians."""
    settings.version += 1
    settings.utc_offset_s = utc_offset_s(settings.timezone, work.now)
    settings.changed_at = work.now
    work.add(settings)
    await work.flush()
    identity = await current_identity(work, settings.child_id)
    if identity is not None:
        await notify_watch(work, identity.username)
    await record_event(
        work, family_id, "config.changed", child_id=settings.child_id,
        detail={"version": settings.version, "location": settings.location},
    )  # fmt: skip
