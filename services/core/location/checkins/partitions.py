"""Monthly partitions of check-ins: created ahead, purged of expired places, dropped.

Rows outside all months are stored in the DEFAULT partition: clocks in 1970 or 2038, and everything before the worker's
first run. Postgres rejects a new month while DEFAULT holds rows of it, so these rows move in the same transaction. The
database role of the processes cannot create or drop tables: two functions of the owner do only that
(docs/decisions/0019-two-database-roles.md).
"""

from __future__ import annotations

import structlog
from sqlalchemy import text

from services.core.location.checkins.rules import Month, is_over, months_wanted
from services.core.platform.db.database import UnitOfWork

log = structlog.get_logger()


async def make_one_month(work: UnitOfWork) -> bool:
    """Create the first missing month, from the start of retention to two months ahead; return whether one was missing.

    Safe to run in parallel. Raises when the lock is not granted within 2 s: all readers and writers of check-ins queue
    behind the lock request, so the worker gives up and retries later.
    """
    made = set(await _months(work))
    missing = next((month for month in months_wanted(work.now, work.retention.fixes) if month not in made), None)
    if missing is None:
        return False
    made_now = await work.run(text("SELECT checkin_make_month(:first_tst)"), {"first_tst": missing.first_tst})
    moved = made_now.scalar_one()
    # None: another worker created it first.
    if moved is not None:
        log.info("checkin_month_made", month=missing.name, moved=moved)
    return True


async def drop_one_month(work: UnitOfWork) -> bool:
    """Drop the oldest month in which every place is past its retention; return whether one was dropped.

    Places that a slow clock dated too early are younger than their raw time; they move to DEFAULT until they expire.
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
    """Delete expired places in months that are not dropped yet; return False, because one run deletes all of them.

    In DEFAULT the time of receipt decides, because a clock in 1970 does not make today's place old.
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
    """Return the months that have partitions, oldest first."""
    result = await work.run(
        text(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
            " WHERE inhparent = 'checkin'::regclass AND relname <> 'checkin_default' ORDER BY relname"
        )
    )
    return [Month.named(name) for name in result.scalars()]
