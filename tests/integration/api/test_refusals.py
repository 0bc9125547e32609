"""Every refusal is in the log, whoever was refused by whatever; and nobody fills the log by being refused."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI
from sqlmodel import col, select

from services.api.app import create_app
from services.api.refusals import Refusals
from services.core.people.households.tables import Child
from services.core.platform.audit.queries import verify_all
from services.core.platform.audit.rules import COMMON_CHAINS
from services.core.platform.audit.tables import AuditEntry
from services.core.platform.crypto.passwords import hash_password
from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import Database
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.rules import Limits
from services.core.platform.settings import Settings
from tests.support.api_routes import app_without_database, declared_routes
from tests.support.http import Parent, Place, fill_buckets, make_family, make_place, new_address, new_phone
from tests.support.staff_http import StaffMember, family_code_of, make_staff


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def app(settings: Settings, database: Database) -> FastAPI:
    """The application itself, so that a test can have it write what it counted."""
    return create_app(settings, database)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
    ):
        yield client


@dataclass
class Case:
    """A mother, her aunt who may only message, a stranger of another site, and staff."""

    client: httpx.AsyncClient
    database: Database
    place: Place
    mother: Parent
    aunt: Parent
    stranger: Parent
    coordinator: StaffMember
    elsewhere: StaffMember

    async def anybody(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask without a token, from an address that nobody else has."""
        return await self.client.request(method, path, headers={"X-Forwarded-For": new_address()}, **options)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def case(client: httpx.AsyncClient, database: Database) -> Case:
    place, far = await make_place(database), await make_place(database)
    mother = await make_family(client, database, place)
    return Case(
        client, database, place, mother, await mother.invite(), await make_family(client, database, far),
        await make_staff(client, database, place, "coordinator"), await make_staff(client, database, far, "manager"),
    )  # fmt: skip


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    """Each test begins with every limit unused."""
    await fill_buckets(database)


async def entries(database: Database) -> list[AuditEntry]:
    async with database.begin() as work:
        return list(await work.session.exec(select(AuditEntry).order_by(col(AuditEntry.at))))


async def written_by(database: Database, asking: Callable[[], Awaitable[Any]]) -> list[AuditEntry]:
    """Return what stands in the log of refusals after something was asked, and did not before."""
    before = {entry.audit_id for entry in await entries(database)}
    await asking()
    return [entry for entry in await entries(database) if entry.audit_id not in before and entry.outcome == "refused"]


# ------------------------------------------------------------------------------------ who has shown a token of ours

Asking = Callable[[Case], Awaitable[httpx.Response]]


async def _new_phone_of_the_mother(case: Case) -> httpx.Response:
    return await (await case.mother.new_device().log_in()).ask("GET", case.mother.child)


async def _session_that_ended(case: Case) -> httpx.Response:
    other = await case.mother.invite()
    await other.told("POST", "/v1/auth/logout")
    return await other.ask("GET", case.mother.child)


async def _consent_taken_back(case: Case) -> httpx.Response:
    other = await case.mother.invite()
    await other.told("POST", f"{other.family}/consents/withdraw", json={"part": "messages"})
    return await other.ask("GET", f"{case.mother.child}/messages")


async def _staff_looks_for_a_family(case: Case) -> httpx.Response:
    path = f"/v1/staff/sites/{case.place.site.site_id}/families/{await family_code_of(case.mother)}/break-glass"
    return await case.coordinator.ask("POST", path, json={"reason": "The child is missing."})


# Request, answer, the person named, and whether it is in the log of the mother's family.
KNOWN: dict[str, tuple[Asking, int, str, str, bool]] = {
    "another family's child": (
        lambda case: case.stranger.ask("GET", case.mother.child), 404, "not_found", "guardian", True,
    ),
    "another family": (
        lambda case: case.stranger.ask("GET", f"{case.mother.family}/audit"), 404, "not_found", "guardian", True,
    ),
    "a child that never was": (
        lambda case: case.mother.ask("GET", f"/v1/children/{uuid.uuid4()}"), 404, "not_found", "guardian", False,
    ),
    "a recording that never was": (
        lambda case: case.mother.ask("GET", f"{case.mother.child}/messages/{uuid.uuid4()}/audio"),
        404, "not_found", "guardian", True,
    ),
    "an export that never was": (
        lambda case: case.mother.ask("GET", f"{case.mother.family}/exports/{uuid.uuid4()}"),
        404, "not_found", "guardian", True,
    ),
    "a right that is missing": (
        lambda case: case.aunt.ask("PATCH", case.mother.child, json={"name": "Lin"}),
        403, "right_missing", "guardian", True,
    ),
    "what is for the first guardian": (
        lambda case: case.aunt.ask("DELETE", case.mother.child, params={"confirm": "erase"}),
        403, "primary_only", "guardian", True,
    ),
    "consent that is missing": (
        lambda case: case.mother.ask("GET", f"{case.mother.child}/checkins/latest"),
        403, "right_missing", "guardian", True,
    ),
    "consent that was taken back": (_consent_taken_back, 403, "consent_required", "guardian", True),
    "the second step that is missing": (_new_phone_of_the_mother, 403, "second_step_needed", "guardian", True),
    "a session that has ended": (_session_that_ended, 401, "session_ended", "guardian", True),
    "a permission that is missing": (
        lambda case: case.coordinator.ask("GET", f"/v1/staff/sites/{case.place.site.site_id}/help"),
        403, "permission_missing", "staff", False,
    ),
    "another site": (
        lambda case: case.elsewhere.ask("GET", f"/v1/staff/sites/{case.place.site.site_id}/help"),
        404, "not_found", "staff", False,
    ),
    "staff who look for a family": (_staff_looks_for_a_family, 403, "permission_missing", "staff", True),
}  # fmt: skip


@pytest.mark.parametrize("kind", KNOWN)
async def test_a_refusal_of_who_is_known_is_in_the_log_when_it_is_answered(
    case: Case, database: Database, kind: str
) -> None:
    ask, status, code, by, of_the_family = KNOWN[kind]
    answers: list[httpx.Response] = []

    async def asking() -> None:
        answers.append(await ask(case))

    (entry,) = await written_by(database, asking)
    assert (answers[0].status_code, answers[0].json()["code"]) == (status, code)
    assert (entry.actor_kind, entry.reason, entry.times) == (by, code, 1)
    assert str(uuid.UUID(entry.actor_id)) == entry.actor_id
    assert entry.action == ("staff.access" if by == "staff" else "access")
    # The route of the request, without the ids in it.
    assert entry.asked.startswith(f"{answers[0].request.method} /v1/")
    assert case.mother.child_id not in entry.asked
    if of_the_family:
        assert entry.chain_id == entry.family_id == case.mother.family_id
        assert entry.subject_id in {case.mother.child_id, str(case.mother.family_id)}
    else:
        assert entry.chain_id.int < COMMON_CHAINS
        assert (entry.family_id, entry.subject_id) == (None, "")


async def test_the_family_reads_who_tried_and_what(case: Case) -> None:
    await case.stranger.refused("GET", f"{case.mother.child}/messages")
    (entry,) = (await case.mother.told("GET", f"{case.mother.family}/audit", params={"limit": 1}))["entries"]
    assert (entry["by"], entry["guardian_id"], entry["outcome"]) == ("guardian", case.stranger.guardian_id, "refused")
    assert (entry["asked"], entry["times"]) == ("GET /v1/children/{child_id}/messages", 1)
    assert entry["subject_id"] == case.mother.child_id


async def test_what_is_erased_is_nobodys_any_more(client: httpx.AsyncClient, database: Database, case: Case) -> None:
    gone = await make_family(client, database)
    await gone.told("DELETE", gone.family, params={"confirm": "erase"})
    (entry,) = await written_by(database, lambda: case.mother.ask("GET", gone.child))
    assert (entry.family_id, entry.subject_id) == (None, "")


async def test_what_has_its_own_entry_is_not_written_twice(case: Case, database: Database) -> None:
    phone = await case.mother.new_device().log_in()
    (entry,) = await written_by(database, lambda: phone.ask("POST", "/v1/auth/second-step", json={"pin": "000000"}))
    assert (entry.action, entry.reason) == ("second_step", "second_step_wrong")


# --------------------------------------------------------------------- who has not shown who they are, or is too fast


async def _slip_of_nobody(case: Case) -> httpx.Response:
    body = {"slip_code": "abcd-efgh-jkmn", "phone": case.mother.phone}
    return await case.anybody("POST", "/v1/auth/slips", json=body)


async def _code_of_nobody(case: Case) -> httpx.Response:
    body = {
        "challenge_id": str(uuid.uuid4()), "challenge_secret": "none", "phone": case.mother.phone, "code": "123456",
    }  # fmt: skip
    return await case.anybody("POST", "/v1/auth/tokens", json=body)


async def _used_refresh_token(case: Case) -> httpx.Response:
    other = await case.mother.invite()
    first = {"refresh_token": other.tokens["refresh_token"]}
    second = (await case.anybody("POST", "/v1/auth/refresh", json=first)).json()
    await case.anybody("POST", "/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})
    return await case.anybody("POST", "/v1/auth/refresh", json=first)


async def _wrong_password_of_staff(case: Case) -> httpx.Response:
    async with case.database.begin() as work:
        staff = await work.session.merge(case.coordinator.staff)
        staff.password_hash = await hash_password("right")
    body = {"email": case.coordinator.staff.email, "password": "wrong", "code": "000000"}
    return await case.anybody("POST", "/v1/staff/auth/tokens", json=body)


async def _staff_of_nobody(case: Case) -> httpx.Response:
    body = {"email": "nobody@wecare.example", "password": "wrong", "code": "000000"}
    return await case.anybody("POST", "/v1/staff/auth/tokens", json=body)


async def _too_many_requests(case: Case) -> httpx.Response:
    limit = Limits.REQUESTS_OF_GUARDIAN
    async with case.database.begin() as work:
        await charge(work, Charge(limit, case.aunt.guardian_id, limit.value.burst))
    return await case.aunt.ask("GET", case.mother.child)


COUNTED: dict[str, tuple[Asking, int, str, str]] = {
    "no token": (lambda case: case.anybody("GET", case.mother.child), 401, "access_token_invalid", "stranger"),
    "a token that is none of ours": (
        lambda case: case.client.get(case.mother.child, headers={"Authorization": "Bearer none"}),
        401, "access_token_invalid", "stranger",
    ),
    "a link that is none of ours": (
        lambda case: case.anybody("GET", "/v1/audio/none"), 401, "access_token_invalid", "stranger",
    ),
    "a slip that nobody printed": (_slip_of_nobody, 403, "slip_refused", "stranger"),
    "a code that nobody was sent": (_code_of_nobody, 403, "login_code_ended", "stranger"),
    "a refresh token that was used": (_used_refresh_token, 401, "refresh_token_invalid", "guardian"),
    "a wrong password": (_wrong_password_of_staff, 403, "staff_log_in_refused", "staff"),
    "an address that nobody has": (_staff_of_nobody, 403, "staff_log_in_refused", "stranger"),
    "too many requests": (_too_many_requests, 429, "too_many_requests", "guardian"),
}  # fmt: skip


@pytest.mark.parametrize("kind", COUNTED)
async def test_a_refusal_of_a_stranger_is_counted_and_in_the_log_within_a_minute(
    app: FastAPI, case: Case, database: Database, kind: str
) -> None:
    ask, status, code, by = COUNTED[kind]
    await app.state.refusals.write_counted()
    answers: list[httpx.Response] = []

    async def asking() -> None:
        answers.append(await ask(case))

    assert await written_by(database, asking) == []
    assert (answers[0].status_code, answers[0].json()["code"]) == (status, code)
    (entry,) = await written_by(database, app.state.refusals.write_counted)
    assert (entry.actor_kind, entry.reason, entry.times) == (by, code, 1)
    assert (entry.actor_id != "") == (by != "stranger")
    assert entry.action == {"stranger": "strangers", "staff": "staff.access"}.get(by, "access")
    path = answers[0].request.url.path
    assert entry.asked.startswith(f"{answers[0].request.method} /v1/{path.split('/')[2]}/")
    # Nobody's log grows by what a stranger asked for.
    assert (entry.family_id == case.mother.family_id) == (kind == "too many requests")
    assert await written_by(database, app.state.refusals.write_counted) == []


async def test_a_wrong_code_is_in_the_log_beside_the_code_it_was_tried_on(case: Case, database: Database) -> None:
    challenge_id, code = await case.mother.ask_for_code()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    tries = [await written_by(database, lambda: case.mother.enter_code(challenge_id, wrong)) for _ in range(7)]
    assert [len(attempt) for attempt in tries] == [1, 1, 1, 1, 1, 0, 0]
    assert {(attempt.actor_kind, attempt.action, attempt.reason) for (attempt,) in tries[:5]} == {
        ("stranger", "log_in.code", "login_code_wrong")
    }
    assert {attempt.subject_id for (attempt,) in tries[:5]} == {challenge_id}


async def test_a_reused_refresh_token_ends_the_session_and_says_so_at_once(case: Case, database: Database) -> None:
    before = len(await entries(database))
    await _used_refresh_token(case)
    assert [entry.action for entry in (await entries(database))[before:]].count("session.token_reused") == 1


async def test_a_flood_is_one_entry_and_asks_nothing_of_the_database(
    app: FastAPI, case: Case, database: Database
) -> None:
    await app.state.refusals.write_counted()

    async def flood() -> None:
        for _ in range(300):
            # Each with an id of its own: there are no more kinds of this than routes.
            await case.client.get(f"/v1/children/{uuid.uuid4()}", headers={"Authorization": "Bearer none"})

    assert await written_by(database, flood) == []
    (entry,) = await written_by(database, app.state.refusals.write_counted)
    assert (entry.times, entry.asked) == (300, "GET /v1/children/{child_id}")


async def test_an_account_that_is_too_fast_for_ever_other_ids_takes_no_room(
    app: FastAPI, case: Case, database: Database
) -> None:
    refusals, app.state.refusals = app.state.refusals, Refusals(database, most_kinds=10)

    async def flood() -> None:
        await _too_many_requests(case)
        for _ in range(40):
            await case.aunt.ask("GET", f"/v1/children/{uuid.uuid4()}")

    assert await written_by(database, flood) == []
    written = await written_by(database, app.state.refusals.write_counted)
    app.state.refusals = refusals
    # Ten kinds, and the rest together.
    assert sorted(entry.times for entry in written) == [*[1] * 10, 31]


# ------------------------------------------------------------------------------------------ what must hold for all


async def test_what_cannot_be_written_yet_is_kept_and_what_must_be_written_is_not_answered(
    app: FastAPI, case: Case, settings: Settings
) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/none", vault=Vault(settings.master_key.get_secret_value()))
    refusals, app.state.refusals = app.state.refusals, Refusals(away)
    try:
        assert (await case.anybody("GET", case.mother.child)).status_code == 401
        for _ in range(2):
            with pytest.raises(OSError, match="Connect"):
                await app.state.refusals.write_counted()
        answer = await case.aunt.ask("PATCH", case.mother.child, json={"name": "Lin"})
        assert (answer.status_code, answer.json()["code"]) == (503, "try_again")
    finally:
        app.state.refusals = refusals
        await away.close()


async def test_a_process_that_ends_writes_what_it_counted(settings: Settings, database: Database) -> None:
    ending = create_app(settings, database)
    transport = httpx.ASGITransport(ending, raise_app_exceptions=False)

    async def live_and_end() -> None:
        async with (
            ending.router.lifespan_context(ending),
            httpx.AsyncClient(transport=transport, base_url="http://api.test") as client,
        ):
            assert (await client.get("/v1/me")).status_code == 401

    (entry,) = await written_by(database, live_and_end)
    assert (entry.actor_kind, entry.asked) == ("stranger", "GET /v1/me")


async def test_the_chains_are_whole_and_hold_no_address_no_number_and_no_name(case: Case, database: Database) -> None:
    phone = new_phone()
    await case.anybody("POST", "/v1/auth/slips", json={"slip_code": "abcd", "phone": phone})
    async with database.begin() as work:
        assert [faults async for _, _, faults in verify_all(work) if faults] == []
        name = (await work.session.get_one(Child, uuid.UUID(case.mother.child_id))).name
    text = " ".join(repr(entry.model_dump(exclude={"hash"})) for entry in await entries(database))
    for word in ("198.18.", "198.19.", phone[1:], case.mother.phone[1:], case.coordinator.staff.email, name, "@"):
        assert word not in text, word


def test_the_name_of_every_route_fits_into_an_entry() -> None:
    routes = [str(route) for route in declared_routes(app_without_database())]
    assert len(routes) > 100
    assert [route for route in routes if len(route) > 120] == []
