"""Many at once or one by one: a family's time comes to the same days and numbers through either door."""

from __future__ import annotations

import heapq
import json
import random
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import col, select

from services.core.devices.watches.queries import standing_identity
from services.core.measurement.counting.actions import rebuild
from services.core.measurement.indicators.rules import INDICATORS, Measure, week_of
from services.core.measurement.indicators.weeks import family_weeks
from services.core.measurement.reports.actions import receive_past_reports
from services.core.measurement.tables import UsagePopulation, UsageReport
from services.core.people.households.tables import Enrolment
from services.core.platform.blobs.store import BlobStore
from services.core.platform.db.database import Database
from services.core.platform.facts.actions import record_fact, record_past_facts
from services.core.platform.settings import Settings
from services.devstack.simulated_programme.writing import Lived, live
from services.protocol.topics import UplinkKind, parse_user, uplink
from services.watch_link.backend import Backend
from services.watch_link.receiving import receive
from tests.integration.core.measurement.conftest import Household, count_all, settle
from tests.support.clock import FakeClock

DAYS = 35


async def lived(home: Household, seed: int) -> Lived:
    async with home.database.begin() as work:
        identity = await standing_identity(work, home.worn.username)
        assert identity is not None
        return live(random.Random(seed), identity, "CN", ZoneInfo("Asia/Shanghai"), DAYS)


async def through_the_bulk_door(home: Household, life: Lived) -> None:
    async with home.database.begin() as work:
        identity = await standing_identity(work, home.worn.username, lock=True)
        assert identity is not None
        await record_past_facts(work, life.facts)
        await receive_past_reports(work, identity, life.reports)


async def one_by_one(home: Household, life: Lived, settings: Settings) -> None:
    """Have each thing happen at its time: facts as rooms write them, reports as the bridge's handler takes them."""
    user = parse_user(home.worn.username)
    assert user is not None
    backend = Backend(home.database, BlobStore.of(settings), settings)
    arrivals: Iterable[tuple[datetime, int, Any]] = heapq.merge(
        sorted(((fact.received_at, 0, fact) for fact in life.facts), key=lambda arrival: arrival[0]),
        ((at, 1, report) for at, report in life.reports), key=lambda arrival: arrival[0],
    )  # fmt: skip
    for number, (at, kind, arrival) in enumerate(arrivals):
        home.clock.now = at
        if kind:
            payload = {"id": arrival.ref, "from_tst": arrival.from_tst, "to_tst": arrival.to_tst, **arrival.counters}
            (reply,) = await receive(backend, uplink(user, UplinkKind.USAGE), json.dumps(payload).encode())
            assert b'"stored"' in reply.payload
        else:
            async with home.database.begin() as work:
                record_fact(
                    work, arrival.kind, watch_id=arrival.watch_id, child_id=arrival.child_id,
                    family_id=arrival.family_id, ref_id=arrival.ref_id,
                    happened_at=arrival.happened_at, voice_ms=arrival.voice_ms,
                )  # fmt: skip
        if number % 50 == 0:
            await count_all(home.database)
    await count_all(home.database)


async def numbers(home: Household) -> tuple[list[dict[str, Any]], ...]:
    """Return the days of the family and of its watch, and its reports, without the ids."""
    ids = {"family_id", "watch_id", "report_id"}
    async with home.database.begin() as work:
        reports = await work.session.exec(
            select(UsageReport).where(UsageReport.family_id == home.home.family_id).order_by(col(UsageReport.ended_at))
        )
        kept = [report.model_dump(exclude=ids) for report in reports]
    days = [day.model_dump(exclude=ids) for day in await home.days()]
    return days, [day.model_dump(exclude=ids) for day in await home.watch_days()], kept


async def indicators(home: Household) -> list[dict[str, Measure]]:
    """Return every indicator of the family alone, week by week."""
    counted = []
    async with home.database.begin() as work:
        enrolments = await work.session.exec(select(Enrolment).where(Enrolment.family_id == home.home.family_id))
        enrolment = enrolments.one()
        family = UsagePopulation(
            quarter=home.clock.now.date(), programme_id=uuid.uuid4(),
            family_id=enrolment.family_id, site_id=enrolment.site_id, cohort_id=enrolment.cohort_id,
        )  # fmt: skip
        for number in range(DAYS // 7):
            week = week_of((home.clock.now - timedelta(weeks=number)).date())
            (family_week,) = (await family_weeks(work, [family], week)).values()
            alone = [replace(family_week, family_id=uuid.UUID(int=1))]
            counted.append({code: indicator.formula(alone, None) for code, indicator in INDICATORS.items()})
    return counted


@pytest.mark.parametrize("agrees", [True, False])
async def test_both_doors_come_to_the_same(
    database: Database, clock: FakeClock, settings: Settings, *, agrees: bool
) -> None:
    # Given two families that begin at the same noon and live the same five weeks.
    clock.now = (clock.now + timedelta(days=1)).replace(hour=4, minute=0)
    at_once, in_turn = [await settle(database, clock) for _ in range(2)]
    if agrees:
        await at_once.agree()
        await in_turn.agree()
    seed = 8 if agrees else 9
    # When one's time comes in as it happens, and the other's when it is over.
    await one_by_one(in_turn, await lived(in_turn, seed), settings)
    await through_the_bulk_door(at_once, await lived(at_once, seed))
    async with database.begin() as work:
        await rebuild(work, [at_once.home.family_id])
    # Then days, reports and every indicator are the same.
    first, second = await numbers(at_once), await numbers(in_turn)
    assert first == second
    assert len(first[2]) > DAYS / 3
    assert bool(first[0]) is agrees
    assert all((report["worn_s"] is not None) is agrees for report in first[2])
    measured = await indicators(at_once)
    assert measured == await indicators(in_turn)
    if agrees:
        assert sum(week["messages"].value or 0 for week in measured) > 10
