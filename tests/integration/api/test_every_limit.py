"""Every limit of docs/limits.md at every door that it stands before: used up it answers 429 and when to come back."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio

from services.core.people.accounts.phone_numbers import calling_code
from services.core.people.accounts.rules import number_range
from services.core.people.accounts.tables import Session, Staff
from services.core.people.accounts.tokens import AccessClaims, AccessTokens
from services.core.platform.crypto.passwords import hash_password
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits, wait_for, whole_seconds
from services.core.platform.settings import Settings
from tests.support.clock import FakeClock
from tests.support.http import (
    Parent,
    Place,
    code_in,
    fill_buckets,
    make_family,
    make_place,
    new_address,
    new_phone,
    sms_to,
)
from tests.support.staff_http import StaffMember, family_code_of, make_staff, renewed

REFUSED = (429, "too_many_requests")
_germans = itertools.count(1)


@dataclass
class Scene:
    """A family, a manager of its site, and a stranger's address."""

    client: httpx.AsyncClient
    database: Database
    place: Place
    mother: Parent
    manager: StaffMember
    address: str

    @property
    def site(self) -> str:
        return f"/v1/staff/sites/{self.place.site.site_id}"

    async def mothers_session(self) -> Session:
        """Return the session of the mother's own phone: other tests of this module log in with phones of hers."""
        claims = jwt.decode(self.mother.tokens["access_token"], options={"verify_signature": False})
        async with self.database.begin() as work:
            return await work.session.get_one(Session, uuid.UUID(claims["sid"]))

    async def renew(self) -> None:
        """Keep both logged in however long the clock moved on."""
        session = await self.mothers_session()
        async with self.database.begin() as work:
            row = await work.session.get_one(Session, session.session_id)
            row.last_used_at = row.stepped_up_at = work.now
            work.add(row)
        claims = AccessClaims(session.guardian_id, session.session_id)
        self.mother.tokens["access_token"] = AccessTokens.of(Settings()).issue(claims, self.database.clock())
        self.manager = await renewed(self.manager, self.database)

    async def post(self, path: str, body: Mapping[str, object], address: str | None = None) -> httpx.Response:
        """Say something as nobody, from one address."""
        return await self.client.post(path, json=body, headers={"X-Forwarded-For": address or self.address})


# Whose bucket it is, and one request that takes one token of it.
Door = tuple[str, Callable[[], Awaitable[httpx.Response]]]


def _german() -> str:
    return f"+49152{next(_germans):04d}0000"


async def codes_from_one_address(scene: Scene) -> Door:
    return scene.address, lambda: scene.post("/v1/auth/codes", {"phone": new_phone()})


async def codes_for_a_known_device(scene: Scene) -> Door:
    return str((await scene.mothers_session()).device_id), lambda: scene.mother.post(
        "/v1/auth/codes", {"phone": scene.mother.phone}
    )


async def codes_for_a_phone_from_one_address(scene: Scene) -> Door:
    phone = new_phone()
    return f"{phone}/{scene.address}", lambda: scene.post("/v1/auth/codes", {"phone": phone})


async def codes_for_a_phone(scene: Scene) -> Door:
    phone = new_phone()
    return phone, lambda: scene.post("/v1/auth/codes", {"phone": phone}, new_address())


async def codes_for_neighbouring_phones(scene: Scene) -> Door:
    phone = new_phone()
    last = itertools.count(1)
    return number_range(phone), lambda: scene.post(
        "/v1/auth/codes", {"phone": f"{phone[:-4]}{next(last):04d}"}, new_address()
    )


async def texts_to_a_country(scene: Scene) -> Door:
    return calling_code(_german()), lambda: scene.post("/v1/auth/codes", {"phone": _german()}, new_address())


async def texts_to_those_known(scene: Scene) -> Door:
    country = calling_code(scene.mother.phone)
    return country, lambda: scene.mother.post("/v1/auth/codes", {"phone": scene.mother.phone})


async def texts_at_a_hand_out(scene: Scene) -> Door:
    path = f"{scene.site}/hand-outs"
    opened = await scene.manager.told("POST", path, json={"families": 50, "minutes": 120})
    country = calling_code(scene.mother.phone)
    return country, lambda: scene.post("/v1/auth/codes", {"phone": new_phone(), "hand_out_code": opened["code"]})


async def codes_entered(scene: Scene) -> Door:
    body = {"challenge_id": str(uuid.uuid4()), "challenge_secret": "s", "phone": new_phone(), "code": "000000"}
    return scene.address, lambda: scene.post("/v1/auth/tokens", body)


async def slips_entered(scene: Scene) -> Door:
    body = {"slip_code": "k3m2q2x7d5fa", "phone": new_phone()}
    return scene.address, lambda: scene.post("/v1/auth/slips", body)


async def wall_codes_made_up(scene: Scene) -> Door:
    return scene.address, lambda: scene.post("/v1/auth/codes", {"phone": new_phone(), "hand_out_code": "k3m2-q2x7"})


def _staff_proof(email: str) -> dict[str, object]:
    return {"email": email, "password": "wrong", "code": "000000"}


async def passwords_entered_from_one_address(scene: Scene) -> Door:
    return scene.address, lambda: scene.post("/v1/staff/auth/tokens", _staff_proof(f"{new_ref()}@wecare.example"))


async def passwords_entered_for_a_colleague_from_one_address(scene: Scene) -> Door:
    email = scene.manager.staff.email
    return f"{email}/{scene.address}", lambda: scene.post("/v1/staff/auth/tokens", _staff_proof(email))


async def passwords_entered_for_a_colleague(scene: Scene) -> Door:
    email = scene.manager.staff.email
    return email, lambda: scene.post("/v1/staff/auth/tokens", _staff_proof(email), new_address())


async def set_ups_begun_for_a_colleague(scene: Scene) -> Door:
    email = scene.manager.staff.email
    body: dict[str, object] = {"email": email, "password": "wrong"}
    return email, lambda: scene.post("/v1/staff/auth/set-up", body, new_address())


async def requests_of_staff(scene: Scene) -> Door:
    return scene.manager.staff_id, lambda: scene.manager.ask("GET", "/v1/staff/me")


async def recoveries_asked_for(scene: Scene) -> Door:
    path = f"{scene.site}/families/{await family_code_of(scene.mother)}/recoveries"
    body = {"kind": "phone", "phone": scene.mother.phone, "new_phone": new_phone(), "form_number": "made up"}
    return scene.manager.staff_id, lambda: scene.manager.ask("POST", path, json=body)


async def recoveries_approved(scene: Scene) -> Door:
    path = f"{scene.site}/recoveries/{uuid.uuid4()}/approve"
    return scene.manager.staff_id, lambda: scene.manager.ask("POST", path, json={"form_number": "guessed"})


async def sessions_continued(scene: Scene) -> Door:
    return scene.address, lambda: scene.post("/v1/auth/refresh", {"refresh_token": "x" * 43})


async def sessions_of_staff_continued(scene: Scene) -> Door:
    return scene.address, lambda: scene.post("/v1/staff/auth/refresh", {"refresh_token": "x" * 43})


async def walls_read(scene: Scene) -> Door:
    headers = {"X-Forwarded-For": scene.address}
    return scene.address, lambda: scene.client.get(f"/v1/walls/{'x' * 43}", headers=headers)


async def _limited(scene: Scene) -> Parent:
    phone = await scene.mother.new_device().log_in()
    assert phone.tokens["limited"]
    return phone


async def pins_entered(scene: Scene) -> Door:
    phone = await _limited(scene)
    return scene.mother.guardian_id, lambda: phone.ask("POST", "/v1/auth/second-step", json={"pin": "000000"})


async def watch_codes_entered(scene: Scene) -> Door:
    phone = await _limited(scene)
    return scene.mother.guardian_id, lambda: phone.ask("POST", "/v1/auth/second-step", json={"watch_code": "000000"})


async def pins_entered_for_a_step_up(scene: Scene) -> Door:
    await scene.mother.told("PUT", "/v1/me/pin", json={"pin": "730418"})
    return scene.mother.guardian_id, lambda: scene.mother.ask("POST", "/v1/me/step-up", json={"pin": "000000"})


async def numbers_asked_for(scene: Scene) -> Door:
    await scene.mother.told("PUT", "/v1/me/pin", json={"pin": "730418"})
    path = "/v1/me/number-change"

    async def change() -> httpx.Response:
        phone = new_phone()
        sent = await scene.mother.told("POST", f"{path}/codes", json={"phone": phone})
        code = code_in((await sms_to(scene.database, phone))[-1])
        body = {name: sent[name] for name in ("challenge_id", "challenge_secret")}
        answer = await scene.mother.ask("POST", path, json={**body, "phone": phone, "code": code})
        if answer.is_success:
            await scene.mother.told("POST", f"{path}/stop")
        return answer

    return scene.mother.guardian_id, change


async def requests_of_a_guardian(scene: Scene) -> Door:
    return scene.mother.guardian_id, lambda: scene.mother.ask("GET", "/v1/me")


async def streams_opened_with_a_cursor_that_is_none(scene: Scene) -> Door:
    headers = {"Last-Event-ID": "not ours"}
    return scene.mother.guardian_id, lambda: scene.mother.ask("GET", "/v1/events", headers=headers)


def _headers(media_type: str) -> dict[str, str]:
    return {"Idempotency-Key": new_ref(), "Content-Type": media_type}


async def recordings_sent(scene: Scene) -> Door:
    path = f"{scene.mother.child}/voice-messages"
    return scene.mother.guardian_id, lambda: scene.mother.ask(
        "POST", path, content=b"no sound", headers=_headers("audio/amr")
    )


async def uploads_begun(scene: Scene) -> Door:
    path, body = f"{scene.mother.child}/uploads", {"bytes": 5000, "sha256": "0" * 64}
    return scene.mother.guardian_id, lambda: scene.mother.ask(
        "POST", path, json=body, headers={"Idempotency-Key": new_ref()}
    )


async def invitations_sent(scene: Scene) -> Door:
    path = f"{scene.mother.family}/invitations"
    return scene.mother.guardian_id, lambda: scene.mother.ask(
        "POST", path, json={"phone": new_phone(), "relation": "aunt"}
    )


async def push_trials(scene: Scene) -> Door:
    hook = {"kind": "webhook", "address": "https://push.example.org/trial"}
    endpoint = await scene.mother.told("POST", "/v1/push-endpoints", json=hook)
    path = f"/v1/push-endpoints/{endpoint['endpoint_id']}/try"
    return scene.mother.guardian_id, lambda: scene.mother.ask("POST", path)


async def copies_asked_for(scene: Scene) -> Door:
    return scene.mother.guardian_id, lambda: scene.mother.ask("POST", f"{scene.mother.family}/exports")


async def files_of_usage_asked_for(scene: Scene) -> Door:
    wanted = {"kind": "csv", "audience": "staff", "site_id": str(scene.place.site.site_id)}
    return scene.manager.staff_id, lambda: scene.manager.ask("POST", "/v1/staff/exports", json=wanted)


async def hand_outs_opened(scene: Scene) -> Door:
    body = {"families": 50, "minutes": 90}
    return scene.manager.staff_id, lambda: scene.manager.ask("POST", f"{scene.site}/hand-outs", json=body)


async def lists_sent(scene: Scene) -> Door:
    upload: dict[str, Any] = {"headers": {"Content-Type": "text/csv"}, "content": b"iccid,serial\n"}
    return scene.manager.staff_id, lambda: scene.manager.ask("POST", f"{scene.site}/imports/sims", **upload)


# A new limit adds its line here, and so does a new door of an old one.
DOORS: dict[Limits, tuple[Callable[[Scene], Awaitable[Door]], ...]] = {
    Limits.CODES_OF_ADDRESS: (codes_from_one_address,),
    Limits.CODES_OF_DEVICE: (codes_for_a_known_device,),
    Limits.CODES_OF_PHONE_AT_ADDRESS: (codes_for_a_phone_from_one_address,),
    Limits.CODES_OF_PHONE: (codes_for_a_phone,),
    Limits.CODES_OF_PREFIX: (codes_for_neighbouring_phones,),
    Limits.SMS_OF_COUNTRY: (texts_to_a_country,),
    Limits.SMS_OF_COUNTRY_KNOWN: (texts_to_those_known, texts_at_a_hand_out),
    Limits.TRIES_OF_ADDRESS: (codes_entered, slips_entered, wall_codes_made_up, passwords_entered_from_one_address),
    Limits.STAFF_TRIES_OF_ACCOUNT_AT_ADDRESS: (passwords_entered_for_a_colleague_from_one_address,),
    Limits.STAFF_TRIES_OF_ACCOUNT: (passwords_entered_for_a_colleague, set_ups_begun_for_a_colleague),
    Limits.REQUESTS_OF_STAFF: (requests_of_staff,),
    Limits.RECOVERIES_OF_STAFF: (recoveries_asked_for, recoveries_approved),
    Limits.REFRESHES_OF_ADDRESS: (sessions_continued, sessions_of_staff_continued),
    Limits.SECOND_STEPS_OF_GUARDIAN: (pins_entered, watch_codes_entered),
    Limits.STEP_UPS_OF_GUARDIAN: (pins_entered_for_a_step_up,),
    Limits.NUMBER_CHANGES_OF_GUARDIAN: (numbers_asked_for,),
    Limits.REQUESTS_OF_GUARDIAN: (requests_of_a_guardian, streams_opened_with_a_cursor_that_is_none),
    Limits.RECORDINGS_OF_GUARDIAN: (recordings_sent, uploads_begun),
    Limits.PUSH_TRIALS_OF_GUARDIAN: (push_trials,),
    Limits.INVITATIONS_OF_GUARDIAN: (invitations_sent,),
    Limits.EXPORTS_OF_GUARDIAN: (copies_asked_for,),
    Limits.EXPORTS_OF_STAFF: (files_of_usage_asked_for,),
    Limits.LISTS_OF_STAFF: (lists_sent,),
    Limits.HAND_OUTS_OF_STAFF: (hand_outs_opened,),
    Limits.WALLS_OF_ADDRESS: (walls_read,),
}
# Of MQTT: tests/integration/mqtt_bridge/test_rates.py.
ELSEWHERE = {Limits.MESSAGES_OF_WATCH, Limits.BYTES_OF_WATCH, Limits.RETRIES_OF_WATCH}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(client: httpx.AsyncClient, database: Database) -> Scene:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    manager = await make_staff(client, database, place, "manager")
    async with database.begin() as work:
        staff = await work.session.get_one(Staff, uuid.UUID(manager.staff_id))
        staff.password_hash = await hash_password("right")
    return Scene(client, database, place, mother, manager, new_address())


@pytest_asyncio.fixture(loop_scope="session")
async def scene(world: Scene, clock: FakeClock) -> Scene:
    # No code was sent to anybody a moment ago.
    clock.advance(minutes=2)
    await fill_buckets(world.database)
    await world.renew()
    return world


def test_every_limit_of_the_page_has_its_doors() -> None:
    assert set(DOORS) | ELSEWHERE == set(Limits)


def _code(answer: httpx.Response) -> tuple[int, str]:
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    outcome = answer.status_code, answer.json()["code"] if is_problem else ""
    # Bytes that are no request are not charged to a limit.
    assert answer.status_code < 500, answer.text
    assert outcome[1] not in {"invalid_request", "malformed", "access_token_invalid", "session_ended"}, answer.text
    return outcome


@pytest.mark.parametrize(
    ("limit", "door"), [(limit, door) for limit, doors in DOORS.items() for door in doors],
    ids=lambda case: case.name if isinstance(case, Limits) else case.__name__,
)  # fmt: skip
async def test_a_limit_that_is_used_up_says_when_to_come_back_and_then_lets_one_through(
    scene: Scene, clock: FakeClock, limit: Limits, door: Callable[[Scene], Awaitable[Door]]
) -> None:
    # Given: all but one token of this one bucket are gone.
    whose, ask = await door(scene)
    await fill_buckets(scene.database)
    async with scene.database.begin() as work:
        await charge(work, Charge(limit, whose, limit.value.burst - 1))
    # When: two come at the same moment.
    assert _code(await ask()) != REFUSED
    answer = await ask()
    # Then: the second one is told to wait exactly as long as the next token takes.
    wait_s = whole_seconds(wait_for(limit.value, 0))
    assert _code(answer) == REFUSED
    assert answer.json()["retry_after_s"] == wait_s
    assert answer.headers["retry-after"] == str(wait_s)
    if wait_s > 1:
        clock.advance(seconds=wait_s - 1)
        await scene.renew()
        assert _code(await ask()) == REFUSED
    clock.advance(seconds=1)
    await scene.renew()
    assert _code(await ask()) != REFUSED
