"""Reading stays flat as the table grows, and keeping fixes costs a known multiple of the bare insert.

Machines differ: what is held are numbers of pages, and ratios within one run with room for noise. The numbers are
printed (`pytest -s`) and those of one run stand in docs/places.md.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text

from services.core.location.checkins.partitions import make_one_month
from services.core.location.checkins.queries import calendar_of, checkins_in, day_of_child, latest_place
from services.core.people.households.tables import Child
from services.core.platform.db.database import Database, UnitOfWork
from services.devstack.postgres import LocalPostgres
from tests.bench.conftest import Crowd, make_crowd
from tests.support.clock import FakeClock
from tests.support.places import away, sent
from tests.support.uplinks import receive_fixes

ROWS_A_CHILD = 1_000
FIXES_A_DAY = 288  # one every five minutes
RUNS = 75


async def make_months(database: Database) -> None:
    made = True
    while made:
        async with database.begin() as work:
            made = await make_one_month(work)


async def grow(postgres: LocalPostgres, database: Database, rows: int) -> None:
    """Fill the table up with so many rows of other children, spread over the last thirty days."""
    async with database.begin() as work:
        count = (await work.run(text("SELECT count(*) FROM checkin"))).scalar_one()
        children = max(0, (rows - count) // ROWS_A_CHILD)
        await work.run(
            text(
                "WITH someone AS (SELECT family_id FROM family LIMIT 1), made AS ("
                " INSERT INTO child (child_id, family_id, name, wrapped_key, message_seq, inbox_seq, created_at)"
                " SELECT gen_random_uuid(), family_id, 'x', '', 0, 0, :now"
                " FROM someone, generate_series(1, :children) RETURNING child_id)"
                " INSERT INTO latest_checkin (child_id, happened_at, received_at, accuracy_m, sealed_place)"
                " SELECT child_id, :now, :now, 10, decode(repeat('00', 53), 'hex') FROM made"
            ),
            {"now": work.now, "children": children},
        )
        await work.run(
            text(
                "INSERT INTO checkin SELECT 'w-' || left(child_id::text, 30), 'r' || number,"
                " extract(epoch FROM at)::bigint, child_id, at, at, decode(repeat('00', 16), 'hex'), 'good', '', 10,"
                " 'gps', decode(repeat('00', 53), 'hex')"
                " FROM (SELECT child_id, number, CAST(:now AS timestamptz) - number * interval '43 minutes' AS at"
                "  FROM latest_checkin, generate_series(1, :each) AS number"
                "  WHERE child_id NOT IN (SELECT child_id FROM checkin)) AS spread"
            ),
            {"now": work.now, "each": ROWS_A_CHILD},
        )
    owner = await asyncpg.connect(postgres.owner_dsn(database.url.rpartition("/")[2]))
    try:
        await owner.execute("ANALYZE checkin, latest_checkin")
    finally:
        await owner.close()


async def least_ms(database: Database, read: Callable[[UnitOfWork], Awaitable[object]]) -> float:
    """Return the time of one read in milliseconds, the fifth shortest of many: others use this machine."""
    took = []
    for _ in range(RUNS):
        async with database.begin() as work:
            start = time.perf_counter()
            await read(work)
            took.append((time.perf_counter() - start) * 1000)
    return sorted(took)[4]


async def pages_read(database: Database, read: Callable[[UnitOfWork], Awaitable[object]]) -> int:
    """Return how many pages of tables and indexes one read takes, from memory or from the disk.

    The least of some: a vacuum that ends meanwhile counts its own.
    """
    taken = []
    for _ in range(5):
        before = await _pages(database)
        async with database.begin() as work:
            await read(work)
            # With the end of the transaction, not up to a minute later.
            await work.fetch("SELECT pg_stat_force_next_flush()")
        taken.append(await _pages(database) - before)
    return min(taken)


async def _pages(database: Database) -> int:
    async with database.begin() as work:
        await work.fetch("SELECT pg_stat_force_next_flush()")
    async with database.begin() as work:
        [[pages]] = await work.fetch(
            "SELECT sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::bigint"
            " FROM pg_statio_user_tables"
        )
    return int(pages)


async def wear_for_a_day(database: Database, clock: FakeClock, crowd: Crowd) -> uuid.UUID:
    """Have one child wear a watch for a day; return the child's id."""
    fixes = [
        sent(crowd.usernames[0], clock.now - timedelta(minutes=5 * number), away(number % 9 * 10, 0))
        for number in range(FIXES_A_DAY)
    ]
    async with database.begin() as work:
        await receive_fixes(work, fixes)
    return crowd.child_ids[0]


async def measure(database: Database, child_id: uuid.UUID) -> dict[str, tuple[float, int]]:
    """Return the milliseconds and the pages of what a parent asks."""
    async with database.begin() as work:
        child = await work.session.get_one(Child, child_id)
        yesterday = await calendar_of(work, child, (work.now - timedelta(hours=16)).date())

    async def latest(work: UnitOfWork) -> object:
        return await latest_place(work, child)

    async def page(work: UnitOfWork) -> object:
        checkins = await checkins_in(work, child, yesterday.span, limit=100)
        assert checkins
        return checkins

    async def day(work: UnitOfWork) -> object:
        return await day_of_child(work, child, yesterday)

    reads = {"latest": latest, "page of a day": page, "whole day": day}
    return {name: (await least_ms(database, read), await pages_read(database, read)) for name, read in reads.items()}


async def compare(postgres: LocalPostgres, database: Database, clock: FakeClock, sizes: tuple[int, ...]) -> None:
    """Measure at each size. What is held is the number of pages, which a busy machine does not change."""
    await make_months(database)
    child_id = await wear_for_a_day(database, clock, await make_crowd(database, 1))
    measured: dict[int, dict[str, tuple[float, int]]] = {}
    for size in sizes:
        await grow(postgres, database, size)
        measured[size] = await measure(database, child_id)
    for name, (_, first) in measured[sizes[0]].items():
        line = "  ".join(
            f"{size:>9,}: {ms:6.2f} ms, {pages} pages" for size, of in measured.items() for ms, pages in [of[name]]
        )
        print(f"{name:<14} {line}")  # noqa: T201 - it is what a bench is for
        # An index has one more level here and there; read one by one, the rows would be thousands of pages.
        assert 0 < measured[sizes[-1]][name][1] < 2 * first + 10, (name, measured)


async def test_reading_stays_flat_from_ten_to_a_hundred_thousand_rows(
    postgres: LocalPostgres, database: Database, clock: FakeClock
) -> None:
    await compare(postgres, database, clock, (10_000, 100_000))


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_reading_stays_flat_up_to_a_million_rows(
    postgres: LocalPostgres, database: Database, clock: FakeClock
) -> None:
    await compare(postgres, database, clock, (10_000, 100_000, 1_000_000))


async def test_keeping_fixes_is_a_known_multiple_of_the_bare_insert(database: Database, clock: FakeClock) -> None:
    await make_months(database)
    watches, batches = 100, 5
    crowd = await make_crowd(database, watches)

    async def keep(usernames: list[str]) -> tuple[float, float]:
        """Return the seconds it took, and those of this process's CPU."""
        now = clock.advance(minutes=5)
        fixes = [sent(username, now, away(len(usernames), 0)) for username in usernames]
        start_s, cpu_s = time.perf_counter(), time.process_time()
        async with database.begin() as work:
            await receive_fixes(work, fixes)
        return time.perf_counter() - start_s, time.process_time() - cpu_s

    await keep(crowd.usernames)  # statements are made ready
    # The best of some, on either side: what a busy machine took away is no part of either.
    together = [await keep(crowd.usernames) for _ in range(batches)]
    alone = [await keep([username]) for username in crowd.usernames[:20]]
    kept_s = min(took_s for took_s, _ in together)
    # By CPU: a batch takes a quarter of a second, in which a busy machine always does something else as well.
    times = min(cpu_s for _, cpu_s in alone) / (min(cpu_s for _, cpu_s in together) / watches)

    columns = "username, ref, tst, child_id, happened_at, received_at, content_mark, quality, reasons, accuracy_m,"
    connection = await asyncpg.connect(database.url)
    try:
        rows = await connection.fetch(
            f"SELECT {columns} source, sealed_place FROM checkin WHERE child_id = ANY($1)",  # noqa: S608 - our own
            crowd.child_ids,
        )
        assert len(rows) == watches * (batches + 1) + 20
        await connection.execute("DELETE FROM checkin WHERE child_id = ANY($1)", crowd.child_ids)
        bare = await _bare_insert_s(connection, rows, watches, columns)
    finally:
        await connection.close()
    rate, bare_rate = watches / kept_s, watches / bare
    print(f"together {rate:,.0f} fixes/s, bare insert {bare_rate:,.0f} rows/s")  # noqa: T201
    print(f"bare insert over together {bare_rate / rate:.1f}, CPU alone over together {times:.1f}")  # noqa: T201
    # 30 when nothing else runs. Beside other tests the longer of both loses more than its part: 87 was seen. Kept one
    # by one they would be above 400.
    assert bare_rate / rate < 200
    assert times > 8


async def _bare_insert_s(
    connection: asyncpg.Connection, rows: list[asyncpg.Record], watches: int, columns: str
) -> float:
    """Insert the same rows in batches of the same size, with nothing around it; return the seconds of the best."""
    places = ", ".join(
        f"${number}::{kind}[]"
        for number, kind in enumerate(
            ["text", "text", "bigint", "uuid", "timestamptz", "timestamptz", "bytea", "text", "text", "float8",
             "text", "bytea"],
            start=1,
        )
    )  # fmt: skip
    statement = f"INSERT INTO checkin ({columns} source, sealed_place) SELECT * FROM unnest({places})"  # noqa: S608
    took_s = []
    for first in range(0, len(rows) - watches + 1, watches):
        part = rows[first : first + watches]
        start = time.perf_counter()
        await connection.execute(statement, *(list(column) for column in zip(*part, strict=True)))
        took_s.append(time.perf_counter() - start)
    return min(took_s)
