"""Every route, asked by every role about every target; tests/support/access_expectations.py holds the answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Uuid
from sqlmodel import SQLModel

from services.core.platform.db.database import Database
from services.core.platform.settings import Settings
from tests.support.access_expectations import NO_PERMISSION, NO_TOKEN, PASSES, Cell, Role, Target, cells
from tests.support.access_world import PASSED, AccessWorld, Answer, doors_of, make_access_world, recorder
from tests.support.api_routes import app_without_database
from tests.support.http import Parent, fill_buckets

# Refusals are written down, and counted.
WRITTEN_BY_REFUSALS = {"audit", "audit_chain", "limit_bucket"}
REFUSED = [cell for cell in cells() if cell.expected is not PASSES]
PASSING = [cell for cell in cells() if cell.expected is PASSES]
Answers = dict[Cell, Answer]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(client: httpx.AsyncClient, database: Database) -> AccessWorld:
    """One world for all cells: none of them may change it."""
    return await make_access_world(client, database)


async def _all(world: AccessWorld, client: httpx.AsyncClient, cells: Iterable[Cell]) -> Answers:
    """Ask these cells, the roles side by side: each waits for its own answers only."""
    by_role: dict[Role, list[Cell]] = defaultdict(list)
    for cell in cells:
        by_role[cell.role].append(cell)
    answers: Answers = {}
    several = asyncio.Semaphore(6)

    async def one_role(role: Role) -> None:
        async with several:
            for cell in by_role[role]:
                answers[cell] = await world.ask(client, cell)

    async with asyncio.TaskGroup() as tasks:
        for role in by_role:
            tasks.create_task(one_role(role))
    return answers


async def _everything(database: Database) -> dict[str, str]:
    """Return a digest of each table's rows."""
    digests = {}
    async with database.begin() as work:
        connection = await work.session.connection()
        for table in sorted(set(SQLModel.metadata.tables) - WRITTEN_BY_REFUSALS):
            rows = await connection.exec_driver_sql(f'SELECT t::text FROM "{table}" AS t ORDER BY 1')  # noqa: S608
            digests[table] = hashlib.sha256("\n".join(rows.scalars()).encode()).hexdigest()
    return digests


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def walked(world: AccessWorld, client: httpx.AsyncClient, database: Database) -> tuple[Answers, set[str]]:
    """Ask every cell that must be refused, once for all tests; return the answers, and the tables that changed."""
    await fill_buckets(database)
    # The first refusal of each begins its chain of the log, and its bucket: asked before, so that the rest is alike.
    first = {(cell.role, cell.expected): cell for cell in REFUSED}
    with recorder():
        await _all(world, client, first.values())
        before = await _everything(database)
        answers = await _all(world, client, REFUSED)
    after = await _everything(database)
    return answers, {table for table in before if before[table] != after[table]}


@pytest.fixture(scope="module")
def refused(walked: tuple[Answers, set[str]]) -> Answers:
    """The answers of the refused cells."""
    return walked[0]


async def test_every_refused_cell_answers_as_written_and_changes_nothing(
    walked: tuple[Answers, set[str]],
) -> None:
    refused, changed = walked
    wrong = {
        f"{cell.role} / {cell.route} / {cell.target}": (answer.status, answer.code)
        for cell, answer in refused.items()
        if cell.expected is None or (answer.status, answer.code) != (cell.expected.status, cell.expected.code)
    }
    assert wrong == {}
    assert changed == set()
    assert len(refused) == len(REFUSED) > 3000


async def test_a_missing_permission_is_named(refused: Answers) -> None:
    without = {cell: answer for cell, answer in refused.items() if cell.expected == NO_PERMISSION}
    wrong = {
        str(cell) for cell, answer in without.items() if answer.body["permission"] != cell.rule.partition(", may ")[2]
    }
    assert wrong == set()
    assert len(without) > 300


async def test_without_a_token_of_this_kind_nothing_is_asked_of_the_database(refused: Answers) -> None:
    # So neither what is asked for nor time can matter, and one target is as good as another.
    asking = {str(cell.route) for cell, answer in refused.items() if cell.expected == NO_TOKEN and answer.statements}
    assert asking == set()


async def test_anothers_erased_and_never_existing_answer_alike_to_the_last_statement(refused: Answers) -> None:
    alike: dict[tuple[str, Role], dict[Target, Answer]] = defaultdict(dict)
    for cell, answer in refused.items():
        if cell.target not in {Target.NO_ID, Target.OWN}:
            alike[str(cell.route), cell.role][cell.target] = answer
    differing = {}
    for route_and_role, by_target in alike.items():
        answers = {
            (answer.status, json.dumps(answer.body, sort_keys=True), answer.statements) for answer in by_target.values()
        }
        if len(answers) > 1:
            differing[route_and_role] = {
                target: (answer.status, answer.body, len(answer.statements)) for target, answer in by_target.items()
            }
    assert differing == {}
    # A refusal without a single statement would prove nothing about time.
    assert any(len(answer.statements) > 3 for by_target in alike.values() for answer in by_target.values())


async def test_every_cell_that_passes_is_let_through_by_its_rule(
    world: AccessWorld, settings: Settings, database: Database
) -> None:
    await fill_buckets(database)
    transport = httpx.ASGITransport(doors_of(settings, database), raise_app_exceptions=False)
    # Another guardian's object passes the rule "logged in", and the route then answers 404: that counts as refused.
    async with httpx.AsyncClient(transport=transport, base_url="http://doors.test") as doors:
        answers = await _all(world, doors, PASSING)
    wrong = {
        f"{cell.role} / {cell.route} / {cell.target}": (answer.status, answer.code)
        for cell, answer in answers.items()
        if answer.status != PASSED
    }
    assert wrong == {}


async def test_what_a_request_claims_about_itself_changes_no_refusal(
    refused: Answers, world: AccessWorld, client: httpx.AsyncClient, database: Database
) -> None:
    await fill_buckets(database)
    # One cell of each rule and kind of refusal.
    chosen = {(cell.rule, cell.expected, cell.target is Target.OWN): cell for cell in refused}
    own, first = world.ids[Target.OWN], world.askers[Role.FIRST]
    assert isinstance(first, Parent)
    query = {"role": "admin", "is_primary": "true", "may_manage": "true", "guardian_id": first.guardian_id}
    claims = {"X-Role": "admin", "X-User": query["guardian_id"], "X-Forwarded-User": query["guardian_id"]}
    query |= {name: own[name] for name in ("family_id", "child_id", "site_id")}
    claims |= {"X-Family-Id": own["family_id"], "X-Site-Id": own["site_id"], "X-Original-URL": "/v1/me"}
    for cell in chosen.values():
        answer = await world.ask(client, cell, claims=claims, query=query)
        assert (answer.status, answer.body) == (refused[cell].status, refused[cell].body), str(cell)
    assert len(chosen) > 60


async def test_every_id_is_random(world: AccessWorld, database: Database) -> None:
    named = [uuid.UUID(id_) for ids in world.ids.values() for name, id_ in ids.items() if name != "family_code"]
    async with database.begin() as work:
        connection = await work.session.connection()
        for name, table in SQLModel.metadata.tables.items():
            keys = [column.name for column in table.primary_key if isinstance(column.type, Uuid)]
            if len(keys) == len(table.primary_key) == 1 and name != "audit_chain":
                rows = await connection.exec_driver_sql(f'SELECT "{keys[0]}" FROM "{name}"')  # noqa: S608
                named += [uuid.UUID(str(id_)) for id_ in rows.scalars()]
    assert len(named) > 300
    assert [str(id_) for id_ in named if id_.version != 4] == []
    assert len({id_.int >> 64 for id_ in named}) > 250, "the same beginnings: these are no random numbers"


def test_no_address_takes_an_id_that_is_a_number() -> None:
    for path, methods in app_without_database().openapi()["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                    assert parameter["schema"]["format"] == "uuid", path
