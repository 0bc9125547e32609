"""Read the programme's structure. Names are the operators' own; nothing here is about a family."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, select

from services.core.db.database import UnitOfWork
from services.core.programme.errors import (
    CohortUnknownError,
    ProgrammeUnknownError,
    SiteAmbiguousError,
    SiteUnknownError,
)
from services.core.programme.rules import composed
from services.core.programme.tables import Cohort, Programme, Site


async def programme_named(work: UnitOfWork, name: str) -> Programme:
    """Return the programme of this name; raises ProgrammeUnknownError."""
    found = await work.session.exec(select(Programme).where(col(Programme.name) == composed(name)))
    programme = found.first()
    if programme is None:
        raise ProgrammeUnknownError
    return programme


async def site_named(work: UnitOfWork, name: str, programme_name: str | None = None) -> Site:
    """Return the site of this name, in one programme or wherever it is the only one.

    Raises ProgrammeUnknownError, SiteUnknownError, SiteAmbiguousError.
    """
    statement = select(Site).where(col(Site.name) == composed(name))
    if programme_name is not None:
        programme = await programme_named(work, programme_name)
        statement = statement.where(col(Site.programme_id) == programme.programme_id)
    found = (await work.session.exec(statement)).all()
    if not found:
        raise SiteUnknownError
    if len(found) > 1:
        raise SiteAmbiguousError
    return found[0]


async def cohort_named(work: UnitOfWork, site: Site, name: str) -> Cohort:
    """Return the site's cohort of this name; raises CohortUnknownError."""
    found = await work.session.exec(
        select(Cohort).where(col(Cohort.site_id) == site.site_id, col(Cohort.name) == composed(name))
    )
    cohort = found.first()
    if cohort is None:
        raise CohortUnknownError
    return cohort


async def all_sites(work: UnitOfWork) -> Sequence[tuple[Programme, Site]]:
    """Return every site with its programme, by name."""
    found = await work.session.exec(
        select(Programme, Site)
        .join(Site, col(Site.programme_id) == col(Programme.programme_id))
        .order_by(col(Programme.name), col(Site.name))
    )
    return found.all()


async def cohorts_of(work: UnitOfWork, site: Site) -> Sequence[Cohort]:
    """Return the site's cohorts, by name."""
    found = await work.session.exec(
        select(Cohort).where(col(Cohort.site_id) == site.site_id).order_by(col(Cohort.name))
    )
    return found.all()
