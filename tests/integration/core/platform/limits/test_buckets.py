"""Buckets that all processes share: the statement counts as the rules do, all or none, and nobody is named."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlmodel import select

from services.core.platform.db.database import Database
from services.core.platform.errors import RetryLaterError
from services.core.platform.limits.actions import Charge, charge
from services.core.platform.limits.expiry import purge_full_buckets
from services.core.platform.limits.rules import Bucket, Limits, take, whole_seconds
from services.core.platform.limits.tables import LimitBucket
from tests.support.clock import FakeClock

LIMIT = Limits.CODES_OF_DEVICE


async def _wait_s(database: Database, *charges: Charge) -> int:
    """Charge and return the wait told, 0: granted."""
    try:
        async with database.begin() as work:
            await charge(work, *charges)
    except RetryLaterError as refused:
        return refused.retry_after_s
    return 0


async def test_the_statement_counts_as_the_rule_does(database: Database, clock: FakeClock) -> None:
    drawn = random.Random(7)
    bucket: Bucket | None = None
    for _ in range(60):
        clock.advance(seconds=drawn.choice([0, 1, 30, 600, 599.5, 4000]))
        charged = take(LIMIT.value, bucket, clock.now)
        bucket = charged.bucket
        expected_s = whole_seconds(charged.wait) if charged.wait else 0
        told_s = await _wait_s(database, Charge(LIMIT, "walk"))
        # A rounding of the last bit may show in the last second.
        assert bool(told_s) == bool(expected_s)
        assert abs(told_s - expected_s) <= 1


async def test_twenty_at_once_in_many_transactions_are_granted_exactly_the_burst(database: Database) -> None:
    waits = await asyncio.gather(*(_wait_s(database, Charge(LIMIT, "crowd")) for _ in range(20)))
    assert waits.count(0) == LIMIT.value.burst


async def test_what_one_limit_refuses_costs_the_others_nothing(database: Database) -> None:
    phone = Charge(Limits.CODES_OF_PHONE, "victim")
    poor = Charge(Limits.CODES_OF_ADDRESS, "attacker", cost=Limits.CODES_OF_ADDRESS.value.burst)
    assert await _wait_s(database, poor) == 0
    for _ in range(50):
        assert await _wait_s(database, Charge(Limits.CODES_OF_ADDRESS, "attacker"), phone) > 0
    granted = [await _wait_s(database, phone) for _ in range(Limits.CODES_OF_PHONE.value.burst)]
    assert granted == [0] * len(granted)


async def test_a_charge_stands_although_the_request_fails_and_holds_no_lock(database: Database) -> None:
    async def fail() -> None:
        async with database.begin() as work:
            await charge(work, Charge(LIMIT, "fails", cost=LIMIT.value.burst))
            # Another process is not kept waiting by a request that is still at work.
            assert await asyncio.wait_for(_wait_s(database, Charge(LIMIT, "fails")), 60) > 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await _wait_s(database, Charge(LIMIT, "fails")) > 0


async def test_whose_a_bucket_is_stands_nowhere_and_the_table_is_unlogged(database: Database) -> None:
    await _wait_s(database, Charge(LIMIT, "203.0.113.9"))
    async with database.begin() as work:
        rows = [row.model_dump() for row in await work.session.exec(select(LimitBucket))]
        kept = await work.run(text("SELECT relpersistence FROM pg_class WHERE relname = 'limit_bucket'"))
        assert kept.scalar_one() in {"u", b"u"}
    assert "203.0.113.9" not in repr(rows)


async def test_full_buckets_are_forgotten_and_others_kept(database: Database, clock: FakeClock) -> None:
    async def count(until: datetime) -> int:
        async with database.begin() as work:
            while await purge_full_buckets(work):
                pass
            assert work.now == until
            return len((await work.session.exec(select(LimitBucket))).all())

    await count(clock.advance(days=3))
    await _wait_s(database, Charge(LIMIT, "one"))
    await _wait_s(database, Charge(Limits.CODES_OF_PHONE, "two"))
    # One token of six an hour is back after ten minutes, one of 24 a day after an hour.
    assert await count(clock.advance(seconds=599)) == 2
    assert await count(clock.advance(seconds=1)) == 1
    assert await count(clock.advance(minutes=50)) == 0
