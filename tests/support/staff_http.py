"""A staff member's browser, as tests drive it over HTTP."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from services.core.people.accounts.staff_sessions import open_staff_session
from services.core.people.accounts.tables import Staff
from services.core.people.accounts.tokens import AccessTokens, StaffClaims
from services.core.people.households.tables import Family
from services.core.people.programme.tables import StaffScope
from services.core.people.staff_accounts.rules import PROBATION
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.support.http import Parent, Place, new_address, new_phone

# Of a random password that was forgotten at once: none fits.
_OF_NOBODY = "$argon2id$v=19$m=47104,t=1,p=1$m/FjiO2oe82VKLIdM50SQA$iV42ShoTCYqLtr1pjrjwwjK8b/O4FiMc51i99wyfHJs"


@dataclass
class StaffMember:
    """One staff member who is logged in."""

    client: httpx.AsyncClient
    staff: Staff
    access_token: str
    address: str = field(default_factory=new_address)
    session_begun_at: datetime | None = None

    @property
    def staff_id(self) -> str:
        return str(self.staff.staff_id)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}", "X-Forwarded-For": self.address}

    async def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request as this staff member."""
        headers = {**self.headers, **options.pop("headers", {})}
        return await self.client.request(method, path, headers=headers, **options)

    async def told(self, method: str, path: str, **options: Any) -> Any:
        """Send a request that must succeed and return what is told."""
        answer = await self.ask(method, path, **options)
        assert answer.is_success, (method, path, answer.status_code, answer.text)
        is_json = answer.headers.get("content-type", "").endswith("json")
        return answer.json() if answer.content and is_json else answer.content or None

    async def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Send a request that must be refused and return status and code."""
        answer = await self.ask(method, path, **options)
        assert answer.is_client_error, (method, path, answer.status_code, answer.text)
        return answer.status_code, answer.json()["code"]


async def make_staff(
    client: httpx.AsyncClient, database: Database, place: Place, role: str = "staff", *, programme: bool = False
) -> StaffMember:
    """Make a staff member of a site, or of its whole programme, whose session stands.

    Passwords take their time and have tests of their own: none fits this one.
    """
    async with database.begin() as work:
        staff = Staff(
            email=f"{new_ref()}@wecare.example", display_name=role, role=role, password_hash=_OF_NOBODY,
            phone=new_phone(), appointed_at=work.now - PROBATION, created_at=work.now - PROBATION,
        )  # fmt: skip
        work.add(staff)
        await work.flush()
        work.add(
            StaffScope(
                staff_id=staff.staff_id,
                programme_id=place.site.programme_id if programme else None,
                site_id=None if programme else place.site.site_id,
            )
        )
    return await renewed(StaffMember(client, staff, ""), database)


async def at_hand_out(member: StaffMember, place: Place) -> StaffMember:
    """Return the staff member, who has opened a hand-out of two hours: coordinators see family codes in it."""
    path = f"/v1/staff/sites/{place.site.site_id}/hand-outs"
    await member.told("POST", path, json={"families": 50, "minutes": 120})
    return member


async def renewed(member: StaffMember, database: Database) -> StaffMember:
    """Return the staff member with a session begun now."""
    async with database.begin() as work:
        session = await open_staff_session(work, member.staff.staff_id)
        tokens = AccessTokens.of(Settings())
        claims = StaffClaims(session.staff_id, session.staff_session_id)
        token = tokens.issue_staff(claims, work.now)
        return StaffMember(member.client, member.staff, token, member.address, work.now)


async def logged_in_now(member: StaffMember, database: Database) -> StaffMember:
    """Return the staff member with a session begun now: the given one, unless the clock has moved since it began.

    For members that the tests of a module share: another test may have moved the clock beyond the end of a session.
    """
    return member if member.session_begun_at == database.clock() else await renewed(member, database)


async def family_code_of(parent: Parent) -> str:
    """Return the code by which staff know a family."""
    async with parent.database.begin() as work:
        return (await work.session.get_one(Family, parent.family_id)).family_code


async def waiting_recovery(
    client: httpx.AsyncClient, parent: Parent, place: Place, to: str | None = None, kind: str = "phone"
) -> str:
    """Have two of staff agree that the parent's number (or the primary guardian) changes; return the recovery's id."""
    first, second = [await make_staff(client, parent.database, place) for _ in range(2)]
    site, form = f"/v1/staff/sites/{place.site.site_id}", {"form_number": "2026-0417", "document": "identity_card"}
    body = {"kind": kind, "phone": parent.phone, "new_phone": to or new_phone(), **form}
    path = f"{site}/families/{await family_code_of(parent)}/recoveries"
    recovery = await first.told("POST", path, json=body)
    await second.told("POST", f"{site}/recoveries/{recovery['recovery_id']}/approve", json=form)
    return str(recovery["recovery_id"])
