"""Queries: the accounts that stand behind an account, pending requests, and the approvers at a site."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import text
from sqlmodel import col, select

from services.core.people.accounts.tables import Staff
from services.core.people.households.tables import Enrolment
from services.core.people.programme.queries import scopes_of, sites_served
from services.core.people.programme.tables import Site, StaffScope
from services.core.people.staff_accounts.rules import BREAK_GLASS_ROLES, Standing, approves_from, count_people
from services.core.people.staff_accounts.tables import StaffRequest
from services.core.platform.db.database import UnitOfWork

# An office has a handful of pending requests; the remaining rows are history.
_NEWEST = 200

_BEHIND = text(
    "WITH RECURSIVE behind (staff_id, by_staff_id) AS ("
    " SELECT one, one FROM unnest(CAST(:staff_ids AS uuid[])) AS one"
    " UNION"
    " SELECT behind.staff_id, staff_origin.by_staff_id"
    " FROM behind JOIN staff_origin ON staff_origin.staff_id = behind.by_staff_id"
    ") SELECT staff_id, by_staff_id FROM behind"
)


def standing_of(staff: Staff) -> Standing:
    """Return the attributes that determine when this account can approve."""
    return Standing(staff.appointed_at, staff.is_founding, staff.reset_at, staff.reset_by_two)


async def accounts_behind(work: UnitOfWork, staff_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, set[uuid.UUID]]:
    """Return for each account the accounts behind it: itself, its openers and resetters, and theirs, transitively."""
    behind: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for row in (await work.run(_BEHIND, {"staff_ids": sorted(staff_ids)})).all():
        behind[row.staff_id].add(row.by_staff_id)
    return behind


async def is_before_first_family(work: UnitOfWork) -> bool:
    """Return whether no family has been enrolled yet."""
    return (await work.session.exec(select(Enrolment.enrolment_id).limit(1))).first() is None


async def approvers_at(work: UnitOfWork, site: Site) -> int:
    """Return the number of people who can approve break-glass at a site now."""
    result = await work.session.exec(
        select(Staff)
        .join(StaffScope, col(StaffScope.staff_id) == col(Staff.staff_id))
        .where(
            col(Staff.role).in_(BREAK_GLASS_ROLES),
            col(Staff.ended_at).is_(None),
            col(Staff.totp_confirmed_at).is_not(None),
            (col(StaffScope.site_id) == site.site_id) | (col(StaffScope.programme_id) == site.programme_id),
        )
        .distinct()
    )
    ready = [staff.staff_id for staff in result if approves_from(standing_of(staff)) <= work.now]
    return count_people(await accounts_behind(work, ready)) if ready else 0


async def requests_within(work: UnitOfWork, staff_id: uuid.UUID) -> Sequence[StaffRequest]:
    """Return the requests within the scopes of this staff member, newest first."""
    programmes = [scope.programme_id for scope in await scopes_of(work, staff_id) if scope.programme_id is not None]
    sites = [site.site_id for _, site in await sites_served(work, staff_id)]
    result = await work.session.exec(
        select(StaffRequest)
        .where(col(StaffRequest.programme_id).in_(programmes) | col(StaffRequest.site_id).in_(sites))
        .order_by(col(StaffRequest.asked_at).desc(), col(StaffRequest.request_id))
        .limit(_NEWEST)
    )
    return result.all()


async def names_of_staff(work: UnitOfWork, staff_ids: Iterable[uuid.UUID | None]) -> Mapping[uuid.UUID | None, str]:
    """Return the display names of these staff members by id; None has none."""
    wanted = {staff_id for staff_id in staff_ids if staff_id is not None}
    result = await work.session.exec(select(Staff.staff_id, Staff.display_name).where(col(Staff.staff_id).in_(wanted)))
    return dict(result.all())
