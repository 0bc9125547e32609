"""A number changes, a primary guardian is lost: two people, paper, two days in which every guardian can object."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import update
from sqlmodel import col, select

from services.core.office.recovery.completion import carry_out_one_recovery
from services.core.people.accounts.tables import Guardian
from services.core.people.households.rules import APPROVAL_LIFETIME
from services.core.people.households.tables import Enrolment, Recovery
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.canary import rows_with
from tests.support.clock import FakeClock
from tests.support.http import TEXT_VERSION, Parent, Place, make_family, make_place, new_phone, sms_to
from tests.support.staff_http import StaffMember, family_code_of, make_staff, renewed, waiting_recovery

FORM = {"form_number": "2026-0417"}
CARD = {"form_number": "440301 1988 0417 2213", "document": "identity_card"}


class Office:
    """Two colleagues of one site and a family with a mother and a grandmother."""

    def __init__(self, place: Place, staff: list[StaffMember], mother: Parent, grandmother: Parent, code: str) -> None:
        self.place = place
        self.ann, self.bo = staff
        self.mother, self.grandmother = mother, grandmother
        self.site = f"/v1/staff/sites/{place.site.site_id}"
        self.path = f"{self.site}/families/{code}/recoveries"

    def recovery_body(self, **other: str) -> dict[str, str]:
        return {"kind": "phone", "phone": self.mother.phone, "new_phone": new_phone(), **CARD, **other}

    async def states(self) -> list[str]:
        return [recovery["state"] for recovery in (await self.ann.told("GET", f"{self.site}/recoveries"))["recoveries"]]


async def _phone_confirmed(database: Database, guardian_id: str) -> bool:
    async with database.begin() as work:
        guardian = await work.session.get_one(Guardian, uuid.UUID(guardian_id))
        return guardian.phone_confirmed_at is not None


async def _office(client: httpx.AsyncClient, database: Database) -> Office:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    grandmother = await mother.invite()
    staff = [await make_staff(client, database, place) for _ in range(2)]
    return Office(place, staff, mother, grandmother, await family_code_of(mother))


async def _carry_out(database: Database) -> int:
    done = 0
    while True:
        async with database.begin() as work:
            if not await carry_out_one_recovery(work):
                return done
        done += 1


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _nothing_waits(database: Database, clock: FakeClock) -> None:
    """No recovery of another test becomes due in this one."""
    clock.advance(hours=49)
    await _carry_out(database)


async def _numbers_on_watch(parent: Parent) -> set[str]:
    return {contact["number"] for contact in (await parent.contacts())["contacts"]}


async def test_a_number_changes_48_hours_after_two_have_agreed_and_everyone_is_told_before(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    old_phone, moved_to = office.mother.phone, new_phone()
    version = (await office.mother.contacts())["version"]
    cursor = (await office.grandmother.told("GET", "/v1/sync"))["cursor"]
    recovery_id = await waiting_recovery(client, office.mother, office.place, moved_to)
    for phone in (old_phone, office.grandmother.phone):
        text = (await sms_to(database, phone))[-1]
        assert "48 hours" in text
        assert not any(word in text for word in ("Mei", "Nai Nai", moved_to, old_phone))
    (recovery,) = (await office.mother.told("GET", f"{office.mother.family}/recoveries"))["recoveries"]
    assert (recovery["recovery_id"], recovery["state"], recovery["guardian_id"]) == (
        recovery_id, "waiting", office.mother.guardian_id,
    )  # fmt: skip
    # Nothing before it is due: the new number is a stranger's.
    clock.advance(hours=47, minutes=59)
    assert await _carry_out(database) == 0
    newcomer = Parent(client, database, moved_to, office.mother.family_id, office.mother.child_id)
    await newcomer.post("/v1/auth/codes", {"phone": moved_to})
    assert await sms_to(database, moved_to) == []
    clock.advance(minutes=2)
    assert await _carry_out(database) == 1
    assert await _carry_out(database) == 0
    # The old phone is logged out; the new number's first log-in is full, that of a second device is limited.
    answer = await client.post("/v1/auth/refresh", json={"refresh_token": office.mother.tokens["refresh_token"]})
    assert answer.status_code == 401
    # Text messages to the new number are not yet proven to arrive.
    assert not await _phone_confirmed(database, office.mother.guardian_id)
    await newcomer.log_in()
    assert await _phone_confirmed(database, office.mother.guardian_id)
    assert not newcomer.tokens["limited"]
    assert newcomer.guardian_id == office.mother.guardian_id
    assert (await newcomer.new_device().log_in()).tokens["limited"]
    contacts = await newcomer.contacts()
    assert contacts["version"] > version
    assert moved_to in await _numbers_on_watch(newcomer)
    assert old_phone not in await _numbers_on_watch(newcomer)
    await office.grandmother.log_in()
    events = (await office.grandmother.told("GET", f"/v1/sync?since={cursor}"))["events"]
    assert [event["detail"]["state"] for event in events if event["kind"] == "recovery.changed"] == ["waiting", "done"]


async def test_any_guardian_can_object_and_nothing_happens(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    recovery_id = await waiting_recovery(client, office.mother, office.place)
    contest = f"{office.mother.family}/recoveries/{recovery_id}/contest"
    assert (await office.grandmother.told("POST", contest))["state"] == "contested"
    assert await office.mother.refused("POST", contest) == (409, "recovery_ended")
    clock.advance(hours=49)
    assert await _carry_out(database) == 0
    office.ann = await renewed(office.ann, database)
    assert await office.states() == ["contested"]
    async with database.begin() as work:
        assert (await work.session.get_one(Recovery, uuid.UUID(recovery_id))).new_phone == ""


async def test_the_lost_primary_guardian_is_replaced_by_another_guardian(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    await waiting_recovery(client, office.mother, office.place, office.grandmother.phone, "primary")
    clock.advance(hours=48)
    assert await _carry_out(database) == 1
    await office.grandmother.log_in()
    standing = {
        guardian["guardian_id"]: (guardian["is_primary"], guardian["may_manage"])
        for guardian in (await office.grandmother.told("GET", f"{office.mother.family}/guardians"))["guardians"]
    }
    assert standing == {office.mother.guardian_id: (False, False), office.grandmother.guardian_id: (True, True)}


async def test_or_by_somebody_who_is_no_guardian_yet_and_sees_no_old_conversation(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    await office.mother.send("good night")
    aunt = Parent(client, database, new_phone(), office.mother.family_id, office.mother.child_id)
    await waiting_recovery(client, office.mother, office.place, aunt.phone, "primary")
    clock.advance(hours=48)
    assert await _carry_out(database) == 1
    await aunt.log_in()
    (family,) = (await aunt.told("GET", "/v1/me"))["families"]
    assert (family["is_primary"], family["family_id"]) == (True, str(office.mother.family_id))
    await aunt.consent()
    assert (await aunt.told("GET", f"{aunt.child}/messages"))["messages"] == []


async def test_one_person_is_not_two_and_the_paper_is_read_twice(client: httpx.AsyncClient, database: Database) -> None:
    office = await _office(client, database)
    recovery = await office.ann.told("POST", office.path, json=office.recovery_body())
    approve = f"{office.site}/recoveries/{recovery['recovery_id']}/approve"
    assert await office.ann.refused("POST", approve, json=CARD) == (403, "second_person_needed")
    # The list shows the second one no number: it has to be read from the paper.
    listed = await office.bo.ask("GET", f"{office.site}/recoveries")
    assert "0417" not in listed.text
    other = (422, "recovery_paper_differs")
    assert await office.bo.refused("POST", approve, json={**CARD, "form_number": "440301198804172214"}) == other
    assert await office.bo.refused("POST", approve, json={**CARD, "document": "passport"}) == other
    assert await office.bo.refused("POST", approve, json=FORM) == (422, "recovery_document_needed")
    # The family is told when two have agreed, and not of a question that one has asked.
    assert (await office.mother.told("GET", f"{office.mother.family}/recoveries"))["recoveries"] == []
    await office.bo.told("POST", approve, json={**CARD, "form_number": "440301198804172213"})
    assert await office.bo.refused("POST", approve, json=CARD) == (409, "recovery_ended")
    withdraw = f"{office.site}/recoveries/{recovery['recovery_id']}/withdraw"
    assert (await office.ann.told("POST", withdraw))["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("other", "refusal"),
    [
        ({"phone": "+8613900000099"}, (422, "recovery_paper_differs")),
        ({"phone": "12"}, (422, "invalid_request")),
        ({"new_phone": "abcd"}, (422, "phone_invalid")),
        ({"form_number": "a\u202eb"}, (422, "text_not_allowed")),
        ({"document": "letter"}, (422, "invalid_request")),
    ],
)
async def test_what_is_not_on_the_paper_is_refused(
    client: httpx.AsyncClient, database: Database, other: dict[str, Any], refusal: tuple[int, str]
) -> None:
    office = await _office(client, database)
    assert await office.ann.refused("POST", office.path, json=office.recovery_body(**other)) == refusal


async def test_a_number_with_an_account_a_guardian_who_is_not_primary_and_a_second_request_are_refused(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    body = office.recovery_body(new_phone=office.grandmother.phone)
    assert await office.ann.refused("POST", office.path, json=body) == (409, "recovery_phone_taken")
    not_primary = office.recovery_body(kind="primary", phone=office.grandmother.phone)
    assert await office.ann.refused("POST", office.path, json=not_primary) == (422, "recovery_paper_differs")
    await office.ann.told("POST", office.path, json=office.recovery_body())
    assert await office.bo.refused("POST", office.path, json=office.recovery_body()) == (409, "recovery_stands")
    # A request without approval for a week blocks no other.
    clock.advance(seconds=APPROVAL_LIFETIME.total_seconds())
    office.ann, office.bo = await renewed(office.ann, database), await renewed(office.bo, database)
    await office.bo.told("POST", office.path, json=office.recovery_body())
    assert await office.states() == ["asked", "withdrawn"]


async def test_a_number_that_was_taken_meanwhile_fails_and_the_family_is_told(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    office = await _office(client, database)
    moved_to = new_phone()
    await waiting_recovery(client, office.mother, office.place, moved_to)
    other = await make_family(client, database)
    invited = {"phone": moved_to, "relation": "aunt", "display_name": "Aunt"}
    await other.told("POST", f"{other.family}/invitations", json=invited)
    await Parent(client, database, moved_to).log_in()
    clock.advance(hours=48)
    assert await _carry_out(database) == 1
    await office.mother.log_in()
    (recovery,) = (await office.mother.told("GET", f"{office.mother.family}/recoveries"))["recoveries"]
    assert recovery["state"] == "failed"


ON_RECORD = {"enrolment": "DG1 / 0042", "consent": "DG1-0043"}


async def _recorded(client: httpx.AsyncClient, database: Database, where: str) -> Office:
    """Return an office whose family's form is on record: of its enrolment, or of what the mother signed."""
    office = await _office(client, database)
    if where == "enrolment":
        async with database.begin() as work:
            await work.run(
                update(Enrolment)
                .where(col(Enrolment.family_id) == office.mother.family_id)
                .values(form_number=ON_RECORD[where])
            )
    else:
        signed = {
            "part": "location", "text_version": TEXT_VERSION, "locale": "en", "how": "paper", "witness": "Zhang Wei",
            "form_number": ON_RECORD[where],
        }  # fmt: skip
        await office.mother.told("POST", f"{office.mother.family}/consents", json=signed)
    return office


@pytest.mark.parametrize("where", ON_RECORD)
async def test_where_the_familys_form_is_on_record_only_its_number_will_do(
    client: httpx.AsyncClient, database: Database, where: str
) -> None:
    office = await _recorded(client, database, where)
    refused = (422, "recovery_paper_differs")
    body = {key: value for key, value in office.recovery_body().items() if key != "document"}
    # Neither another form nor another document, however good.
    assert await office.ann.refused("POST", office.path, json={**body, **FORM}) == refused
    assert await office.ann.refused("POST", office.path, json={**body, **CARD}) == refused
    right = {"form_number": ON_RECORD[where]}
    recovery = await office.ann.told("POST", office.path, json={**body, **right})
    assert recovery["document"] == "enrolment_form"
    approve = f"{office.site}/recoveries/{recovery['recovery_id']}/approve"
    for wrong in (FORM, CARD, {**right, "document": "passport"}):
        assert await office.bo.refused("POST", approve, json=wrong) == refused
    written = ON_RECORD[where].lower().replace(" ", "")
    assert (await office.bo.told("POST", approve, json={"form_number": written}))["state"] == "waiting"


async def test_where_no_form_is_on_record_both_say_which_document_they_saw(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await _office(client, database)
    body = {key: value for key, value in office.recovery_body().items() if key != "document"}
    assert await office.ann.refused("POST", office.path, json=body) == (422, "recovery_document_needed")
    recovery = await office.ann.told("POST", office.path, json=office.recovery_body())
    assert recovery["document"] == "identity_card"
    # The document is recognised again, but stored in no readable form.
    async with database.begin() as work:
        stored = await work.session.get_one(Recovery, uuid.UUID(recovery["recovery_id"]))
        assert stored.number_hash != b""
    assert await rows_with(database, "440301198804172213") == []
    async with database.begin() as work:
        reasons = await work.session.exec(
            select(AuditEntry.reason).where(
                AuditEntry.family_id == office.mother.family_id,
                AuditEntry.action == "recovery.asked",
                AuditEntry.outcome == "refused",
            )
        )
        assert list(reasons) == ["recovery_document_needed"]


async def test_another_guardians_form_or_another_familys_is_not_on_record_here(
    client: httpx.AsyncClient, database: Database
) -> None:
    office = await _recorded(client, database, "consent")
    other = await make_family(client, database, office.place)
    site = f"{office.site}/families/{await family_code_of(other)}/recoveries"
    body = {"kind": "phone", "phone": other.phone, "new_phone": new_phone(), "form_number": ON_RECORD["consent"]}
    assert await office.ann.refused("POST", site, json=body) == (422, "recovery_document_needed")
    of_grandmother = {**body, "phone": office.grandmother.phone}
    assert await office.ann.refused("POST", office.path, json=of_grandmother) == (422, "recovery_document_needed")
