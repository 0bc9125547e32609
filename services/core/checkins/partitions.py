"""The months that check-ins are cut into: made ahead, emptied of what is too old, dropped.

What no month takes lies in the DEFAULT partition: watches in 1970 or 2038, and everything before the worker's first
run. Postgres refuses a new month while DEFAULT holds rows of it, so they are moved in the same transaction.
"""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import text

from services.core.checkins.rules import KEPT_FOR, Month, is_over, months_wanted
from services.core.db.database import UnitOfWork

_SCHEMA: Final = "checkin_months"
_DEFAULT: Final = f"{_SCHEMA}.checkin_default"
# Everybody who writes or reads check-ins waits behind us while we wait for the lock: rather come again later.
_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"

log = structlog.get_logger()


async def make_one_month(work: UnitOfWork) -> bool:
    """Make the first month that is missing, from where retention starts to two months on; return whether one was.

    Safe to run by many at once. Raises what a lock that cannot be had raises: then it is tried again later.
    """
    missing = await _first_missing(work)
    if missing is None:
        return False
    await work.run(text(_LOCK_TIMEOUT))
    # The whole table at once: a writer between our two steps would wait for us with a lock that we need.
    await work.run(text("LOCK TABLE checkin IN ACCESS EXCLUSIVE MODE"))
    missing = await _first_missing(work)
    if missing is None:
        return False
    await _make(work, missing)
    return True


async def _make(work: UnitOfWork, month: Month) -> None:
    name = f"{_SCHEMA}.{month.name}"
    first, after = month.first_tst, month.next.first_tst
    # Names and numbers are our own, and a table's name cannot be a parameter.
    await work.run(text(f"CREATE TABLE {name} (LIKE checkin INCLUDING ALL)"))
    moved = await work.run(
        text(
            f"WITH moved AS (DELETE FROM {_DEFAULT} WHERE tst >= {first} AND tst < {after} RETURNING *)"  # noqa: S608
            f" INSERT INTO {name} SELECT * FROM moved"
        )
    )
    await work.run(text(f"ALTER TABLE checkin ATTACH PARTITION {name} FOR VALUES FROM ({first}) TO ({after})"))
    log.info("checkin_month_made", month=month.name, moved=moved.rowcount)


async def drop_one_month(work: UnitOfWork) -> bool:
    """Drop the oldest month of which everything is too old to be kept; return whether there was one."""
    over = [month for month in await _months(work) if is_over(month, work.now)]
    if not over:
        return False
    await work.run(text(_LOCK_TIMEOUT))
    await work.run(text("LOCK TABLE checkin IN ACCESS EXCLUSIVE MODE"))
    if over[0] not in await _months(work):
        return False  # another worker was first
    name = f"{_SCHEMA}.{over[0].name}"
    await work.run(text(f"ALTER TABLE checkin DETACH PARTITION {name}"))
    # A watch whose clock was behind: what it said is younger than its raw time.
    await work.run(
        text(f"INSERT INTO {_DEFAULT} SELECT * FROM {name} WHERE happened_at >= :oldest"),  # noqa: S608
        {"oldest": work.now - KEPT_FOR},
    )
    await work.run(text(f"DROP TABLE {name}"))
    log.info("checkin_month_dropped", month=over[0].name)
    return True


async def forget_old_places(work: UnitOfWork) -> bool:
    """Delete single places whose time is over, in the months that still stand; return False: one run takes them all.

    In DEFAULT the time of receipt decides: a clock in 1970 does not make a place of today old.
    """
    oldest = {"oldest": work.now - KEPT_FOR}
    for month in await _months(work):
        await work.run(
            text(f"DELETE FROM {_SCHEMA}.{month.name} WHERE happened_at < :oldest"),  # noqa: S608
            oldest,
        )
    await work.run(text(f"DELETE FROM {_DEFAULT} WHERE received_at < :oldest"), oldest)  # noqa: S608
    await work.run(text("DELETE FROM latest_checkin WHERE happened_at < :oldest"), oldest)
    await work.run(text("DELETE FROM zone_passage WHERE happened_at < :oldest"), oldest)
    return False


async def _first_missing(work: UnitOfWork) -> Month | None:
    made = set(await _months(work))
    return next((month for month in months_wanted(work.now) if month not in made), None)


async def _months(work: UnitOfWork) -> list[Month]:
    """Return the months that have partitions, the oldest first."""
    found = await work.run(
        text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = 'checkin'::regclass AND relname <> 'checkin_default' ORDER BY relname"
        )
    )
    return [Month.named(name) for name in found.scalars()]
