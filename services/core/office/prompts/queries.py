"""The conversation prompts that a guardian is shown for a child this week, and a cohort in this week and the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from services.core.office.prompts.rules import BANDS, Starter, band_of, starters_of_week, week_of
from services.core.people.households.tables import Child, Enrolment
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class Week:
    """The prompts of one week, which begins on a Monday by the site's calendar."""

    starts_on: date
    starters: list[Starter]


async def starters_for(work: UnitOfWork, child: Child, locale: str) -> Week:
    """Return this week's prompts; a cohort shares its prompts, a family that left has an order of its own."""
    result = await work.session.exec(
        select(Enrolment, Site.timezone)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(col(Enrolment.family_id) == child.family_id)
        .order_by(col(Enrolment.enrolled_at).desc(), col(Enrolment.enrolment_id))
        .limit(1)
    )
    newest = result.first()
    timezone = newest[1] if newest is not None else "UTC"
    seed = newest[0].cohort_id if newest is not None and newest[0].ended_at is None else child.family_id
    today = work.now.astimezone(ZoneInfo(timezone)).date()
    return Week(week_of(today), starters_of_week(seed, band_of(child.birth_year, today), today, locale))


def weeks_of_cohort(now: datetime, site: Site, cohort: Cohort, locale: str) -> list[Week]:
    """Return what the families of a cohort are shown this week and the next, for each age in turn."""
    today = now.astimezone(ZoneInfo(site.timezone)).date()
    return [
        Week(
            week_of(day),
            [starter for band in BANDS for starter in starters_of_week(cohort.cohort_id, band, day, locale)],
        )
        for day in (today, today + timedelta(days=7))
    ]
