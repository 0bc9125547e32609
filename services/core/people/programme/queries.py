"""Queries about the programme's structure; they return no data of families."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select

from services.core.people.accounts.tables import Staff
from services.core.people.programme.errors import (
    CohortUnknownError,
    ProgrammeUnknownError,
    SiteAmbiguousError,
    SiteUnknownError,
)
from services.core.people.programme.rules import composed, folded_name
from services.core.people.programme.tables import Cohort, Programme, Site, StaffScope
from services.core.platform.db.database import UnitOfWork

Named = TypeVar("Named", Site, Cohort)


def _alike(name: str, rows: Sequence[Named]) -> Sequence[Named]:
    """Return the rows with exactly this name, or else those that differ in capitals, widths and spaces only."""
    exact = [row for row in rows if row.name == composed(name)]
    return exact or [row for row in rows if folded_name(row.name) == folded_name(name)]


async def programme_named(work: UnitOfWork, name: str) -> Programme:
    """Return the programme of this name; raises ProgrammeUnknownError."""
    result = await work.session.exec(select(Programme).where(col(Programme.name) == composed(name)))
    programme = result.first()
    if programme is None:
        raise ProgrammeUnknownError
    return programme


async def site_named(work: UnitOfWork, name: str, programme_name: str | None = None) -> Site:
    """Return the site of this name, in one programme, or in all if the name is unique.

    Capitals and spaces are ignored, unless another site has exactly this name.
    Raises ProgrammeUnknownError, SiteUnknownError, SiteAmbiguousError.
    """
    statement = select(Site)
    if programme_name is not None:
        programme = await programme_named(work, programme_name)
        statement = statement.where(col(Site.programme_id) == programme.programme_id)
    sites = _alike(name, (await work.session.exec(statement)).all())
    if not sites:
        raise SiteUnknownError
    if len(sites) > 1:
        raise SiteAmbiguousError
    return sites[0]


async def programme_of(work: UnitOfWork, programme_id: uuid.UUID) -> Programme:
    """Return an existing programme by id."""
    return await work.session.get_one(Programme, programme_id)


async def sites_of(work: UnitOfWork, programme_id: uuid.UUID) -> Sequence[Site]:
    """Return a programme's sites, by name."""
    result = await work.session.exec(
        select(Site).where(Site.programme_id == programme_id).order_by(col(Site.name), col(Site.site_id))
    )
    return result.all()


async def cohort_named(work: UnitOfWork, site: Site, name: str) -> Cohort:
    """Return the site's cohort of this name, compared as in site_named; raises CohortUnknownError."""
    cohorts = _alike(name, (await work.session.exec(select(Cohort).where(col(Cohort.site_id) == site.site_id))).all())
    if len(cohorts) != 1:
        raise CohortUnknownError
    return cohorts[0]


async def cohort_of_site(work: UnitOfWork, site_id: uuid.UUID, cohort_id: uuid.UUID) -> Cohort | None:
    """Return a cohort of this site; None for any other and for one that does not exist."""
    cohort = await work.session.get(Cohort, cohort_id)
    return cohort if cohort is not None and cohort.site_id == site_id else None


async def all_sites(work: UnitOfWork) -> Sequence[tuple[Programme, Site]]:
    """Return every site with its programme, by name."""
    result = await work.session.exec(
        select(Programme, Site)
        .join(Site, col(Site.programme_id) == col(Programme.programme_id))
        .order_by(col(Programme.name), col(Site.name))
    )
    return result.all()


async def cohorts_of(work: UnitOfWork, site: Site) -> Sequence[Cohort]:
    """Return the site's cohorts, by name."""
    result = await work.session.exec(
        select(Cohort).where(col(Cohort.site_id) == site.site_id).order_by(col(Cohort.name))
    )
    return result.all()


async def scopes_of(work: UnitOfWork, staff_id: uuid.UUID) -> list[StaffScope]:
    """Return the programmes and sites in the scope of a staff member."""
    result = await work.session.exec(
        select(StaffScope).where(StaffScope.staff_id == staff_id).order_by(col(StaffScope.staff_scope_id))
    )
    return list(result)


async def named_scopes_of(work: UnitOfWork, staff_id: uuid.UUID) -> list[tuple[StaffScope, Programme, Site | None]]:
    """Return a staff member's scopes, each with its programme, and with its site unless it is a whole programme."""
    result = await work.session.exec(
        select(StaffScope, Programme, Site)
        .outerjoin(Site, col(Site.site_id) == col(StaffScope.site_id))
        .join(
            Programme,
            col(Programme.programme_id) == func.coalesce(col(StaffScope.programme_id), col(Site.programme_id)),
        )
        .where(StaffScope.staff_id == staff_id)
        .order_by(col(StaffScope.staff_scope_id))
    )
    return list(result.all())


def _served_by(staff_id: uuid.UUID) -> ColumnElement[bool]:
    of_staff = col(StaffScope.staff_id) == staff_id
    return (
        select(StaffScope.staff_scope_id)
        .where(
            of_staff,
            (col(StaffScope.site_id) == col(Site.site_id)) | (col(StaffScope.programme_id) == col(Site.programme_id)),
        )
        .exists()
    )


async def sites_served(work: UnitOfWork, staff_id: uuid.UUID) -> list[tuple[Programme, Site]]:
    """Return the sites that a staff member serves, directly or through their programme, by name."""
    result = await work.session.exec(
        select(Programme, Site)
        .join(Site, col(Site.programme_id) == col(Programme.programme_id))
        .where(_served_by(staff_id))
        .order_by(col(Programme.name), col(Site.name), col(Site.site_id))
    )
    return [(programme, site) for programme, site in result]


async def site_served(work: UnitOfWork, staff_id: uuid.UUID, site_id: uuid.UUID) -> Site | None:
    """Return the site if the staff member serves it; None for any other and for an unknown one."""
    return (await work.session.exec(select(Site).where(Site.site_id == site_id, _served_by(staff_id)))).first()


async def programme_served(work: UnitOfWork, staff_id: uuid.UUID, programme_id: uuid.UUID) -> Programme | None:
    """Return the programme if the staff member serves the whole of it; None otherwise."""
    result = await work.session.exec(
        select(Programme)
        .join(StaffScope, col(StaffScope.programme_id) == col(Programme.programme_id))
        .where(Programme.programme_id == programme_id, StaffScope.staff_id == staff_id)
    )
    return result.first()


async def staff_within(work: UnitOfWork, staff_id: uuid.UUID) -> list[tuple[Staff, list[StaffScope]]]:
    """Return the accounts whose scopes all lie within those of this staff member, by address."""
    mine = await scopes_of(work, staff_id)
    programmes = {scope.programme_id for scope in mine if scope.programme_id is not None}
    sites = {site.site_id for _, site in await sites_served(work, staff_id)}
    result = await work.session.exec(
        select(Staff, StaffScope)
        .join(StaffScope, col(StaffScope.staff_id) == col(Staff.staff_id))
        .order_by(col(Staff.email), col(StaffScope.staff_scope_id))
    )
    scopes: dict[uuid.UUID, tuple[Staff, list[StaffScope]]] = {}
    for staff, scope in result:
        scopes.setdefault(staff.staff_id, (staff, []))[1].append(scope)
    return [
        (staff, own_scopes)
        for staff, own_scopes in scopes.values()
        if all(scope.programme_id in programmes or scope.site_id in sites for scope in own_scopes)
    ]
