"""Two people means two people: one admin alone, with as many accounts as they can make, approves nothing."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from services.core.office.break_glass.actions import notify_one_break_glass
from services.core.people.accounts.tables import Staff
from services.core.people.programme.tables import StaffScope
from services.core.people.staff_accounts.actions import create_staff, reset_staff
from services.core.people.staff_accounts.queries import approvers_at
from services.core.people.staff_accounts.tables import StaffOrigin
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.colleague import Colleague, first_password_sent_to, status_and_code
from tests.support.http import Parent, Place, make_family, make_place, new_phone, sms_to
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
        asked = {"email": f"{new_ref()}@wecare.example", "display_name": "Dora", "role": role, "phone": new_phone()}
        return asked | {"employed_by_factory": False, "site_id": str(self.place.site.site_id)} | other

    async def opened(self, author: StaffMember, approver: StaffMember, role: str = "admin") -> StaffMember:
        """Open an account in the name of ``author``; log in as it."""
        asked = await author.told("POST", "/v1/staff/accounts", json=self.new_account(role))
        done = await approver.told("POST", f"/v1/staff/account-requests/{asked['request_id']}/approve")
        return await self.member(uuid.UUID(done["staff_id"]), author.client)

    async def member(self, staff_id: uuid.UUID, client: httpx.AsyncClient) -> StaffMember:
        async with self.database.begin() as work:
            staff = await work.session.get_one(Staff, staff_id)
        return await renewed(StaffMember(client, staff, ""), self.database)

    async def reset(self, author: StaffMember, approver: StaffMember, member: StaffMember, **said: str) -> StaffMember:
        asked = await author.told("POST", f"/v1/staff/accounts/{member.staff_id}/reset", json=said)
        await approver.told("POST", f"/v1/staff/account-requests/{asked['request_id']}/approve")
        return await self.member(member.staff.staff_id, member.client)

    async def break_glass(self, asker: StaffMember, days: int = 0) -> str:
        asked = await asker.told(
            "POST", f"{self.site}/families/{self.code}/break-glass",
            json={"reason": "The school called.", "tell_after_days": days},
        )  # fmt: skip
        return f"{self.site}/break-glass/{asked['break_glass_id']}/approve"

    async def recovery(self, asker: StaffMember) -> str:
        asked = {"kind": "phone", "phone": self.mother.phone, "new_phone": new_phone(), **CARD}
        made = await asker.told("POST", f"{self.site}/families/{self.code}/recoveries", json=asked)
        return f"{self.site}/recoveries/{made['recovery_id']}"

    async def all_refused(self, one: StaffMember, other: StaffMember, refusal: tuple[int, str] = SECOND) -> None:
        """Show that neither approves anything of the other's: break-glass, delayed or not, recovery, an account."""
        one, other = await renewed(one, self.database), await renewed(other, self.database)
        for asker, approver in ((one, other), (other, one)):
            for days in (0, 30):
                assert await approver.refused("POST", await self.break_glass(asker, days)) == refusal
            recovery = await self.recovery(asker)
            assert await approver.refused("POST", f"{recovery}/approve", json=CARD) == refusal
            await approver.told("POST", f"{recovery}/withdraw")
            if asker.staff.role == "admin":
                asked = await asker.told("POST", "/v1/staff/accounts", json=self.new_account())
                path = f"/v1/staff/account-requests/{asked['request_id']}/approve"
                assert await approver.refused("POST", path) == refusal


async def _office(client: httpx.AsyncClient, database: Database) -> Office:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    staff = [await make_staff(client, database, place, role) for role in ("admin", "admin", "manager")]
    return Office(database, place, staff, mother, await family_code_of(mother))


async def test_an_admin_alone_opens_no_account_that_may_approve_and_sees_no_password(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await _office(client, database)
    for role in ("admin", "manager", "staff", "coordinator"):
        wanted = office.new_account(role)
        answer = await office.ann.ask("POST", "/v1/staff/accounts", json=wanted)
        asked = answer.json()
        assert (asked["state"], asked["staff_id"]) == ("asked", None)
        assert await sms_to(database, wanted["phone"]) == []
        path = f"/v1/staff/account-requests/{asked['request_id']}/approve"
        assert await office.ann.refused("POST", path) == SECOND
        async with database.begin() as work:
            assert (await work.session.exec(select(Staff).where(Staff.email == wanted["email"]))).first() is None
        done = await office.cem.ask("POST", path)
        password = await first_password_sent_to(database, wanted["phone"])
        assert (done.json()["state"], done.json()["approved_by"]) == ("done", office.cem.staff_id)
        for told in (answer, done, await office.ann.ask("GET", "/v1/staff/accounts")):
            assert password not in told.text
            assert "password" not in told.text


async def test_an_account_counts_with_nobody_who_stands_behind_it_however_far_up(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    """Ann has two puppets that careless colleagues let through, and a third one by the second."""
    office = await _office(client, database)
    puppet = await office.opened(office.ann, office.bo)
    other_puppet = await office.opened(office.ann, office.cem)
    clock.advance(days=7)
    ann, bo = await renewed(office.ann, database), await renewed(office.bo, database)
    puppet, other_puppet = await renewed(puppet, database), await renewed(other_puppet, database)
    third = await office.opened(puppet, bo)
    clock.advance(days=7)
    for one, other in ((ann, puppet), (ann, third), (puppet, other_puppet), (puppet, third), (other_puppet, third)):
        await office.all_refused(one, other)
    # An account that Ann did not create counts as a second person with each; two accounts of hers never do.
    bo, third = await renewed(office.bo, database), await renewed(third, database)
    path = await office.break_glass(third, days=30)
    await bo.told("POST", path)
    ann = await renewed(ann, database)
    assert await ann.refused("POST", path) == SECOND
    cem = await renewed(office.cem, database)
    await cem.told("POST", path)


async def test_who_reset_an_account_counts_with_it_no_more(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    cem = await office.reset(office.ann, office.bo, office.cem)
    clock.advance(days=7)
    await office.all_refused(office.ann, cem)
    bo, cem = await renewed(office.bo, database), await renewed(cem, database)
    await cem.told("POST", await office.break_glass(bo))


async def test_an_account_approves_nothing_for_seven_days_after_it_was_opened_or_promoted(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    dora = await office.opened(office.ann, office.bo, "staff")
    recovery = await office.recovery(office.cem)
    assert await dora.refused("POST", f"{recovery}/approve", json=CARD) == TOO_NEW
    clock.advance(days=6, hours=23)
    dora = await renewed(dora, database)
    assert await dora.refused("POST", f"{recovery}/approve", json=CARD) == TOO_NEW
    clock.advance(hours=1)
    dora, ann, bo, cem = [await renewed(one, database) for one in (dora, office.ann, office.bo, office.cem)]
    recovery = await office.recovery(cem)
    await dora.told("POST", f"{recovery}/approve", json=CARD)
    asked = await ann.told("POST", f"/v1/staff/accounts/{dora.staff_id}/role", json={"role": "manager"})
    path = await office.break_glass(cem)
    assert await dora.refused("POST", path) == (403, "permission_missing")
    await bo.told("POST", f"/v1/staff/account-requests/{asked['request_id']}/approve")
    assert await dora.refused("POST", path) == TOO_NEW
    clock.advance(days=7)
    dora, cem = await renewed(dora, database), await renewed(cem, database)
    await dora.told("POST", await office.break_glass(cem))


async def test_a_reset_by_two_counts_at_once_where_the_guardian_is_told_at_once_and_nowhere_else(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await _office(client, database)
    dora = await make_staff(client, database, office.place, "manager")
    cem = await office.reset(office.ann, office.bo, office.cem)
    await cem.told("POST", await office.break_glass(dora))
    assert await cem.refused("POST", await office.break_glass(dora, days=1)) == TOO_NEW
    recovery = await office.recovery(dora)
    assert await cem.refused("POST", f"{recovery}/approve", json=CARD) == TOO_NEW
    # Where the number changed with it, whoever holds the new one has to wait.
    old_phone = cem.staff.phone
    cem = await office.reset(office.ann, office.bo, cem, phone=new_phone())
    assert await cem.refused("POST", await office.break_glass(dora)) == TOO_NEW
    assert "moved to another number" in (await sms_to(database, old_phone or ""))[-1]


async def test_a_delay_is_approved_only_by_accounts_that_were_there_before_the_case(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    dora = await office.opened(office.ann, office.bo, "manager")
    clock.advance(days=6)
    bo, cem = await renewed(office.bo, database), await renewed(office.cem, database)
    early = await office.break_glass(cem, days=30)
    # Reset by the command line in the middle of a case: no longer one who was there before.
    async with database.begin() as work:
        await reset_staff(work, OPERATOR, bo.staff.email)
    clock.advance(days=1)
    dora, bo = await renewed(dora, database), await renewed(bo, database)
    await dora.told("POST", early)
    assert await bo.refused("POST", early) == TOO_NEW


async def test_the_familys_log_shows_every_step_with_its_author_and_time_once_the_guardian_is_told(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    puppet = await office.opened(office.ann, office.bo)
    dora = await make_staff(client, database, office.place, "manager")
    path = await office.break_glass(office.ann, days=2)
    asked_at = clock.now
    clock.advance(minutes=1)
    assert await puppet.refused("POST", path) == SECOND
    clock.advance(minutes=1)
    await dora.told("POST", path)
    clock.advance(minutes=1)
    await office.cem.told("POST", path)
    clock.advance(minutes=1)
    seen = path.removesuffix("approve") + "guardian"
    await office.ann.told("GET", seen)

    async def log() -> list[tuple[str, str, str]]:
        async with database.begin() as work:
            entries = await work.session.exec(
                select(AuditEntry)
                .where(AuditEntry.family_id == office.mother.family_id, col(AuditEntry.action).like("break_glass.%"))
                .order_by(col(AuditEntry.seq))
            )
            return [(entry.actor_id, entry.action.partition(".")[2], entry.outcome) for entry in entries]

    assert await log() == []
    clock.advance(days=2)
    due = True
    while due:
        async with database.begin() as work:
            due = await notify_one_break_glass(work)
    assert await log() == [
        (office.ann.staff_id, "asked", "done"), (puppet.staff_id, "approved", "refused"),
        (dora.staff_id, "approved", "done"), (office.cem.staff_id, "approved", "done"),
        (office.ann.staff_id, "looked", "done"), ("", "told", "done"),
    ]  # fmt: skip
    async with database.begin() as work:
        first = await work.session.exec(
            select(AuditEntry.at).where(
                AuditEntry.family_id == office.mother.family_id, AuditEntry.action == "break_glass.asked"
            )
        )
        assert first.one() == asked_at
    # Told at once: the look that follows the notice is there as well.
    bo = await renewed(office.bo, database)
    path = await office.break_glass(bo)
    clock.advance(minutes=1)
    await (await renewed(dora, database)).told("POST", path)
    await bo.told("GET", path.removesuffix("approve") + "guardian")
    assert [action for _, action, _ in await log()][6:] == ["asked", "approved", "told", "looked"]


async def test_a_first_password_works_once_within_a_day(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    wanted = [office.new_account("factory") for _ in range(2)]
    for one in wanted:
        assert (await office.ann.told("POST", "/v1/staff/accounts", json=one))["state"] == "done"
    dora, eve = [
        Colleague(client, clock, one["email"], await first_password_sent_to(database, one["phone"])) for one in wanted
    ]
    first = dora.password
    assert status_and_code(await dora.say("set-up/confirm", code="123456", new_password=first)) == (
        422, "password_refused",
    )  # fmt: skip
    await dora.set_up()
    clock.advance(seconds=30)
    assert await dora.log_in(dora.shown()) == (200, "")
    dora.password = first
    clock.advance(seconds=30)
    assert await dora.log_in(dora.shown()) == (403, "staff_log_in_refused")
    clock.advance(hours=24)
    assert status_and_code(await eve.say("set-up")) == (403, "staff_log_in_refused")


async def test_a_change_of_ones_own_password_ends_the_other_sessions_and_keeps_the_standing(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    phone = new_phone()
    async with database.begin() as work:
        made = await create_staff(
            work, OPERATOR, email=f"{new_ref()}@wecare.example", display_name="Fen", role="manager",
            site=office.place.site, phone=phone,
        )  # fmt: skip
        email = made.staff.email
    fen = await Colleague(client, clock, email, await first_password_sent_to(database, phone)).set_up()
    clock.advance(days=7)
    await fen.log_in(fen.shown())
    tokens = [(await fen.say("tokens", code=fen.shown(step))).json() for step in (1,)]
    here = tokens[0]
    clock.advance(minutes=1)
    other = (await fen.say("tokens", code=fen.shown())).json()

    async def change(old: str, code: str, new: str) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {here['access_token']}"}
        said = {"password": old, "code": code, "new_password": new}
        return status_and_code(await client.post("/v1/staff/me/password", json=said, headers=headers))

    new = "copper-5-window-river"
    assert await change("wrong", fen.shown(1), new) == (403, "staff_log_in_refused")
    assert await change(fen.password, fen.recovery_codes[0][:6].replace("-", "0"), new) in {
        (422, "invalid_request"), (403, "staff_log_in_refused"),
    }  # fmt: skip
    assert await change(fen.password, fen.shown(1), fen.password) == (422, "password_refused")
    assert await change(fen.password, fen.shown(1), "aaaaaaaaaaaaaa") == (422, "password_refused")
    assert await change(fen.password, fen.shown(1), new) == (204, "")
    fen.tokens = other
    assert await fen.me() == (401, "session_ended")
    fen.tokens = here
    assert await fen.me() == (200, "")
    member = StaffMember(client, made.staff, here["access_token"])
    await member.told("POST", await office.break_glass(await renewed(office.cem, database)))


async def test_accounts_of_the_command_line_count_at_once_until_the_first_family_is_enrolled(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await _office(client, database)
    async with database.begin() as work:
        # Families are enrolled here already.
        late = await create_staff(
            work, OPERATOR, email=f"{new_ref()}@wecare.example", display_name="Gul", role="manager",
            site=office.place.site, phone=new_phone(),
        )  # fmt: skip
        late_id = late.staff.staff_id
        founder = await make_staff(client, database, office.place, "manager")
    gul = await office.member(late_id, client)
    assert await gul.refused("POST", await office.break_glass(office.cem)) == TOO_NEW
    async with database.begin() as work:
        await work.run(
            update(Staff)
            .where(col(Staff.staff_id) == founder.staff.staff_id)
            .values(is_founding=True, appointed_at=work.now)
        )
    await founder.told("POST", await office.break_glass(office.cem))


async def test_a_new_number_from_the_command_line_ends_what_stood_behind_an_account(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    dora = await office.opened(office.ann, office.bo, "manager")
    async with database.begin() as work:
        await reset_staff(work, OPERATOR, dora.staff.email)
        assert len(
            (await work.session.exec(select(StaffOrigin).where(StaffOrigin.staff_id == dora.staff.staff_id))).all()
        )
        await reset_staff(work, OPERATOR, dora.staff.email, phone=new_phone())
    clock.advance(days=7)
    dora, ann = await renewed(dora, database), await renewed(office.ann, database)
    await dora.told("POST", await office.break_glass(ann))


async def test_requests_lapse_are_withdrawn_and_seen_within_ones_scopes_only(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office, elsewhere = await _office(client, database), await _office(client, database)
    wanted = office.new_account("manager")
    asked = await office.ann.told("POST", "/v1/staff/accounts", json=wanted)
    (listed,) = (await office.cem.told("GET", "/v1/staff/account-requests"))["requests"]
    assert (listed["request_id"], listed["asked_by_name"], listed["phone"]) == (
        asked["request_id"], "admin", wanted["phone"],
    )  # fmt: skip
    assert (await elsewhere.bo.told("GET", "/v1/staff/account-requests"))["requests"] == []
    path = f"/v1/staff/account-requests/{asked['request_id']}"
    assert await elsewhere.bo.refused("POST", f"{path}/approve") == (404, "not_found")
    assert await office.bo.refused("POST", "/v1/staff/accounts", json=wanted) == (409, "staff_request_stands")
    await office.bo.told("POST", f"{path}/withdraw")
    assert await office.cem.refused("POST", f"{path}/approve") == (409, "staff_request_ended")
    asked = await office.bo.told("POST", "/v1/staff/accounts", json=wanted)
    clock.advance(days=7)
    ann, cem = await renewed(office.ann, database), await renewed(office.cem, database)
    path = f"/v1/staff/account-requests/{asked['request_id']}/approve"
    assert await cem.refused("POST", path) == (409, "staff_request_ended")
    asked = await ann.told("POST", "/v1/staff/accounts", json=wanted)
    # Whose author has gone meanwhile does not stand.
    bo = await renewed(office.bo, database)
    await bo.told("POST", f"/v1/staff/accounts/{ann.staff_id}/end")
    path = f"/v1/staff/account-requests/{asked['request_id']}/approve"
    assert await cem.refused("POST", path) == (409, "staff_request_ended")


async def test_another_scope_for_an_account_needs_a_second_person_as_well(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await _office(client, database)
    dora = await office.opened(office.ann, office.bo, "manager")
    chief, second = [await make_staff(client, database, office.place, "admin", programme=True) for _ in range(2)]
    wanted = office.new_account("manager", email=dora.staff.email, phone=dora.staff.phone)
    del wanted["site_id"]
    wanted["programme_id"] = str(office.place.site.programme_id)
    asked = await chief.told("POST", "/v1/staff/accounts", json=wanted)
    async with database.begin() as work:
        assert (
            len((await work.session.exec(select(StaffScope).where(StaffScope.staff_id == dora.staff.staff_id))).all())
            == 1
        )
    # A manager of one site cannot approve what reaches beyond it.
    path = f"/v1/staff/account-requests/{asked['request_id']}/approve"
    assert await office.cem.refused("POST", path) == (404, "not_found")
    await second.told("POST", path)
    async with database.begin() as work:
        assert (
            len((await work.session.exec(select(StaffScope).where(StaffScope.staff_id == dora.staff.staff_id))).all())
            == 2
        )


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ({"employed_by_factory": True}, (422, "role_of_factory")),
        ({"role": "coordinator", "employed_by_factory": True}, (422, "role_of_factory")),
        ({"phone": "12345"}, (422, "phone_invalid")),
        ({"phone": None}, (422, "invalid_request")),
        ({"employed_by_factory": None}, (422, "invalid_request")),
    ],
)
async def test_what_an_account_cannot_be(
    client: httpx.AsyncClient, database: Database, other: dict[str, Any], refusal: tuple[int, str]
) -> None:
    office = await _office(client, database)
    assert await office.ann.refused("POST", "/v1/staff/accounts", json=office.new_account() | other) == refusal


async def test_people_who_could_approve_are_counted_and_not_their_accounts(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)

    async def approvers() -> int:
        async with database.begin() as work:
            await work.run(update(Staff).values(totp_confirmed_at=work.now))
            return await approvers_at(work, office.place.site)

    assert await approvers() == 3
    await office.opened(office.ann, office.bo)
    assert await approvers() == 3
    clock.advance(days=7)
    # Dora is nobody beside Ann.
    assert await approvers() == 3
    await make_staff(client, database, office.place, "staff")
    assert await approvers() == 3
    bo, cem = await renewed(office.bo, database), await renewed(office.cem, database)
    await bo.told("POST", f"/v1/staff/accounts/{cem.staff_id}/end")
    assert await approvers() == 2
