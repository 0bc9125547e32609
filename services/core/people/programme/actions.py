"""Create programmes, sites and cohorts; repeating a call leaves an existing row unchanged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from services.core.people.programme.errors import (
    CohortDiffersError,
    SiteDiffersError,
)
from services.core.people.programme.queries import programme_named
from services.core.people.programme.rules import (
    check_country,
    check_dates,
    check_ends_on,
    check_locale,
    check_name,
    check_site_kind,
    check_timezone,
)
from services.core.people.programme.tables import Cohort, Programme, Site
from services.core.platform.audit.actions import Actor, record_audit
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork

Row = TypeVar("Row")


@dataclass(frozen=True)
class Made(Generic[Row]):
    """A requested row, and whether this call created it."""

    row: Row
    is_new: bool


async def set_last_day(work: UnitOfWork, actor: Actor, programme: Programme, ends_on: date | None) -> bool:
    """Set or cancel (None) the programme's last day; repeating the call returns False. Raises EndTooSoonError.

    office.programme_end calls this and notifies families.
    """
    locked = await work.session.get_one(
        Programme, programme.programme_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if locked.ends_on == ends_on:
        return False
    if ends_on is not None:
        check_ends_on(ends_on, work.now.date())
    locked.ends_on = ends_on
    work.add(locked)
    action = "programme.end_announced" if ends_on else "programme.end_taken_back"
    record_audit(work, actor, action, subject_id=locked.programme_id)
    return True


async def create_programme(work: UnitOfWork, actor: Actor, name: str) -> Made[Programme]:
    """Create a programme; repeating the call returns the existing one. Raises TextNotAllowedError."""
    checked = check_name(name)
    # ON CONFLICT instead of select-then-insert: two concurrent operators both get the same row.
    made = await work.run(
        insert(Programme)
        .values(programme_id=new_id(), name=checked, created_at=work.now)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(col(Programme.programme_id))
    )
    made_id = made.scalar_one_or_none()
    if made_id is not None:
        record_audit(work, actor, "programme.created", subject_id=made_id)
    return Made(await programme_named(work, checked), made_id is not None)


async def create_site(
    work: UnitOfWork,
    actor: Actor,
    programme: Programme,
    *,
    name: str,
    country: str,
    timezone: str,
    locale: str,
    kind: str = "factory",
) -> Made[Site]:
    """Create a site; repeating the call returns the existing one, or raises SiteDiffersError if an attribute differs.

    ``country`` is ISO 3166-1 alpha-2, ``timezone`` an IANA name, ``locale`` one of LOCALES; each has its own error.
    """
    particulars = {
        "country": check_country(country),
        "timezone": check_timezone(timezone),
        "locale": check_locale(locale),
        "kind": check_site_kind(kind),
    }
    checked = check_name(name)
    made = await work.run(
        insert(Site)
        .values(site_id=new_id(), programme_id=programme.programme_id, name=checked, created_at=work.now, **particulars)
        .on_conflict_do_nothing(index_elements=["programme_id", "name"])
        .returning(col(Site.site_id))
    )
    made_id = made.scalar_one_or_none()
    result = await work.session.exec(
        select(Site).where(col(Site.programme_id) == programme.programme_id, col(Site.name) == checked)
    )
    site = result.one()
    differing = [name for name, value in particulars.items() if getattr(site, name) != value]
    if differing:
        raise SiteDiffersError(", ".join(differing))
    if made_id is not None:
        record_audit(work, actor, "site.created", subject_id=made_id)
    return Made(site, made_id is not None)


async def name_outside(work: UnitOfWork, actor: Actor, site: Site, *, named: bool) -> bool:
    """Decide whether files for brands and the public may name a site; repeating the call returns False."""
    locked = await work.session.get_one(Site, site.site_id, with_for_update={"key_share": True}, populate_existing=True)
    if locked.named_outside is named:
        return False
    locked.named_outside = named
    work.add(locked)
    record_audit(work, actor, "site.named_outside" if named else "site.not_named_outside", subject_id=locked.site_id)
    return True


async def create_cohort(
    work: UnitOfWork,
    actor: Actor,
    site: Site,
    *,
    name: str,
    starts_on: date | None = None,
    ends_on: date | None = None,
) -> Made[Cohort]:
    """Create a cohort of a site; repeating the call returns the existing one.

    Raises TextNotAllowedError, DatesReversedError, and CohortDiffersError if the dates differ from the stored ones.
    """
    checked = check_name(name)
    check_dates(starts_on, ends_on)
    made = await work.run(
        insert(Cohort)
        .values(
            cohort_id=new_id(), site_id=site.site_id, name=checked, starts_on=starts_on, ends_on=ends_on,
            created_at=work.now,
        )
        .on_conflict_do_nothing(index_elements=["site_id", "name"])
        .returning(col(Cohort.cohort_id))
    )  # fmt: skip
    made_id = made.scalar_one_or_none()
    result = await work.session.exec(
        select(Cohort).where(col(Cohort.site_id) == site.site_id, col(Cohort.name) == checked)
    )
    cohort = result.one()
    if starts_on not in {None, cohort.starts_on} or ends_on not in {None, cohort.ends_on}:
        raise CohortDiffersError
    if made_id is not None:
        record_audit(work, actor, "cohort.created", subject_id=made_id)
    return Made(cohort, made_id is not None)
