"""Lists of staff come in pages and can be narrowed down; a page's end at another site leads nowhere."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from services.core.people.programme.tables import Cohort
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import make_family, make_place
from tests.support.pdf import text_of
from tests.support.staff_http import StaffMember, at_hand_out, family_code_of, make_staff


async def _pages(member: StaffMember, path: str, leaf: str, **narrowed: str) -> list[list[Any]]:
    pages, after = [], None
    while True:
        params = {"limit": "2", **narrowed, **({"after": after} if after else {})}
        page = await member.told("GET", path, params=params)
        pages.append(page[leaf])
        after = page["next"]
        if after is None:
            return pages


async def test_calls_for_help_come_in_pages_the_oldest_first(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    staff = await make_staff(client, database, place)
    kinds = ["worried", "lost", "broken", "lost", "lost"]
    made = []
    for number, kind in enumerate(kinds):
        parent = await make_family(client, database, place)
        made.append((await parent.told("POST", f"{parent.child}/help", json={"kind": kind}))["help_id"])
        # Two at the same moment: which of them comes first is decided by their ids.
        clock.advance(seconds=number % 2)
    path = f"/v1/staff/sites/{place.site.site_id}/help"
    pages = await _pages(staff, path, "calls")
    assert [len(page) for page in pages] == [2, 2, 1]
    help_ids = [call["help_id"] for page in pages for call in page]
    assert sorted(help_ids) == sorted(made)
    when = [call["asked_at"] for page in pages for call in page]
    assert when == sorted(when)
    lost = await _pages(staff, path, "calls", kind="lost")
    assert [len(page) for page in lost] == [2, 1]
    assert {call["kind"] for page in lost for call in page} == {"lost"}
    # One that was taken care of while somebody turned the page still says where to go on.
    await staff.told("POST", f"{path}/{help_ids[1]}/done")
    assert [call["help_id"] for call in (await staff.told("GET", f"{path}?after={help_ids[1]}"))["calls"]] == help_ids[
        2:
    ]
    # And one of another site is as unknown as one that never was.
    elsewhere = await make_place(database)
    stranger = await make_family(client, database, elsewhere)
    foreign = (await stranger.told("POST", f"{stranger.child}/help", json={"kind": "lost"}))["help_id"]
    for after in (foreign, str(uuid.uuid4())):
        assert await staff.told("GET", f"{path}?after={after}") == {"calls": [], "next": None}
    assert await staff.refused("GET", f"{path}?kind=sad") == (422, "invalid_request")


async def test_break_glass_comes_in_pages_the_newest_first_and_for_one_family(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    manager = await make_staff(client, database, place, "manager")
    site = f"/v1/staff/sites/{place.site.site_id}"
    made, codes = [], []
    for _ in range(5):
        code = await family_code_of(await make_family(client, database, place))
        request = await manager.told(
            "POST", f"{site}/families/{code}/break-glass", json={"reason": "The child is gone."}
        )
        made.append(request["break_glass_id"])
        codes.append(code)
        clock.advance(seconds=1)
    pages = await _pages(manager, f"{site}/break-glass", "break_glass")
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [grant["break_glass_id"] for page in pages for grant in page] == made[::-1]
    ((row,),) = await _pages(manager, f"{site}/break-glass", "break_glass", family_code=codes[3].lower())
    assert row["break_glass_id"] == made[3]
    for after in (str(uuid.uuid4()),):
        rest = await manager.told("GET", f"{site}/break-glass?after={after}")
        assert rest == {"break_glass": [], "next": None}


async def test_the_list_to_sign_is_for_one_cohort_where_it_is_asked_for(
    client: httpx.AsyncClient, database: Database
) -> None:
    place, elsewhere = await make_place(database), await make_place(database)
    coordinator = await at_hand_out(await make_staff(client, database, place, "coordinator"), place)
    code = await family_code_of(await make_family(client, database, place))
    async with database.begin() as work:
        empty = Cohort(site_id=place.site.site_id, name="the next", created_at=work.now)
        work.add(empty)
    path = f"/v1/staff/sites/{place.site.site_id}/hand-out-list"
    of_all, of_one, of_none = [
        text_of(await coordinator.told("GET", path, params=narrowed))
        for narrowed in ({}, {"cohort_id": str(place.cohort.cohort_id)}, {"cohort_id": str(empty.cohort_id)})
    ]
    assert (code in of_all, code in of_one, code in of_none) == (True, True, False)
    for foreign in (elsewhere.cohort.cohort_id, uuid.uuid4()):
        assert await coordinator.refused("GET", f"{path}?cohort_id={foreign}") == (404, "not_found")
