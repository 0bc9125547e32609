"""Fifty parents behind one address: a budget of codes for the site's own families, and slips that work once."""

from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest
from sqlmodel import select

from services.core.devices.push.queries import families_not_reached
from services.core.devices.push.tables import PushEndpoint
from services.core.office.hand_outs.actions import PrintedSlip, print_slips
from services.core.people.accounts.phone_numbers import calling_code
from services.core.people.accounts.tables import LoginChallenge
from services.core.people.households.queries import guardians_of
from services.core.people.households.tables import HandOut, LogInSlip
from services.core.platform.db.database import Database
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, enrol_family, fill_buckets, make_place, new_address, new_phone, sms_to
from tests.support.pdf import text_of
from tests.support.staff_http import StaffMember, family_code_of, make_staff
from tests.support.world import make_watch


class Hall:
    """A coordinator at a site, and parents who all come from one address."""

    def __init__(self, database: Database, place: Place, coordinator: StaffMember) -> None:
        self.database = database
        self.place = place
        self.coordinator = coordinator
        self.path = f"/v1/staff/sites/{place.site.site_id}/hand-outs"
        self.address = new_address()
        self.hand_out: dict[str, Any] = {}

    async def open(self, families: int = 50, minutes: int = 90) -> Hall:
        self.hand_out = await self.coordinator.told("POST", self.path, json={"families": families, "minutes": minutes})
        return self

    async def parent(self) -> Parent:
        phone = new_phone()
        family_id = await enrol_family(self.database, phone, self.place)
        return Parent(self.coordinator.client, self.database, phone, family_id, address=self.address)

    async def ask(self, phone: str, code: str | None = None) -> httpx.Response:
        return await self.coordinator.client.post(
            "/v1/auth/codes",
            json={"phone": phone, "hand_out_code": code or self.hand_out["code"]},
            headers={"X-Forwarded-For": self.address},
        )

    async def slip(self, parent: Parent) -> PrintedSlip:
        """Print a slip and read what stands on it; the answer itself is a picture."""
        async with parent.database.begin() as work:
            (slip,) = await print_slips(
                work, self.coordinator.staff.staff_id, self.place.site, self.hand_out_id, [await family_code_of(parent)]
            )
        return slip

    @property
    def hand_out_id(self) -> uuid.UUID:
        return uuid.UUID(self.hand_out["hand_out_id"])


async def _hall(client: httpx.AsyncClient, database: Database) -> Hall:
    place = await make_place(database)
    return Hall(database, place, await make_staff(client, database, place, "coordinator"))


async def _log_in_by_slip(parent: Parent, code: str) -> tuple[int, str]:
    answer = await parent.post("/v1/auth/slips", {"slip_code": code, "phone": parent.phone})
    if answer.status_code == 200:
        parent.tokens = answer.json()
        return 200, ""
    return answer.status_code, answer.json()["code"]


async def test_with_the_code_on_the_wall_more_parents_log_in_than_one_address_could(
    client: httpx.AsyncClient, database: Database
) -> None:
    hall = await (await _hall(client, database)).open(families=30)
    spent = Limits.CODES_OF_ADDRESS.value.burst
    for number in range(spent):
        body = {"phone": f"+49152{number:04d}0000"}
        await client.post("/v1/auth/codes", json=body, headers={"X-Forwarded-For": hall.address})
    parent = await hall.parent()
    refused = await parent.post("/v1/auth/codes", {"phone": parent.phone})
    assert refused.status_code == 429
    sent = await hall.ask(parent.phone, hall.hand_out["code"].upper().replace("-", " "))
    assert sent.status_code == 202
    code = re.search(r"[0-9]{6}", (await sms_to(database, parent.phone))[-1])
    assert code is not None
    parent.secrets[sent.json()["challenge_id"]] = sent.json()["challenge_secret"]
    assert (await parent.enter_code(sent.json()["challenge_id"], code[0])).status_code == 200


async def test_the_budget_is_spent_by_known_and_unknown_numbers_alike_and_only_the_sites_own_are_sent_anything(
    client: httpx.AsyncClient, database: Database
) -> None:
    hall = await (await _hall(client, database)).open(families=1)
    mine, unknown = await hall.parent(), new_phone()
    of_other_site = new_phone()
    await enrol_family(database, of_other_site)
    answers = [await hall.ask(phone) for phone in (mine.phone, unknown, of_other_site)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert len({tuple(answer.json()) for answer in answers}) == 1
    assert [len(await sms_to(database, phone)) for phone in (mine.phone, unknown, of_other_site)] == [1, 0, 0]
    fourth = await hall.ask((await hall.parent()).phone)
    assert (fourth.status_code, fourth.json()["code"]) == (403, "hand_out_closed")
    (listed,) = (await hall.coordinator.told("GET", hall.path))["hand_outs"]
    assert (listed["codes_left"], listed["open"]) == (0, True)


async def test_wall_codes_that_are_made_up_or_over_take_no_text_message_from_anybody(
    client: httpx.AsyncClient, database: Database
) -> None:
    hall = await (await _hall(client, database)).open()
    parent = await hall.parent()
    await hall.coordinator.told("POST", f"{hall.path}/{hall.hand_out_id}/close")
    known = Charge(Limits.SMS_OF_COUNTRY_KNOWN, calling_code(parent.phone), Limits.SMS_OF_COUNTRY_KNOWN.value.burst)
    await fill_buckets(database)
    for code in ("k3m2-q2x7", hall.hand_out["code"]):
        refused = await hall.ask(parent.phone, code)
        assert (refused.status_code, refused.json()["code"]) == (403, "hand_out_closed")
    async with database.begin() as work:
        # Every token is there: raises otherwise.
        await charge(work, known)
    await fill_buckets(database)


@pytest.mark.parametrize("end", ["time", "close"])
async def test_when_it_is_over_neither_its_code_nor_its_slips_work(
    client: httpx.AsyncClient, database: Database, clock: FakeClock, end: str
) -> None:
    hall = await (await _hall(client, database)).open(minutes=10)
    parent = await hall.parent()
    slip = await hall.slip(parent)
    if end == "time":
        clock.advance(minutes=10)
    else:
        for _ in range(2):
            closed = await hall.coordinator.told("POST", f"{hall.path}/{hall.hand_out['hand_out_id']}/close")
            assert not closed["open"]
    answer = await hall.ask(parent.phone)
    assert (answer.status_code, answer.json()["code"]) == (403, "hand_out_closed")
    assert await _log_in_by_slip(parent, slip.code) == (403, "slip_refused")


async def test_nobody_opens_one_for_longer_than_two_hours(client: httpx.AsyncClient, database: Database) -> None:
    hall = await _hall(client, database)
    for body in ({"families": 50, "minutes": 121}, {"families": 0, "minutes": 60}, {"families": 201, "minutes": 60}):
        assert await hall.coordinator.refused("POST", hall.path, json=body) == (422, "invalid_request")


async def test_a_slip_logs_its_family_in_once(client: httpx.AsyncClient, database: Database) -> None:
    hall = await (await _hall(client, database)).open()
    parent, neighbour = await hall.parent(), await hall.parent()
    slip = await hall.slip(parent)
    # Found on the floor it is worth nothing without the number it was made for.
    assert await _log_in_by_slip(neighbour, slip.code) == (403, "slip_refused")
    assert await _log_in_by_slip(parent, "abcd-efgh-ijkl") == (403, "slip_refused")
    assert await _log_in_by_slip(parent, slip.code.upper().replace("-", " ")) == (200, "")
    (family,) = (await parent.told("GET", "/v1/me"))["families"]
    assert (family["family_id"], family["is_primary"]) == (str(parent.family_id), True)
    assert await _log_in_by_slip(parent, slip.code) == (403, "slip_refused")


async def test_a_slip_printed_anew_voids_the_one_before_and_none_is_a_way_around_the_second_step(
    client: httpx.AsyncClient, database: Database
) -> None:
    hall = await (await _hall(client, database)).open()
    parent = await hall.parent()
    old, new = await hall.slip(parent), await hall.slip(parent)
    assert await _log_in_by_slip(parent, old.code) == (403, "slip_refused")
    assert await _log_in_by_slip(parent, new.code) == (200, "")
    assert not parent.tokens["limited"]
    other = parent.new_device()
    assert await _log_in_by_slip(other, (await hall.slip(parent)).code) == (200, "")
    assert other.tokens["limited"]


async def test_slips_are_printed_as_a_pdf_for_families_of_the_site_and_kept_as_hashes(
    client: httpx.AsyncClient, database: Database
) -> None:
    hall = await (await _hall(client, database)).open(families=6)
    parents = [await hall.parent() for _ in range(6)]
    codes = [await family_code_of(parent) for parent in parents]
    path = f"{hall.path}/{hall.hand_out['hand_out_id']}/slips"
    answer = await hall.coordinator.ask("POST", path, json={"family_codes": codes})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["cache-control"] == "no-store"
    printed = text_of(answer.content)
    assert all(code in printed for code in codes)
    slips = re.findall(r"[a-z2-7]{4}-[a-z2-7]{4}-[a-z2-7]{4}", printed)
    assert len(set(slips)) == 6
    async with database.begin() as work:
        kept = repr([*await work.session.exec(select(LogInSlip)), *await work.session.exec(select(HandOut))])
    for secret in (*slips, hall.hand_out["code"], *(slip.replace("-", "") for slip in slips)):
        assert secret not in kept
    stranger = await enrol_family(database, new_phone())
    foreign = await family_code_of(Parent(client, database, "", stranger))
    assert await hall.coordinator.refused("POST", path, json={"family_codes": [foreign]}) == (404, "not_found")
    # No more slips than families were announced.
    seventh = await family_code_of(await hall.parent())
    assert await hall.coordinator.refused("POST", path, json={"family_codes": [seventh]}) == (403, "hand_out_closed")


async def test_a_code_of_the_hand_out_is_a_code_like_any_other(client: httpx.AsyncClient, database: Database) -> None:
    hall = await (await _hall(client, database)).open()
    parent = await hall.parent()
    first = await hall.ask(parent.phone)
    again = await hall.ask(parent.phone)
    assert (again.status_code, again.json()["code"]) == (429, "login_code_too_often")
    async with database.begin() as work:
        challenges = (await work.session.exec(select(LoginChallenge).where(LoginChallenge.phone == parent.phone))).all()
    assert [str(challenge.challenge_id) for challenge in challenges] == [first.json()["challenge_id"]]


async def _no_channel(hall: Hall, parent: Parent) -> bool:
    """Return what the coordinator is told when the family gets a watch; which guardian it is, nobody tells them."""
    async with hall.database.begin() as work:
        watch, _ = await make_watch(work, hall.place.site.site_id, None)
    code = await family_code_of(parent)
    body = {"scan": f"smartwatch:serial:{watch.serial}", "family_code": code}
    given = await hall.coordinator.told(
        "POST", f"/v1/staff/sites/{hall.place.site.site_id}/watch-hand-outs", json=body
    )  # fmt: skip
    assert set(given) == {"serial", "family_code", "is_new", "no_working_channel"}
    async with hall.database.begin() as work:
        assert (code in await families_not_reached(work, [code, "F-NONE"])) is given["no_working_channel"]
    return bool(given["no_working_channel"])


async def test_a_family_that_no_alarm_would_reach_is_shown_at_the_hand_out(
    client: httpx.AsyncClient, database: Database
) -> None:
    hall = await (await _hall(client, database)).open()
    parent = await hall.parent()
    assert await _no_channel(hall, parent), "nobody has joined"
    slip = await hall.slip(parent)
    assert await _log_in_by_slip(parent, slip.code) == (200, "")
    await parent.consent("messages")
    readiness = await parent.told("GET", f"{parent.family}/readiness")
    (reach,) = readiness["guardians"]
    assert (reach["live_session"], reach["push"], reach["phone_confirmed"]) == (True, False, False)
    assert (reach["reachable"], readiness["ready"]) == (False, False), "an open app wakes nobody"
    assert await _no_channel(hall, parent)

    endpoint = {"kind": "webhook", "address": "https://push.example.org/x"}
    registered = await parent.told("POST", "/v1/push-endpoints", json=endpoint)
    assert not await _no_channel(hall, parent)
    async with database.begin() as work:
        row = await work.session.get_one(PushEndpoint, uuid.UUID(registered["endpoint_id"]))
        row.failing_since_at = work.now
        work.add(row)
    assert await _no_channel(hall, parent), "it takes nothing"


async def test_a_number_is_confirmed_by_its_code_and_a_guardian_who_is_not_counts(
    client: httpx.AsyncClient, database: Database
) -> None:
    hall = await (await _hall(client, database)).open()
    parent = await hall.parent()
    await parent.log_in()
    await parent.consent("messages")
    assert not await _no_channel(hall, parent)
    await parent.invite()
    assert not await _no_channel(hall, parent)
    async with database.begin() as work:
        guardians = await guardians_of(work, uuid.UUID(str(parent.family_id)))
        (grandmother,) = [guardian for _, guardian in guardians if str(guardian.guardian_id) != parent.guardian_id]
        grandmother.phone_confirmed_at = None
        work.add(grandmother)
    assert await _no_channel(hall, parent)
