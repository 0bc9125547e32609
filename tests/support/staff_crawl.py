"""Every staff route asked with a body that it takes, after what it needs was prepared."""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from services.api.staff.access import PERMISSIONS
from services.core.measurement.exports.rendering import render_one_file
from services.core.office.break_glass.actions import approve_break_glass, request_break_glass
from services.core.people.accounts.tables import Staff
from services.core.people.accounts.totp import code_of, new_totp_secret, step_of
from services.core.platform.crypto.passwords import hash_password
from services.core.platform.crypto.random_ids import new_ref
from tests.support.api_routes import Declared
from tests.support.dhis2 import ended_dhis2_import
from tests.support.http import new_phone
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_canaries import CrawlWorld
from tests.support.staff_http import StaffMember, family_code_of, make_staff, renewed

FORM = "2026-0417"

Prepared = dict[str, Any]
Prepare = Callable[[CrawlWorld, StaffMember], Awaitable[Prepared]]


async def _recovery(world: CrawlWorld, _: StaffMember) -> Prepared:
    parent = await world.family(f"who asks with {new_ref(6)}")
    new = world.canaries.plant_number(f"the new number of {parent.family_id}", new_phone())
    body = {"kind": "phone", "phone": parent.phone, "new_phone": new, "form_number": FORM, "document": "passport"}
    return {"family_code": await family_code_of(parent), "json": body}


async def _standing_recovery(world: CrawlWorld, member: StaffMember) -> Prepared:
    prepared = await _recovery(world, member)
    path = f"{world.site}/families/{prepared['family_code']}/recoveries"
    recovery = await world.chief.told("POST", path, json=prepared["json"])
    return {"recovery_id": recovery["recovery_id"], "json": {"form_number": FORM, "document": "passport"}}


async def _contest(world: CrawlWorld, _: StaffMember) -> Prepared:
    mother = await world.family(f"who contests with {new_ref(6)}")
    name = world.canaries.plant(f"whom they contest {new_ref(6)}", f"canary-uncle-{new_ref(6)}")
    uncle = await mother.invite(display_name=name, may_manage=True)
    world.canaries.plant_number(f"the number of {name}", uncle.phone)
    body = {"guardian_id": uncle.guardian_id, "right": "manage"}
    contest = await mother.told("POST", f"{mother.family}/contests", json=body)
    return {"contest_id": contest["contest_id"]}


async def _standing_decision(world: CrawlWorld, member: StaffMember) -> Prepared:
    prepared = await _contest(world, member)
    path = f"{world.site}/contests/{prepared['contest_id']}/decision"
    body = STAFF_BODIES["POST /v1/staff/sites/{site_id}/contests/{contest_id}/decision"]
    await world.chief.told("POST", path, json=body)
    return prepared


async def _hand_out(world: CrawlWorld, _: StaffMember) -> Prepared:
    hand_out = await world.chief.told("POST", f"{world.site}/hand-outs", json={"families": 5, "minutes": 60})
    return {"hand_out_id": hand_out["hand_out_id"], "json": {"family_codes": [world.code]}}


async def _own_hand_out(world: CrawlWorld, member: StaffMember) -> Prepared:
    hand_out = await member.told("POST", f"{world.site}/hand-outs", json={"families": 5, "minutes": 60})
    return {"hand_out_id": hand_out["hand_out_id"], "json": {"closes_at": hand_out["closes_at"]}}


async def _paper(world: CrawlWorld, _: StaffMember) -> Prepared:
    pairs = [{"scan": await world.watch(), "family_code": await world.enrolled()}]
    return {"json": {"pairs": pairs, "given_at": world.database.clock().isoformat()}}


async def _break_glass(world: CrawlWorld, by: StaffMember, *, approved: bool) -> Prepared:
    async with world.database.begin() as work:
        break_glass = await request_break_glass(
            work, by.staff.staff_id, world.place.site, family_code=world.code, reason="The child is missing.",
            tell_after_days=0,
        )  # fmt: skip
        await work.flush()
        if approved:
            await approve_break_glass(work, world.second.staff.staff_id, world.place.site, break_glass.break_glass_id)
        return {"break_glass_id": str(break_glass.break_glass_id)}


async def _break_glass_of_another(world: CrawlWorld, _: StaffMember) -> Prepared:
    return await _break_glass(world, world.chief, approved=False)


async def _own_break_glass(world: CrawlWorld, member: StaffMember) -> Prepared:
    return await _break_glass(world, member, approved=True)


async def _help(world: CrawlWorld, _: StaffMember) -> Prepared:
    parent = await world.family(f"who calls with {new_ref(6)}")
    call = await parent.told("POST", f"{parent.child}/help", json={"kind": "lost"})
    return {"help_id": call["help_id"]}


async def _new_export(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"kind": "csv", "audience": "factory", "site_id": str(world.place.site.site_id)}}


async def _export(world: CrawlWorld, member: StaffMember) -> Prepared:
    """Have a file of the member's own made by the worker."""
    body = (await _new_export(world, member))["json"]
    # Earlier exports are removed, so that there is room.
    await render_one_file(world.database)
    export = await member.told("POST", "/v1/staff/exports", json=body)
    assert await render_one_file(world.database)
    return {"usage_export_id": export["usage_export_id"]}


async def _dhis2_import(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"import_id": await ended_dhis2_import(world.database, world.place)}


async def _spare_family(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"family_code": await world.enrolled(), "reason": "other"}}


async def _hand_out_by_scan(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"scan": await world.watch(), "family_code": await world.enrolled()}}


async def _replacement(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"scan": await world.shelf(), "state": "broken", "replacement": await world.watch()}}


async def _family_list(world: CrawlWorld, _: StaffMember) -> Prepared:
    phone = world.canaries.plant_number(f"a number of a list {new_ref(6)}", new_phone())
    line = {"family_code": f"L-{new_ref(6).upper()}", "phone": phone, "cohort": world.place.cohort.name}
    wrong = {**line, "family_code": f"L-{new_ref(6).upper()}", "phone": "123"}
    return {"json": {"families": [line, wrong]}}


async def _colleague(world: CrawlWorld, _: StaffMember) -> Prepared:
    other = await make_staff(world.client, world.database, world.place, "coordinator")
    return {"staff_id": other.staff_id}


async def _new_colleague(world: CrawlWorld, _: StaffMember) -> Prepared:
    body = {"email": f"{new_ref()}@wecare.example", "display_name": "Lan", "role": "staff", "phone": new_phone()}
    return {"json": {**body, "employed_by_factory": False, "site_id": str(world.place.site.site_id)}}


async def _account_request(world: CrawlWorld, member: StaffMember) -> Prepared:
    body = (await _new_colleague(world, member))["json"]
    request = await world.chief.told("POST", "/v1/staff/accounts", json=body)
    return {"request_id": request["request_id"]}


async def _own_password(world: CrawlWorld, member: StaffMember) -> Prepared:
    """Give the member a password and an app; their code is the one of now."""
    secret = new_totp_secret()
    async with world.database.begin() as work:
        staff = await work.session.get_one(Staff, member.staff.staff_id)
        staff.password_hash = await hash_password("the old password")
        staff.sealed_totp = work.vault.seal(secret, f"totp/{staff.staff_id}")
        staff.totp_confirmed_at, staff.totp_used_step = work.now, None
        work.add(staff)
        code = code_of(secret, step_of(work.now))
    return {"json": {"password": "the old password", "code": code, "new_password": "river-window-copper-5-maps"}}


async def _own_codes(world: CrawlWorld, member: StaffMember) -> Prepared:
    body = (await _own_password(world, member))["json"]
    return {"json": {key: body[key] for key in ("password", "code")}}


async def _own_session(world: CrawlWorld, member: StaffMember) -> Prepared:
    # Another of the same person's: the one that asks goes on.
    other = await renewed(member, world.database)
    (its_own,) = [
        session for session in (await other.told("GET", "/v1/staff/me/sessions"))["sessions"] if session["current"]
    ]
    return {"staff_session_id": its_own["staff_session_id"], "as": other}


async def _withdrawn(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"scan": await world.watch(), "state": "lost"}}


async def _unpaired(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"scan": await world.watch()}}


async def _trace(world: CrawlWorld, member: StaffMember) -> Prepared:
    opened = await member.told(
        "POST", f"/v1/staff/sites/{world.place.site.site_id}/watch-traces", json={"scan": await world.watch()}
    )
    return {"trace_id": opened["trace_id"]}


async def _attended(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"family_code": world.code, "training": "watch", "attended_on": "2026-02-01"}}


async def _in_touch(world: CrawlWorld, _: StaffMember) -> Prepared:
    return {"json": {"family_code": world.code}}


_OF_SITE = "/v1/staff/sites/{site_id}"
# Preconditions of routes. Routes that are not listed are called with the body of all tests.
PREPARED: dict[str, Prepare] = {
    "POST /v1/staff/auth/logout": _own_session,
    "DELETE /v1/staff/me/sessions/{staff_session_id}": _own_session,
    "POST /v1/staff/accounts": _new_colleague,
    "POST /v1/staff/accounts/{staff_id}/reset": _colleague,
    "POST /v1/staff/accounts/{staff_id}/role": _colleague,
    "POST /v1/staff/account-requests/{request_id}/approve": _account_request,
    "POST /v1/staff/account-requests/{request_id}/withdraw": _account_request,
    "POST /v1/staff/me/password": _own_password,
    "POST /v1/staff/me/recovery-codes": _own_codes,
    "POST /v1/staff/accounts/{staff_id}/end": _colleague,
    f"POST {_OF_SITE}/families/{{family_code}}/recoveries": _recovery,
    f"POST {_OF_SITE}/recoveries/{{recovery_id}}/approve": _standing_recovery,
    f"POST {_OF_SITE}/recoveries/{{recovery_id}}/withdraw": _standing_recovery,
    f"GET {_OF_SITE}/contests": _contest,
    f"POST {_OF_SITE}/contests/{{contest_id}}/decision": _contest,
    f"POST {_OF_SITE}/contests/{{contest_id}}/decision/approve": _standing_decision,
    f"POST {_OF_SITE}/contests/{{contest_id}}/decision/withdraw": _standing_decision,
    f"POST {_OF_SITE}/hand-outs/{{hand_out_id}}/close": _hand_out,
    f"POST {_OF_SITE}/hand-outs/{{hand_out_id}}/slips": _hand_out,
    f"POST {_OF_SITE}/break-glass/{{break_glass_id}}/approve": _break_glass_of_another,
    f"GET {_OF_SITE}/break-glass/{{break_glass_id}}/guardian": _own_break_glass,
    f"POST {_OF_SITE}/watch-hand-outs": _hand_out_by_scan,
    f"POST {_OF_SITE}/watch-hand-outs/paper": _paper,
    f"POST {_OF_SITE}/hand-outs/{{hand_out_id}}/prolong": _own_hand_out,
    f"POST {_OF_SITE}/watch-withdrawals": _withdrawn,
    f"POST {_OF_SITE}/watch-traces": _unpaired,
    f"GET {_OF_SITE}/watch-traces/{{trace_id}}": _trace,
    f"POST {_OF_SITE}/watch-replacements": _replacement,
    f"POST {_OF_SITE}/family-lists": _family_list,
    f"POST {_OF_SITE}/trainings": _attended,
    f"POST {_OF_SITE}/enrolments/end": _spare_family,
    f"POST {_OF_SITE}/contact-requests": _in_touch,
    f"POST {_OF_SITE}/help/{{help_id}}/done": _help,
    "POST /v1/staff/exports": _new_export,
    "GET /v1/staff/exports/{usage_export_id}": _export,
    "GET /v1/staff/exports/{usage_export_id}/file": _export,
    "GET /v1/staff/dhis2-imports": _dhis2_import,
    "GET /v1/staff/dhis2-imports/{import_id}": _dhis2_import,
}


async def ask_prepared(world: CrawlWorld, member: StaffMember, route: Declared) -> httpx.Response:
    """Ask a route as this member, with everything there that it needs, if the member may do it at all."""
    prepare = PREPARED.get(str(route))
    permission = route.rule.partition(", may ")[2]
    may = not permission or permission in PERMISSIONS[member.staff.role]
    prepared: Prepared = {} if prepare is None or not may else await prepare(world, member)
    ids = {name: str(uuid.uuid4()) for name in re.findall(r"{(\w+)}", route.path)} | {
        "site_id": str(world.place.site.site_id), "programme_id": str(world.place.site.programme_id),
        "cohort_id": str(world.place.cohort.cohort_id), "family_code": world.code, "survey_id": world.survey_id,
        "serial": world.serial,
        **{name: value for name, value in prepared.items() if isinstance(value, str)},
    }  # fmt: skip
    body = prepared.get("json", STAFF_BODIES.get(str(route)))
    caller: StaffMember = prepared.get("as", member)
    return await caller.ask(route.method, route.path.format(**ids), json=body)
