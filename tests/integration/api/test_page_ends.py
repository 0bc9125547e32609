"""The largest page of each list: full to the last row it tells of no further one, and one row more it leads there."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest

from services.core.conversation.messages.actions import send_to_child
from services.core.conversation.messages.rules import text_body
from services.core.devices.alerts.actions import NewAlert, raise_alert
from services.core.devices.watches.tables import Watch
from services.core.location.checkins.access_log import record_place_access
from services.core.people.accounts.tables import Staff
from services.core.people.households.queries import child_by_id
from services.core.people.households.tables import BreakGlass, Child, Enrolment, Family, HelpRequest, TrainingAttended
from services.core.platform.audit.actions import SYSTEM, record_audit
from services.core.platform.crypto.random_ids import new_digits, new_ref
from services.core.platform.db.database import Database, UnitOfWork
from tests.support.api_routes import app_without_database
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, make_family, make_place, pair
from tests.support.places import may_look, sent
from tests.support.staff_http import StaffMember, make_staff
from tests.support.uplinks import receive_fixes
from tests.support.world import LONG_AGO

# Lists that are made whole and then cut, so that no query's own bound can hide the row after a page.
CUT_FROM_THE_WHOLE: Final = {
    "/v1/staff/sites/{site_id}/surveys/{survey_id}/families",
    "/v1/staff/sites/{site_id}/silent-families",
    "/v1/staff/sites/{site_id}/usage",
    "/v1/staff/programmes/{programme_id}/usage",
    "/v1/staff/sites/{site_id}/triage",
}
# The newest ones, without a way to older ones.
WITHOUT_FURTHER_PAGES: Final = {
    "/v1/notices",
    "/v1/children/{child_id}/commands",
    "/v1/staff/exports",
    "/v1/staff/dhis2-imports",
    "/v1/staff/sites/{site_id}/cohorts/{cohort_id}/notices",
}
OF_GUARDIANS: Final = {
    "/v1/children/{child_id}/messages": ("messages", "next_cursor", "cursor", 100),
    "/v1/children/{child_id}/alerts": ("alerts", "next_cursor", "cursor", 100),
    "/v1/children/{child_id}/looks": ("looks", "next_before", "before", 100),
    "/v1/families/{family_id}/audit": ("entries", "next_before", "before", 100),
    "/v1/children/{child_id}/checkins/day/fixes": ("checkins", "next_cursor", "cursor", 500),
}
OF_STAFF: Final = {
    "/v1/staff/sites/{site_id}/watches": "watches",
    "/v1/staff/sites/{site_id}/families": "families",
    "/v1/staff/sites/{site_id}/break-glass": "break_glass",
    "/v1/staff/sites/{site_id}/help": "calls",
    "/v1/staff/sites/{site_id}/trainings": "trainings",
    "/v1/staff/sites/{site_id}/enrolments/ended": "enrolments",
}
STAFF_PAGE: Final = 200
Fill = Callable[[UnitOfWork, int], Awaitable[None]]


def test_every_list_with_a_limit_is_tried_here() -> None:
    paths = app_without_database().openapi()["paths"]
    paged = {
        path
        for path, operations in paths.items()
        for parameter in operations.get("get", {}).get("parameters", [])
        if parameter["name"] == "limit"
    }
    assert paged == {*OF_GUARDIANS, *OF_STAFF, *CUT_FROM_THE_WHOLE, *WITHOUT_FURTHER_PAGES}


async def _check_end(
    asking: Parent | StaffMember,
    path: str,
    leaf: str,
    following: tuple[str, str],
    most: int,
    add_one: Callable[[], Any],
) -> None:
    next_name, asked_name = following
    page = await asking.told("GET", f"{path}?limit={most}")
    assert (len(page[leaf]), page[next_name]) == (most, None)
    await add_one()
    page = await asking.told("GET", f"{path}?limit={most}")
    assert len(page[leaf]) == most
    assert page[next_name] is not None, "the row after the page cannot be reached"
    rest = await asking.told("GET", path, params={"limit": most, asked_name: page[next_name]})
    assert (len(rest[leaf]), rest[next_name]) == (1, None)
    assert rest[leaf][0] not in page[leaf]


@pytest.mark.parametrize("path", OF_GUARDIANS)
async def test_the_largest_page_of_guardians(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, path: str
) -> None:
    leaf, next_name, asked_name, most = OF_GUARDIANS[path]
    place = await make_place(database)
    parent = await make_family(client, database, place)
    fill = await _fill_of(parent, place, clock, leaf)
    async with database.begin() as work:
        await fill(work, most - await _rows_there(parent, leaf))

    async def add_one() -> None:
        async with database.begin() as work:
            await fill(work, 1)

    concrete = path.format(child_id=parent.child_id, family_id=parent.family_id)
    await _check_end(parent, concrete, leaf, (next_name, asked_name), most, add_one)


async def _rows_there(parent: Parent, leaf: str) -> int:
    """The family's log has entries of its log-in and consent already."""
    return len((await parent.told("GET", f"{parent.family}/audit?limit=100"))["entries"]) if leaf == "entries" else 0


async def _fill_of(parent: Parent, place: Place, clock: FakeClock, leaf: str) -> Fill:
    if leaf == "checkins":
        return await _fill_of_places(parent, place, clock)
    child_id, family_id = uuid.UUID(parent.child_id), uuid.UUID(str(parent.family_id))
    guardian_id = uuid.UUID(parent.guardian_id)

    async def add(work: UnitOfWork) -> None:
        if leaf == "messages":
            await send_to_child(work, child_id, guardian_id, new_ref(), text_body("Good night!"))
        elif leaf == "alerts":
            await raise_alert(work, NewAlert(child_id, family_id, "fall", subject_id=uuid.uuid4()))
        elif leaf == "looks":
            child = await child_by_id(work, child_id)
            assert child is not None
            record_place_access(work, guardian_id, child)
        else:
            record_audit(work, SYSTEM, "access", family_id=family_id)

    async def fill(work: UnitOfWork, count: int) -> None:
        for _ in range(count):
            await add(work)

    return fill


async def _fill_of_places(parent: Parent, place: Place, clock: FakeClock) -> Fill:
    await may_look(parent)
    username = (await pair(parent, place, since=LONG_AGO)).username
    moment = clock.now.replace(hour=4, minute=0, second=0)

    async def fill(work: UnitOfWork, count: int) -> None:
        nonlocal moment
        for start in range(0, count, 50):
            times = [moment + timedelta(seconds=number) for number in range(min(50, count - start))]
            moment += timedelta(seconds=50)
            assert {fix.code for fix in await receive_fixes(work, [sent(username, at) for at in times])} == {"stored"}

    return fill


@pytest.mark.parametrize("path", OF_STAFF)
async def test_the_largest_page_of_staff(client: httpx.AsyncClient, database: Database, path: str) -> None:
    leaf = OF_STAFF[path]
    place = await make_place(database)
    member = await make_staff(client, database, place, "manager")
    site_id = place.site.site_id

    async def family(work: UnitOfWork) -> Family:
        row = Family(family_code=f"E-{new_ref(8).upper()}", created_at=work.now)
        work.add(row)
        await work.flush()
        return row

    async def add(work: UnitOfWork, staff: Staff) -> None:
        if leaf == "watches":
            work.add(
                Watch(
                    serial=f"END{new_digits(8)}", model="sim-1", site_id=site_id, factory_password_hash=new_ref(),
                    registered_at=work.now,
                )
            )  # fmt: skip
            return
        row = await family(work)
        if leaf == "break_glass":
            work.add(
                BreakGlass(
                    family_id=row.family_id, site_id=site_id, reason="gone", asked_by=staff.staff_id, asked_at=work.now
                )
            )
            return
        enrolment = Enrolment(
            family_id=row.family_id, site_id=site_id, cohort_id=place.cohort.cohort_id,
            guardian_phone=f"+86139{new_digits(8)}", enrolled_at=work.now,
        )  # fmt: skip
        if leaf == "enrolments":
            enrolment.ended_at, enrolment.end_reason = work.now, "moved_away"
        work.add(enrolment)
        if leaf == "trainings":
            await work.flush()
            work.add(
                TrainingAttended(
                    enrolment_id=enrolment.enrolment_id, training="watch", attended_on=work.now.date(),
                    noted_at=work.now,
                )
            )  # fmt: skip
        if leaf == "calls":
            child = Child(family_id=row.family_id, name="Mei", wrapped_key=b"-", created_at=work.now)
            work.add(child)
            await work.flush()
            work.add(HelpRequest(family_id=row.family_id, child_id=child.child_id, kind="lost", asked_at=work.now))

    async def fill(count: int) -> None:
        async with database.begin() as work:
            staff = await work.session.get_one(Staff, member.staff_id)
            for _ in range(count):
                await add(work, staff)

    await fill(STAFF_PAGE)
    await _check_end(member, path.format(site_id=site_id), leaf, ("next", "after"), STAFF_PAGE, lambda: fill(1))
