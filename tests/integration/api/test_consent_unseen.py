"""Staff see no difference between a family that agreed to everything and one that agreed to messages alone."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest_asyncio

from services.core.devices.watches.tables import Watch
from services.core.measurement.publishing.queries import device_counts
from services.core.office.surveys.actions import define_survey
from services.core.office.surveys.queries import survey_named
from services.core.office.surveys.rules import Question
from services.core.people.programme.tables import Programme
from services.core.platform.audit.actions import OPERATOR
from services.core.platform.db.database import Database
from tests.integration.core.measurement.conftest import count_all
from tests.support.api_routes import Declared, app_without_database, declared_routes
from tests.support.clock import FakeClock
from tests.support.http import Parent, Place, fill_buckets, make_family, make_place, pair
from tests.support.pdf import text_of
from tests.support.places import may_look, sent
from tests.support.staff_http import StaffMember, at_hand_out, family_code_of, make_staff, renewed
from tests.support.uplinks import receive_fixes
from tests.support.world import arrive

READS = [
    route
    for route in declared_routes(app_without_database())
    if route.is_for_staff and route.method == "GET" and "{" in route.path
]
# A manager reads what an admin reads.
ROLES = ("staff", "admin", "coordinator")


@dataclass
class Twins:
    """Two families that do the same; the first agreed to everything."""

    place: Place
    agreed: dict[str, str]
    other: dict[str, str]
    survey_id: str
    members: list[StaffMember]


async def _live(parent: Parent, place: Place) -> dict[str, str]:
    """Have a family pair a watch and use it; return the words by which staff know it, with one word for each."""
    identity = await pair(parent, place)
    await parent.send("Good morning!")
    await arrive(parent.database, identity.username)
    dates = (parent.database.clock(), datetime(1980, 1, 6, tzinfo=UTC))
    async with parent.database.begin() as work:
        await receive_fixes(work, [sent(identity.username, at) for at in dates])
        serial = (await work.session.get_one(Watch, identity.watch_id)).serial
    return {await family_code_of(parent): "CODE", serial: "SERIAL"}


@pytest_asyncio.fixture(loop_scope="session")
async def twins(client: httpx.AsyncClient, database: Database) -> Twins:
    await fill_buckets(database)
    place = await make_place(database)
    first, second = [await make_family(client, database, place) for _ in range(2)]
    for part in ("measurement", "sos_places"):
        await first.consent(part)
    await may_look(first)
    words = [await _live(parent, place) for parent in (first, second)]
    await count_all(database)
    async with database.begin() as work:
        programme = await work.session.get_one(Programme, place.site.programme_id)
        await define_survey(work, OPERATOR, programme, "2026", [Question("stay", "yes_no", "Do you mean to stay?")])
        survey_id = str((await survey_named(work, programme, "2026")).survey_id)
    members = [await make_staff(client, database, place, role, programme=role == "admin") for role in ROLES]
    return Twins(place, words[0], words[1], survey_id, members)


def _dicts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _dicts(part)


def _about(answer: Any, words: dict[str, str], not_of: dict[str, str]) -> list[str]:
    """Return what an answer says of one family alone, without the words by which it is known."""
    lines = (
        (json.dumps(node) for node in _dicts(answer)) if not isinstance(answer, bytes) else text_of(answer).splitlines()
    )
    shown = [line for line in lines if any(word in line for word in words) and not any(word in line for word in not_of)]
    for word, stands_for in words.items():
        shown = [line.replace(word, stands_for) for line in shown]
    # Lines of a printed list are numbered; a part of the board follows from the family's random id.
    unnumbered = (re.sub(r"^\d+ |\"part\": \d+, ", "", line) for line in shown)
    return [re.sub(r"P-[A-Z2-7]{16}", "PSEUDONYM", line) for line in unnumbered]


async def _compare(twins: Twins, members: Sequence[StaffMember]) -> set[str]:
    """Ask every route that reads about a site or programme; return those that say something of a family."""
    telling = set()
    ids = {
        "site_id": twins.place.site.site_id, "programme_id": twins.place.site.programme_id,
        "cohort_id": twins.place.cohort.cohort_id, "survey_id": twins.survey_id,
    }  # fmt: skip
    for route in READS:
        for member in members:
            of_agreed = await _said_about(twins.agreed, twins.other, member, route, ids)
            of_other = await _said_about(twins.other, twins.agreed, member, route, ids)
            assert of_agreed == of_other, (route, member.staff.role)
            telling |= {route.path} if of_agreed else set()
    return telling


async def _said_about(
    words: dict[str, str], not_of: dict[str, str], member: StaffMember, route: Declared, ids: dict[str, Any]
) -> list[str]:
    """Return what a route says of one family; one that names a family or a watch is asked about this one's."""
    code, serial = words
    given = ids | {"family_code": code, "serial": serial}
    needed = re.findall(r"{(\w+)}", route.path)
    answer = await member.ask(
        route.method, route.path.format(**{name: given.get(name, uuid.uuid4()) for name in needed})
    )
    if not answer.is_success:
        return []
    content = answer.json() if answer.headers["content-type"].startswith("application/json") else answer.content
    return [] if isinstance(content, bytes) and not content.startswith(b"%PDF") else _about(content, words, not_of)


async def test_no_answer_to_staff_differs_by_what_a_family_agreed_to(
    twins: Twins, database: Database, clock: FakeClock
) -> None:
    site = "/v1/staff/sites/{site_id}"
    lists = {f"{site}/{leaf}" for leaf in ("watches", "families", "hand-out-list", "watch-labels")}
    names = f"{site}/surveys/{{survey_id}}/families"
    own = {f"{site}/families/{{family_code}}", f"{site}/watches/{{serial}}", f"{site}/board"}
    assert await _compare(twins, twins.members[1:2]) == {*lists, *own, names}
    # A week and a day later both watches are silent, and a hand-out is open.
    clock.advance(days=8)
    twins.members = [await renewed(member, database) for member in twins.members]
    await at_hand_out(twins.members[-1], twins.place)
    assert await _compare(twins, twins.members) == {
        *lists, *own, names, f"{site}/triage", f"{site}/silent-families",
    }  # fmt: skip


async def test_a_list_of_answers_is_answered_alike_for_both(twins: Twins) -> None:
    staff = twins.members[0]
    path = f"/v1/staff/sites/{twins.place.site.site_id}/surveys/{twins.survey_id}/answers"
    answers = []
    for words in (twins.agreed, twins.other):
        code = next(iter(words))
        for answer, query in (("yes", ""), ("yes", ""), ("no", ""), ("no", "?correct=true"), ("maybe", "")):
            content = f"family_code,wave,stay\n{code},baseline,{answer}\n"
            answers.append(
                await staff.told("POST", path + query, content=content, headers={"Content-Type": "text/csv"})
            )
    assert answers[:5] == answers[5:]
    assert [answer["new"] for answer in answers[:5]] == [1, 1, 1, 1, 0]


async def test_misdated_fixes_are_counted_for_five_watches_or_more(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    counts = []
    for _ in range(5):
        await fill_buckets(database)
        parent = await make_family(client, database, place)
        await may_look(parent)
        await _live(parent, place)
        async with database.begin() as work:
            counts.append((await device_counts(work, place.site.site_id)).get("misdated_fixes"))
    assert counts == [None, None, None, None, 5]
