"""Irreversible actions require the PIN, or a fresh code where none is set; all other guardians are notified."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
from sqlmodel import select

from services.core.devices.watches.tables import Watch
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.db.database import Database
from tests.support.clock import FakeClock
from tests.support.http import Parent, code_in, code_on, make_family, make_parent, make_place, pair, sms_to

PIN = "730418"
ASKED = (403, "step_up_required")


async def _asked(parent: Parent) -> tuple[int, str, str]:
    """Ask for a copy, and return how a refusal says what to prove with."""
    answer = await parent.ask("POST", f"{parent.family}/exports")
    return answer.status_code, answer.json().get("code", ""), answer.json().get("how", "")


async def test_without_a_pin_the_code_of_the_log_in_counts_for_five_minutes_and_then_a_fresh_one(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    clock.advance(minutes=4, seconds=59)
    assert (await _asked(mother))[0] == 202
    clock.advance(seconds=1)
    assert await _asked(mother) == (*ASKED, "code")
    sent = await mother.told("POST", "/v1/me/step-up/codes")
    body = {name: sent[name] for name in ("challenge_id", "challenge_secret")}
    code = code_in((await sms_to(database, mother.phone))[-1])
    wrong = {**body, "code": f"{(int(code) + 1) % 1_000_000:06d}"}
    assert await mother.refused("POST", "/v1/me/step-up", json=wrong) == (403, "login_code_wrong")
    # The code of a step-up logs nobody in, and that of a log-in proves no step.
    log_in = {**body, "code": code, "phone": mother.phone}
    assert (await mother.post("/v1/auth/tokens", log_in)).json()["code"] == "login_code_wrong"
    challenge_id, of_log_in = await mother.ask_for_code()
    other = {"challenge_id": challenge_id, "challenge_secret": mother.secrets[challenge_id], "code": of_log_in}
    assert await mother.refused("POST", "/v1/me/step-up", json=other) == (403, "login_code_wrong")
    await mother.told("POST", "/v1/me/step-up", json={**body, "code": code})
    assert await mother.refused("POST", "/v1/me/step-up", json={**body, "code": code}) == (403, "login_code_ended")
    assert await mother.refused("POST", f"{mother.family}/exports") == (429, "export_running")
    clock.advance(minutes=5)
    assert await _asked(mother) == (*ASKED, "code")


async def test_with_a_pin_only_the_pin_counts_and_a_log_in_does_not(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    mother = await make_family(client, database)
    await mother.told("PUT", "/v1/me/pin", json={"pin": PIN})
    clock.advance(minutes=5)
    # A holder of her unlocked phone receives the code, but does not know the PIN.
    await mother.log_in()
    assert await _asked(mother) == (*ASKED, "pin")
    assert await mother.refused("POST", "/v1/me/step-up/codes") == ASKED
    assert await mother.refused("PUT", "/v1/me/pin", json={"pin": "192837"}) == ASKED
    nothing = {"challenge_id": str(uuid.uuid4()), "challenge_secret": "x", "code": "000000"}
    assert await mother.refused("POST", "/v1/me/step-up", json=nothing) == ASKED
    assert await mother.refused("POST", "/v1/me/step-up", json={"pin": "730419"}) == (403, "pin_wrong")
    await mother.step_up(PIN)
    assert (await _asked(mother))[0] == 202
    clock.advance(minutes=1)
    # Another session of hers has proved nothing.
    assert await _asked(await mother.unproven()) == (*ASKED, "pin")
    async with database.begin() as work:
        entries = await work.session.exec(select(AuditEntry).where(AuditEntry.actor_id == mother.guardian_id))
        steps = [(entry.action, entry.reason) for entry in entries if entry.action == "step_up"]
    assert steps == [("step_up", "pin_wrong"), ("step_up", "")]


async def test_a_forgotten_pin_is_replaced_after_the_second_step_of_a_new_phone(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    watch = (await pair(mother, place)).watch_id
    await mother.told("PUT", "/v1/me/pin", json={"pin": PIN})
    clock.advance(hours=1)
    again = await mother.new_device().log_in()
    async with database.begin() as work:
        shown = await code_on(database, await work.session.get_one(Watch, watch))
    await again.told("POST", "/v1/auth/second-step", json={"watch_code": shown})
    await again.told("PUT", "/v1/me/pin", json={"pin": "192837"})
    await again.step_up("192837")


async def _acted(parent: Parent, cursor: str) -> list[dict[str, Any]]:
    events = (await parent.told("GET", f"/v1/sync?since={cursor}"))["events"]
    return [event["detail"] for event in events if event["kind"] == "guardian.acted"]


async def test_every_other_guardian_is_told_of_each_step(client: httpx.AsyncClient, database: Database) -> None:
    place = await make_place(database)
    mother = await make_family(client, database, place)
    await pair(mother, place)
    aunt, uncle = await mother.invite(), await mother.invite()
    cursor = (await aunt.told("GET", "/v1/sync"))["cursor"]
    of_uncle = f"{mother.family}/guardians/{uncle.guardian_id}"
    await mother.told("PATCH", of_uncle, json={"may_locate": False, "may_message": False})
    await mother.told("DELETE", of_uncle)
    await mother.told("DELETE", f"{mother.child}/pairing")
    await mother.told("POST", f"{mother.family}/exports")
    # The removed guardian gets no event of the family any more, but a text.
    (ended,) = [text for text in await sms_to(database, uncle.phone) if "has ended" in text]
    assert ended.startswith("SmartWatch: your access to a watch of a family has ended.")
    steps = ["rights", "removal", "unpair", "export"]
    assert await _acted(aunt, cursor) == [{"step": step, "guardian_id": mother.guardian_id} for step in steps]
    # An erasure leaves no family to tell: each other guardian gets a text.
    before = len(await sms_to(database, aunt.phone))
    await mother.told("DELETE", mother.family, params={"confirm": "erase"})
    assert len(await sms_to(database, aunt.phone)) == before + 1


async def test_before_any_family_a_first_pin_is_set_with_the_code_of_the_log_in(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    father = await make_parent(client, database)
    await father.told("PUT", "/v1/me/pin", json={"pin": PIN})
    clock.advance(minutes=6)
    assert await father.refused("PUT", "/v1/me/pin", json={"pin": "192837"}) == ASKED
    await father.step_up(PIN)
    await father.told("PUT", "/v1/me/pin", json={"pin": "192837"})
