"""Open a trace, write lines in batches, and delete old ones.

In production nothing is recorded of a watch that is not traced. Lines are written outside the transactions of uplinks,
by the process that saw them (`TraceBuffer` in `buffer.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, text
from sqlmodel import col, select

from services.core.devices.traces.errors import TraceNotAllowedError
from services.core.devices.traces.queries import family_with, lines_of, may_be_traced, trace_of
from services.core.devices.traces.rules import (
    DETAIL_MAX_CHARS,
    KEPT_FOR,
    LINES_MAX,
    OPEN_FOR,
    SeenOfWatch,
    newest,
)
from services.core.devices.traces.tables import WatchTrace, WatchTraceLine
from services.core.devices.watches.tables import Watch
from services.core.platform.audit.actions import Actor, record_audit, record_first_of_day
from services.core.platform.db.database import UnitOfWork

_BATCH_ROWS: Final = 500
_WRITE: Final = text("""
    INSERT INTO watch_trace_line (watch_id, child_id, at, what, detail)
    SELECT watch.watch_id, identity.child_id, seen.at, seen.what, seen.detail
      FROM unnest(CAST(:usernames AS text[]), CAST(:ats AS timestamptz[]), CAST(:whats AS text[]),
                  CAST(:details AS text[])) WITH ORDINALITY AS seen (username, at, what, detail, place)
      LEFT JOIN watch_identity identity ON identity.username = seen.username AND identity.ended_at IS NULL
      LEFT JOIN watch AS factory ON factory.serial = substr(seen.username, 3) AND seen.username LIKE 'f-%'
      -- Not one join by either: OR would compare each line with each watch there is.
      JOIN watch ON watch.watch_id = coalesce(identity.watch_id, factory.watch_id)
     ORDER BY seen.place
    RETURNING watch_id
""")
_CUT: Final = text("""
    DELETE FROM watch_trace_line AS line USING (
        SELECT line_id, row_number() OVER (PARTITION BY watch_id ORDER BY line_id DESC) AS place
          FROM watch_trace_line WHERE watch_id = ANY(:watches)) AS numbered
     WHERE line.line_id = numbered.line_id AND numbered.place > :most
""")


async def open_trace(work: UnitOfWork, actor: Actor, watch: Watch) -> WatchTrace:
    """Trace a locked watch for 24 hours from now; while a trace is open, repeating the call returns it.

    The family that has the watch finds an entry in its log. Raises TraceNotAllowedError for a paired watch without an
    open request for help of the kind `broken`.
    """
    if not await may_be_traced(work, watch.watch_id):
        raise TraceNotAllowedError
    earlier = (await work.session.exec(select(WatchTrace).where(WatchTrace.watch_id == watch.watch_id))).first()
    if earlier is not None and earlier.closes_at > work.now:
        return earlier
    await work.run(delete(WatchTrace).where(col(WatchTrace.watch_id) == watch.watch_id))
    trace = WatchTrace(watch_id=watch.watch_id, opened_at=work.now, closes_at=work.now + OPEN_FOR)
    work.add(trace)
    family_id = await family_with(work, watch)
    record_audit(work, actor, "watch.trace_opened", family_id=family_id, subject_id=watch.watch_id)
    await work.flush()
    return trace


async def read_trace(work: UnitOfWork, actor: Actor, watch: Watch) -> list[WatchTraceLine]:
    """Return the lines of a watch whose trace is open; the family's log has the first time of a day.

    Raises TraceClosedError, TraceNotAllowedError.
    """
    await trace_of(work, watch)
    family_id = await family_with(work, watch)
    if family_id is not None:
        await record_first_of_day(work, actor, "watch.trace_read", family_id=family_id, subject_id=watch.watch_id)
    return await lines_of(work, watch)


async def write_lines(work: UnitOfWork, lines: Sequence[SeenOfWatch]) -> None:
    """Write lines and keep the newest 200 of each watch; lines of unknown user names are dropped."""
    chosen = newest(lines)
    if not chosen:
        return
    written = await work.run(
        _WRITE,
        {
            "usernames": [line.username for line in chosen], "ats": [line.at for line in chosen],
            "whats": [line.what.value for line in chosen],
            "details": [line.detail[:DETAIL_MAX_CHARS] for line in chosen],
        },
    )  # fmt: skip
    await work.run(_CUT, {"watches": sorted({watch_id for (watch_id,) in written}), "most": LINES_MAX})


async def purge_old_trace_lines(work: UnitOfWork) -> bool:
    """Delete a batch of lines older than 7 days, and traces that closed as long ago; return whether there were any."""
    before = work.now - KEPT_FOR
    old = select(WatchTraceLine.line_id).where(col(WatchTraceLine.at) <= before).limit(_BATCH_ROWS)
    lines = await work.run(delete(WatchTraceLine).where(col(WatchTraceLine.line_id).in_(old)))
    closed = await work.run(delete(WatchTrace).where(col(WatchTrace.closes_at) <= before))
    return bool(lines.rowcount or closed.rowcount)
