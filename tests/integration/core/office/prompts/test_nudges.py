"""A reminder after a silent day: for who wants it, once a day, by the site's clock; what followed is a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import pytest_asyncio
from sqlmodel import col, select

from services.core.office.prompts.actions import judge_one_nudge, nudge_one
from services.core.platform.db.database import Database
from services.core.platform.events.tables import Event
from services.core.platform.facts.tables import Fact
from tests.support.clock import FakeClock
from tests.support.http import Parent, fill_buckets, make_family, make_place, pair

# 08:00 UTC is 16:00 in Shanghai.
AFTERNOON = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _afternoon(clock: FakeClock) -> Iterator[None]:
    """Each test begins in the afternoon at the site, a month after the one before."""
    while clock.now < AFTERNOON:
        clock.advance(days=1)
    yield
    clock.now = clock.now.replace(hour=8, minute=0) + timedelta(days=30)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _full_buckets(database: Database) -> None:
    await fill_buckets(database)


async def sweep(database: Database) -> None:
    for judge in (judge_one_nudge, nudge_one):
        done = True
        while done:
            async with database.begin() as work:
                done = await judge(work)


async def nudges(database: Database, parent: Parent) -> int:
    async with database.begin() as work:
        nudges = await work.session.exec(
            select(Event).where(col(Event.family_id) == parent.family_id, col(Event.kind) == "starter.nudge")
        )
        events = nudges.all()
    assert all(str(event.guardian_id) == parent.guardian_id and event.detail == {} for event in events)
    return len(events)


async def facts(database: Database, parent: Parent) -> list[str]:
    async with database.begin() as work:
        kinds = await work.session.exec(
            select(Fact.kind)
            .where(col(Fact.family_id) == parent.family_id, col(Fact.kind).like("starter_%"))
            .order_by(col(Fact.received_at))
        )
        return list(kinds)


async def test_a_silent_day_is_told_once_in_the_daytime_and_what_followed_is_a_fact(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    place = await make_place(database)
    parent, unwilling = await make_family(client, database, place), await make_family(client, database, place)
    await pair(parent, place)
    await parent.consent("measurement")
    await parent.told("PUT", "/v1/me/starter-nudge", json={"wanted": True})
    assert (await parent.told("GET", "/v1/me/starter-nudge"))["wanted"]
    # The day of the wish is no silent day, and the one after is not over.
    clock.advance(days=1)
    await sweep(database)
    assert await nudges(database, parent) == 0
    # Two days on, at 07:59 and at 20:00 by the site's clock: night.
    clock.now = clock.now.replace(hour=0, minute=59) + timedelta(days=1)
    await sweep(database)
    clock.now = clock.now.replace(hour=12, minute=0)
    await sweep(database)
    assert await nudges(database, parent) == 0
    clock.now = clock.now.replace(hour=1, minute=0) + timedelta(days=1)
    await asyncio.gather(sweep(database), sweep(database), sweep(database))
    clock.advance(hours=5)
    await sweep(database)
    assert await nudges(database, parent) == 1
    assert await nudges(database, unwilling) == 0
    # No message within a day: said so. The next silent day is told again, and this time a word follows.
    clock.advance(hours=20)
    await sweep(database)
    assert await nudges(database, parent) == 2
    clock.advance(hours=1)
    await fill_buckets(database)
    await parent.log_in()
    await parent.send("good evening")
    clock.advance(hours=24)
    await sweep(database)
    # Sorted: the first answer and the second reminder are of one moment.
    assert sorted(await facts(database, parent)) == [
        "starter_followed", "starter_not_followed", "starter_nudged", "starter_nudged",
    ]  # fmt: skip
    # The day with a message was not silent.
    assert await nudges(database, parent) == 2


async def test_who_wants_it_no_more_or_may_not_write_is_left_alone(
    client: httpx.AsyncClient, database: Database, clock: FakeClock
) -> None:
    first, second = await make_family(client, database), await make_family(client, database)
    for parent in (first, second):
        await parent.told("PUT", "/v1/me/starter-nudge", json={"wanted": True})
    await first.told("PUT", "/v1/me/starter-nudge", json={"wanted": False})
    await second.told("POST", f"{second.family}/consents/withdraw", json={"part": "messages"})
    clock.advance(days=3)
    await sweep(database)
    assert (await nudges(database, first), await nudges(database, second)) == (0, 0)


async def test_prompts_are_shown_in_the_guardians_language_and_cohorts_share_them(
    client: httpx.AsyncClient, database: Database
) -> None:
    place = await make_place(database)
    first, second = await make_family(client, database, place), await make_family(client, database, place)
    starters = await first.told("GET", f"{first.child}/starters")
    await second.told("PATCH", "/v1/me", json={"locale": "tr"})
    in_turkish = await second.told("GET", f"{second.child}/starters")
    assert [each["starter"] for each in starters["starters"]] == [each["starter"] for each in in_turkish["starters"]]
    assert [each["text"] for each in starters["starters"]] != [each["text"] for each in in_turkish["starters"]]
    assert len(starters["starters"]) == 3
