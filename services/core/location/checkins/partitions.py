"""The months that check-ins are cut into: made ahead, emptied of what is too old, dropped.

What no month takes lies in the DEFAULT partition: watches in 1970 or 2038, and everything before the worker's first
run. Postgres refuses a new month while DEFAULT holds rows of it, so they are moved in the same transaction. The role of
the processes makes and drops no table: two functions of the owner do that and nothing else
(docs/decisions/0019-two-database-roles.md).
"""

from __future__ import annotations

import structlog
from sqlalchemy import text

from services.core.location.checkins.rules import Month, is_over, months_wanted
from services.core.platform.db.database import UnitOfWork

log = structlog.get_logger()


async def make_one_month(work: UnitOfWork) -> bool:
    """Make the first month that is missing, from where retention starts to two months on; return whether one was.

    Safe to run by many at once. Raises when the lock cannot be had within 2 s: everybody who writes or reads check-ins
    waits behind us meanwhile, so rather come again later.
    """
    made = set(await _months(work))
    missing = next((month for month in months_wanted(work.now, work.retention.fixes) if month not in made), None)
    if missing is None:
        return False
    made_now = await work.run(text("SELECT checkin_make_month(:first_tst)"), {"first_tst": missing.first_tst})
    moved = made_now.scalar_one()
    # None: another worker was first.
    if moved is not None:
        log.info("checkin_month_made", month=missing.name, moved=moved)
    return True


async def drop_one_month(work: UnitOfWork) -> bool:
    """Drop the oldest month of which everything is too old to be kept; return whether there was one.

    What a slow clock dated too early is younger than its raw time: it moves to DEFAULT and lives its days.
    """
    kept_for = work.retention.fixes
    over = [month for month in await _months(work) if is_over(month, work.now, kept_for)]
    if not over:
        return False
    await work.run(
        text("SELECT checkin_drop_month(:first_tst, :oldest)"),
        {"first_tst": over[0].first_tst, "oldest": work.now - kept_for},
    )
    log.info("checkin_month_dropped", month=over[0].name)
    return True


async def purge_old_places(work: UnitOfWork) -> bool:
    """Delete single places whose time is over, in the months that still stand; return False: one run takes them all.

    In DEFAULT the time of receipt decides: a clock in 1970 does not make a place of today old.
    """
    oldest = {"oldest": work.now - work.retention.fixes}
    await work.run(
        text(
            "DELETE FROM checkin WHERE happened_at < :oldest AND (received_at < :oldest OR tableoid <>"
            " (SELECT partdefid FROM pg_partitioned_table WHERE partrelid = 'checkin'::regclass))"
        ),
        oldest,
    )
    await work.run(text("DELETE FROM latest_checkin WHERE happened_at < :oldest"), oldest)
    await work.run(text("DELETE FROM zone_passage WHERE happened_at < :oldest"), oldest)
    return False


async def _months(work: UnitOfWork) -> list[Month]:
    """Return the months that have partitions, the oldest first."""
    result = await work.run(
        text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = 'checkin'::regclass AND relname <> 'checkin_default' ORDER BY relname"
        )
    )
    return [Month.named(name) for name in result.scalars()]
