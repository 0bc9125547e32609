"""Two people means two people: one admin alone, with as many accounts as they can make, approves nothing."""

from __future__ import annotations

import httpx
from sqlmodel import col, select

from services.core.office.break_glass.actions import notify_one_break_glass
from services.core.people.accounts.tables import Staff
from services.core.people.staff_accounts.actions import reset_staff
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.colleague import first_password_sent_to
from tests.support.http import new_phone, sms_to
from tests.support.office import CARD, SECOND, make_office
from tests.support.staff_http import make_staff, renewed

TOO_NEW = (403, "approver_too_new")


async def test_an_admin_alone_opens_no_account_that_may_approve_and_sees_no_password(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await make_office(client, database)
    for role in ("admin", "manager", "staff", "coordinator"):
        wanted = office.new_account(role)
        answer = await office.ann.ask("POST", "/v1/staff/accounts", json=wanted)
        request = answer.json()
        assert (request["state"], request["staff_id"]) == ("asked", None)
        assert await sms_to(database, wanted["phone"]) == []
        path = f"/v1/staff/account-requests/{request['request_id']}/approve"
        assert await office.ann.refused("POST", path) == SECOND
        async with database.begin() as work:
            assert (await work.session.exec(select(Staff).where(Staff.email == wanted["email"]))).first() is None
        done = await office.cem.ask("POST", path)
        password = await first_password_sent_to(database, wanted["phone"])
        assert (done.json()["state"], done.json()["approved_by"]) == ("done", office.cem.staff_id)
        for response in (answer, done, await office.ann.ask("GET", "/v1/staff/accounts")):
            assert password not in response.text
            assert "password" not in response.text


async def test_an_account_counts_with_nobody_who_stands_behind_it_however_far_up(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    """Ann has two puppets that careless colleagues let through, and a third one by the second."""
    office = await make_office(client, database)
    puppet = await office.opened(office.ann, office.bo)
    other_puppet = await office.opened(office.ann, office.cem)
    clock.advance(days=7)
    ann, bo = await renewed(office.ann, database), await renewed(office.bo, database)
    puppet, other_puppet = await renewed(puppet, database), await renewed(other_puppet, database)
    third = await office.opened(puppet, bo)
    clock.advance(days=7)
    for asking, other in ((ann, puppet), (ann, third), (puppet, other_puppet), (puppet, third), (other_puppet, third)):
        await office.all_refused(asking, other)
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
    office = await make_office(client, database)
    cem = await office.reset(office.ann, office.bo, office.cem)
    clock.advance(days=7)
    await office.all_refused(office.ann, cem)
    bo, cem = await renewed(office.bo, database), await renewed(cem, database)
    await cem.told("POST", await office.break_glass(bo))


async def test_an_account_approves_nothing_for_seven_days_after_it_was_opened_or_promoted(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await make_office(client, database)
    dora = await office.opened(office.ann, office.bo, "staff")
    recovery = await office.recovery(office.cem)
    assert await dora.refused("POST", f"{recovery}/approve", json=CARD) == TOO_NEW
    clock.advance(days=6, hours=23)
    dora = await renewed(dora, database)
    assert await dora.refused("POST", f"{recovery}/approve", json=CARD) == TOO_NEW
    clock.advance(hours=1)
    dora, ann, bo, cem = [await renewed(colleague, database) for colleague in (dora, office.ann, office.bo, office.cem)]
    recovery = await office.recovery(cem)
    await dora.told("POST", f"{recovery}/approve", json=CARD)
    request = await ann.told("POST", f"/v1/staff/accounts/{dora.staff_id}/role", json={"role": "manager"})
    path = await office.break_glass(cem)
    assert await dora.refused("POST", path) == (403, "permission_missing")
    await bo.told("POST", f"/v1/staff/account-requests/{request['request_id']}/approve")
    assert await dora.refused("POST", path) == TOO_NEW
    clock.advance(days=7)
    dora, cem = await renewed(dora, database), await renewed(cem, database)
    await dora.told("POST", await office.break_glass(cem))


async def test_a_reset_by_two_counts_at_once_where_the_guardian_is_told_at_once_and_nowhere_else(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await make_office(client, database)
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
    office = await make_office(client, database)
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
    office = await make_office(client, database)
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
