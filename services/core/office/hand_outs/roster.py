"""Roster of a site's families and their watches for the hand-out, by family code and serial only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from services.core.devices.presence.queries import last_seen_at
from services.core.devices.watches.queries import WITH_PRESENCE
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.people.households.tables import Enrolment, Family
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class RosterEntry:
    """One enrolled family; ``serial`` None: no watch. ``last_seen_at`` None: not paired, or no contact yet."""

    family_code: str
    cohort: str
    serial: str | None
    paired: bool
    last_seen_at: datetime | None


async def roster(
    work: UnitOfWork, site: Site, cohort: Cohort | None = None, *, after: str = "", most: int | None = None
) -> list[RosterEntry]:
    """Return the enrolled families of a site or cohort by code, one page after ``after``.

    A family with two watches (two children) has two entries.
    """
    statement = (
        select(Family.family_code, Cohort.name, Watch.serial, WatchIdentity)
        .options(WITH_PRESENCE)
        .select_from(Enrolment)
        .join(Family, col(Family.family_id) == col(Enrolment.family_id))
        .join(Cohort, col(Cohort.cohort_id) == col(Enrolment.cohort_id))
        .outerjoin(Watch, (col(Watch.handed_out_to) == col(Family.family_id)) & (col(Watch.state) == "handed_out"))
        .outerjoin(
            WatchIdentity,
            (col(WatchIdentity.watch_id) == col(Watch.watch_id)) & col(WatchIdentity.ended_at).is_(None),
        )
        .where(col(Enrolment.site_id) == site.site_id, col(Enrolment.ended_at).is_(None))
        .where(col(Family.family_code) > after)
        .order_by(col(Family.family_code), col(Watch.serial))
    )
    if cohort is not None:
        statement = statement.where(col(Enrolment.cohort_id) == cohort.cohort_id)
    if most is not None:
        codes = (
            select(Family.family_code)
            .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
            .where(col(Enrolment.site_id) == site.site_id, col(Enrolment.ended_at).is_(None))
            .where(col(Family.family_code) > after)
            .order_by(col(Family.family_code))
            .limit(most)
        )
        if cohort is not None:
            codes = codes.where(col(Enrolment.cohort_id) == cohort.cohort_id)
        statement = statement.where(col(Family.family_code).in_(codes))
    return [
        _entry(code, cohort_name, serial, identity)
        for code, cohort_name, serial, identity in await work.session.exec(statement)
    ]


def _entry(code: str, cohort: str, serial: str | None, identity: WatchIdentity | None) -> RosterEntry:
    return RosterEntry(code, cohort, serial, identity is not None, None if identity is None else last_seen_at(identity))
