"""Read imports into DHIS2."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import col, select

from services.core.measurement.dhis2_imports.tables import Dhis2Import
from services.core.people.households.errors import NotFoundError
from services.core.people.programme.queries import programme_served, site_served, sites_served
from services.core.people.programme.tables import StaffScope
from services.core.platform.db.database import UnitOfWork


async def imports_of_programme(work: UnitOfWork, programme_id: uuid.UUID, limit: int) -> Sequence[Dhis2Import]:
    """Return the latest imports of a programme, newest first."""
    result = await work.session.exec(
        select(Dhis2Import)
        .where(Dhis2Import.programme_id == programme_id)
        .order_by(col(Dhis2Import.asked_at).desc(), col(Dhis2Import.import_id))
        .limit(limit)
    )
    return result.all()


async def import_served(work: UnitOfWork, staff_id: uuid.UUID, import_id: uuid.UUID) -> Dhis2Import:
    """Return an import about a scope that the staff member serves; raises NotFoundError."""
    row = await work.session.get(Dhis2Import, import_id)
    if row is None:
        raise NotFoundError
    if row.site_id is not None:
        serves = await site_served(work, staff_id, row.site_id) is not None
    else:
        serves = await programme_served(work, staff_id, row.programme_id) is not None
    if not serves:
        raise NotFoundError
    return row


async def imports_served(work: UnitOfWork, staff_id: uuid.UUID, limit: int) -> list[Dhis2Import]:
    """Return the latest imports about scopes that the staff member serves, newest first."""
    sites = [site.site_id for _, site in await sites_served(work, staff_id)]
    programmes = select(StaffScope.programme_id).where(
        StaffScope.staff_id == staff_id, col(StaffScope.programme_id).is_not(None)
    )
    result = await work.session.exec(
        select(Dhis2Import)
        .where(
            col(Dhis2Import.site_id).in_(sites)
            | (col(Dhis2Import.site_id).is_(None) & col(Dhis2Import.programme_id).in_(programmes))
        )
        .order_by(col(Dhis2Import.asked_at).desc(), col(Dhis2Import.import_id))
        .limit(limit)
    )
    return list(result)
