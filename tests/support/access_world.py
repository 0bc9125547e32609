"""The world in which every cell of the access matrix is asked: one of each role, and something of everybody's."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import Depends, FastAPI, Response
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import event
from sqlalchemy.engine import Engine

from services.api import problems
from services.api.app import create_app
from services.core.people.programme.tables import Cohort, Site
from services.core.platform.crypto.random_ids import new_ref
from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.integration.api.test_other_families import make_world, request_of
from tests.support.access_expectations import Cell, Role, Target
from tests.support.http import Parent, Place, make_family, make_place
from tests.support.staff_bodies import STAFF_BODIES
from tests.support.staff_http import StaffMember, family_code_of, make_staff

PASSED = 299
"""The status of a door that let somebody through."""
Asker = Parent | StaffMember
_statements: ContextVar[list[str] | None] = ContextVar("_statements", default=None)


@dataclass(frozen=True)
class Answer:
    """Answer of a cell without the id of the request, and its statements to the database."""

    status: int
    body: dict[str, Any]
    statements: tuple[str, ...]

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.body.get("code", ""))


@dataclass
class AccessWorld:
    """The callers, and the ids of each target."""

    askers: dict[Role, Asker] = field(default_factory=dict)
    ids: dict[Target, dict[str, str]] = field(default_factory=dict)

    async def ask(
        self,
        client: httpx.AsyncClient,
        cell: Cell,
        *,
        claims: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask for a cell, of the API or of its doors alone; with headers and a query that claim more than is true."""
        ids = self.ids.get(cell.target, {})
        asker = self.askers[cell.role]
        # An id that a target has none of is one that never existed.
        given = {name: ids.get(name, str(uuid.uuid4())) for name in re.findall(r"{(\w+)}", cell.route.path)}
        if "token" in given:
            given["token"] = asker.headers["Authorization"].removeprefix("Bearer ") or "none"
        request: dict[str, Any] = (
            {"json": STAFF_BODIES.get(str(cell.route))} if cell.route.is_for_staff else request_of(cell.route)
        )
        headers = asker.headers if cell.role is not Role.NOBODY else {}
        headers = {**request.pop("headers", {}), **headers, **(claims or {})}
        params = {**request.pop("params", {}), **(query or {})}
        with recorded() as statements:
            answer = await client.request(
                cell.route.method, cell.route.path.format(**given), headers=headers, params=params, **request
            )
        is_json = answer.headers.get("content-type", "").endswith("json")
        content = answer.json() if answer.content and is_json else {}
        body = (
            {name: value for name, value in content.items() if name != "request_id"}
            if isinstance(content, dict)
            else {}
        )
        return Answer(answer.status_code, body, tuple(statements))


@contextlib.contextmanager
def recorded() -> Iterator[list[str]]:
    """Yield the list of statements that this task sends to the database within the block, without their values."""
    statements: list[str] = []
    token = _statements.set(statements)
    try:
        yield statements
    finally:
        _statements.reset(token)


def _note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
    statements = _statements.get()
    if statements is not None:
        statements.append(statement)


@contextlib.contextmanager
def recorder() -> Iterator[None]:
    """Have every engine tell its statements to :func:`recorded` within the block."""
    event.listen(Engine, "before_cursor_execute", _note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", _note)


def doors_of(settings: Settings, database: Database) -> FastAPI:
    """Return the addresses of the API with the rules that its routes declare, and nothing behind them."""
    served = create_app(settings, database)
    # Without pages of its own: the API has a route at /docs.
    doors = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    # The very state of the served application: tokens, database, settings.
    doors.state = served.state
    problems.install(doors)

    async def opened() -> Response:
        return Response(status_code=PASSED)

    for context in iter_route_contexts(served.routes):
        if isinstance(context.original_route, APIRoute):
            calls = [dependency.call for dependency in context.dependant.dependencies]
            rules = [Depends(call) for call in calls if call is not None and hasattr(call, "access_rule")]
            methods = sorted(context.methods or ())
            doors.add_api_route(str(context.path), opened, methods=methods, dependencies=rules)
    return doors


async def make_access_world(client: httpx.AsyncClient, database: Database) -> AccessWorld:
    """Make it: a family with one guardian of each kind, its sibling, another site's, an erased one, and staff."""
    near, far = await make_world(client, database), await make_world(client, database)
    world = AccessWorld()
    world.askers |= await guardians_of(near.mine)
    child = near.mine.child_id
    erased_child = await near.mine.add_child("Lin")
    await near.mine.told("DELETE", f"/v1/children/{erased_child}", params={"confirm": "erase"})
    near.mine.child_id = child
    gone = await make_family(client, database, near.place)
    await gone.told("DELETE", gone.family, params={"confirm": "erase"})
    sibling = await _sibling_of(database, near.place)
    world.askers |= await _staff(client, database, near.place, await make_place(database))
    world.askers[Role.NOBODY] = Parent(client, database, near.mine.phone, tokens={"access_token": ""})
    of_sibling, of_far = [await make_staff(client, database, place) for place in (sibling, far.place)]
    code = await family_code_of(near.theirs)
    world.ids = {
        Target.OWN: near.my_ids | _of_place(near.place) | {"family_code": code},
        Target.SIBLING: near.their_ids | _of_place(sibling) | {"staff_id": of_sibling.staff_id},
        Target.ELSEWHERE: far.their_ids | _of_place(far.place) | {"staff_id": of_far.staff_id},
        Target.ERASED: {"family_id": str(gone.family_id), "child_id": erased_child},
    }
    for target, member, place in (
        (Target.SIBLING, of_sibling, sibling),
        (Target.ELSEWHERE, of_far, far.place),
    ):
        (session,) = (await member.told("GET", "/v1/staff/me/sessions"))["sessions"]
        world.ids[target]["staff_session_id"] = session["staff_session_id"]
        admin = await make_staff(client, database, place, "admin")
        body = {**STAFF_BODIES["POST /v1/staff/accounts"], "email": f"{new_ref()}@wecare.example"}
        request = await admin.told("POST", "/v1/staff/accounts", json={**body, "site_id": str(place.site.site_id)})
        world.ids[target]["request_id"] = request["request_id"]
    # A site's programme is out of scope for staff of that site alone.
    del world.ids[Target.SIBLING]["programme_id"]
    return world


def _of_place(place: Place) -> dict[str, str]:
    return {
        "site_id": str(place.site.site_id),
        "cohort_id": str(place.cohort.cohort_id),
        "programme_id": str(place.site.programme_id),
    }


async def guardians_of(first: Parent) -> dict[Role, Parent]:
    """Invite a guardian of each kind into a family; return them all, the first among them."""
    message = await first.invite()
    locate = await first.invite(may_message=False, may_locate=True)
    manage = await first.invite(may_message=False, may_manage=True)
    withdrawn = await first.invite(may_locate=True, may_manage=True)
    removed, ended = await first.invite(may_locate=True, may_manage=True), await first.invite()
    for guardian in (locate, manage, withdrawn):
        await guardian.consent("location")
    await withdrawn.told("POST", f"{first.family}/consents/withdraw", json={"part": "messages"})
    await first.told("DELETE", f"{first.family}/guardians/{removed.guardian_id}")
    await ended.told("POST", "/v1/auth/logout")
    return {
        Role.FIRST: first, Role.UNPROVEN: await first.unproven(), Role.MESSAGE: message, Role.LOCATE: locate,
        Role.MANAGE: manage,
        Role.LOCATE_UNAGREED: await first.invite(may_message=False, may_locate=True),
        Role.NONE: await first.invite(may_message=False), Role.WITHDRAWN: withdrawn, Role.REMOVED: removed,
        Role.LIMITED: await message.new_device().log_in(), Role.ENDED: ended,
    }  # fmt: skip


async def _staff(client: httpx.AsyncClient, database: Database, near: Place, far: Place) -> dict[Role, Asker]:
    ended = await make_staff(client, database, near, "admin")
    await ended.told("POST", "/v1/staff/auth/logout")
    return {
        Role.STAFF: await make_staff(client, database, near),
        Role.STAFF_ELSEWHERE: await make_staff(client, database, far),
        Role.MANAGER: await make_staff(client, database, near, "manager", programme=True),
        Role.COORDINATOR: await make_staff(client, database, near, "coordinator"),
        Role.FACTORY: await make_staff(client, database, near, "factory"),
        Role.ADMIN: await make_staff(client, database, near, "admin"),
        Role.STAFF_ENDED: ended,
    }


async def _sibling_of(database: Database, place: Place) -> Place:
    """Make another site, with a cohort, in the same programme."""
    async with database.begin() as work:
        site = Site(
            programme_id=place.site.programme_id, name="Sibling", country="CN", timezone="Asia/Shanghai", locale="en",
            created_at=work.now,
        )  # fmt: skip
        work.add(site)
        await work.flush()
        cohort = Cohort(site_id=site.site_id, name="Spring", created_at=work.now)
        work.add(cohort)
        return Place(site, cohort)


__all__ = ["PASSED", "AccessWorld", "Answer", "doors_of", "guardians_of", "make_access_world", "recorded", "recorder"]
