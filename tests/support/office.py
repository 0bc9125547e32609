"""A programme office of three people at one site, and a family; cases that need a second person."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

from services.core.people.accounts.tables import Staff
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.http import Parent, Place, make_family, make_place, new_phone
from tests.support.staff_http import StaffMember, family_code_of, make_staff, renewed

SECOND = (403, "second_person_needed")
TOO_NEW = (403, "approver_too_new")
CARD = {"form_number": "440301 1988 0417 2213", "document": "identity_card"}


class Office:
    """Two admins and a manager of a site who made nobody, and a family."""

    def __init__(self, database: Database, place: Place, staff: list[StaffMember], mother: Parent, code: str) -> None:
        self.database = database
        self.place = place
        self.ann, self.bo, self.cem = staff
        self.mother, self.code = mother, code
        self.site = f"/v1/staff/sites/{place.site.site_id}"

    def new_account(self, role: str = "admin", **other: Any) -> dict[str, Any]:
        account = {"email": f"{new_ref()}@wecare.example", "display_name": "Dora", "role": role, "phone": new_phone()}
        return account | {"employed_by_factory": False, "site_id": str(self.place.site.site_id)} | other

    async def opened(self, author: StaffMember, approver: StaffMember, role: str = "admin") -> StaffMember:
        """Open an account in the name of ``author``; log in as it."""
        request = await author.told("POST", "/v1/staff/accounts", json=self.new_account(role))
        done = await approver.told("POST", f"/v1/staff/account-requests/{request['request_id']}/approve")
        return await self.member(uuid.UUID(done["staff_id"]), author.client)

    async def member(self, staff_id: uuid.UUID, client: httpx.AsyncClient) -> StaffMember:
        async with self.database.begin() as work:
            staff = await work.session.get_one(Staff, staff_id)
        return await renewed(StaffMember(client, staff, ""), self.database)

    async def reset(
        self, author: StaffMember, approver: StaffMember, member: StaffMember, **fields: str
    ) -> StaffMember:
        request = await author.told("POST", f"/v1/staff/accounts/{member.staff_id}/reset", json=fields)
        await approver.told("POST", f"/v1/staff/account-requests/{request['request_id']}/approve")
        return await self.member(member.staff.staff_id, member.client)

    async def break_glass(self, asker: StaffMember, days: int = 0) -> str:
        request = await asker.told(
            "POST", f"{self.site}/families/{self.code}/break-glass",
            json={"reason": "The school called.", "tell_after_days": days},
        )  # fmt: skip
        return f"{self.site}/break-glass/{request['break_glass_id']}/approve"

    async def recovery(self, asker: StaffMember) -> str:
        body = {"kind": "phone", "phone": self.mother.phone, "new_phone": new_phone(), **CARD}
        made = await asker.told("POST", f"{self.site}/families/{self.code}/recoveries", json=body)
        return f"{self.site}/recoveries/{made['recovery_id']}"

    async def all_refused(self, first: StaffMember, other: StaffMember, refusal: tuple[int, str] = SECOND) -> None:
        """Show that neither approves anything of the other's: break-glass, delayed or not, recovery, an account."""
        first, other = await renewed(first, self.database), await renewed(other, self.database)
        for asker, approver in ((first, other), (other, first)):
            for days in (0, 30):
                assert await approver.refused("POST", await self.break_glass(asker, days)) == refusal
            recovery = await self.recovery(asker)
            assert await approver.refused("POST", f"{recovery}/approve", json=CARD) == refusal
            await approver.told("POST", f"{recovery}/withdraw")
            if asker.staff.role == "admin":
                request = await asker.told("POST", "/v1/staff/accounts", json=self.new_account())
                path = f"/v1/staff/account-requests/{request['request_id']}/approve"
                assert await approver.refused("POST", path) == refusal


async def make_office(client: httpx.AsyncClient, database: Database) -> Office:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    staff = [await make_staff(client, database, place, role) for role in ("admin", "admin", "manager")]
    return Office(database, place, staff, mother, await family_code_of(mother))
