"""Which watches are traced, and what was seen of one."""

from __future__ import annotations

import uuid

from sqlalchemy import text
from sqlmodel import col, or_, select

from services.core.devices.traces.errors import TraceClosedError, TraceNotAllowedError
from services.core.devices.traces.rules import KEPT_FOR, LINES_MAX
from services.core.devices.traces.tables import WatchTrace, WatchTraceLine
from services.core.devices.watches.queries import identity_of_watch
from services.core.devices.watches.tables import Watch, WatchIdentity
from services.core.people.households.errors import NotFoundError
from services.core.people.households.tables import HelpRequest
from services.core.platform.db.database import UnitOfWork

_BROKEN = "broken"
_TRACED = text("""
    SELECT coalesce(identity.username, 'f-' || watch.serial)
      FROM watch_trace trace JOIN watch USING (watch_id)
      LEFT JOIN watch_identity identity ON identity.watch_id = watch.watch_id AND identity.ended_at IS NULL
     WHERE trace.closes_at > :now
       AND (identity.username IS NULL OR EXISTS (
            SELECT FROM help_request help
             WHERE help.child_id = identity.child_id AND help.kind = :broken AND help.done_at IS NULL))
""")


async def traced_usernames(work: UnitOfWork) -> frozenset[str]:
    """Return the user names of which lines are recorded now: traced, and unpaired or reported as broken."""
    return frozenset(name for (name,) in await work.run(_TRACED, {"now": work.now, "broken": _BROKEN}))


async def may_be_traced(work: UnitOfWork, watch_id: uuid.UUID) -> bool:
    """Return whether a watch is unpaired, or its family has an open request for help because it is broken.

    In development every watch.
    """
    if work.is_development:
        return True
    identity = await identity_of_watch(work, watch_id)
    if identity is None:
        return True
    result = await work.session.exec(
        select(HelpRequest.help_id).where(
            col(HelpRequest.child_id) == identity.child_id,
            col(HelpRequest.kind) == _BROKEN,
            col(HelpRequest.done_at).is_(None),
        )
    )
    return result.first() is not None


async def watch_of_trace(work: UnitOfWork, site_id: uuid.UUID, trace_id: uuid.UUID) -> tuple[WatchTrace, Watch]:
    """Return a trace of a watch of this site; raises NotFoundError for any other."""
    result = await work.session.exec(
        select(WatchTrace, Watch)
        .join(Watch, col(Watch.watch_id) == col(WatchTrace.watch_id))
        .where(WatchTrace.trace_id == trace_id, Watch.site_id == site_id)
    )
    row = result.first()
    if row is None:
        raise NotFoundError
    return row


async def family_with(work: UnitOfWork, watch: Watch) -> uuid.UUID | None:
    """Return the family that has a watch: the one it is paired with, else the one it was handed out to."""
    identity = await identity_of_watch(work, watch.watch_id)
    return watch.handed_out_to if identity is None else identity.family_id


async def trace_of(work: UnitOfWork, watch: Watch) -> WatchTrace:
    """Return the open trace of a watch. Raises TraceClosedError, and TraceNotAllowedError once it may not be traced."""
    trace = (await work.session.exec(select(WatchTrace).where(WatchTrace.watch_id == watch.watch_id))).first()
    if trace is None or trace.closes_at <= work.now:
        raise TraceClosedError
    if not await may_be_traced(work, watch.watch_id):
        raise TraceNotAllowedError
    return trace


async def lines_of(work: UnitOfWork, watch: Watch) -> list[WatchTraceLine]:
    """Return the lines of a watch of the last 7 days, oldest first; of earlier pairings none."""
    child = select(WatchIdentity.child_id).where(
        col(WatchIdentity.watch_id) == watch.watch_id, col(WatchIdentity.ended_at).is_(None)
    )
    result = await work.session.exec(
        select(WatchTraceLine)
        .where(
            col(WatchTraceLine.watch_id) == watch.watch_id,
            col(WatchTraceLine.at) > work.now - KEPT_FOR,
            or_(col(WatchTraceLine.child_id).is_(None), col(WatchTraceLine.child_id).in_(child)),
        )
        .order_by(col(WatchTraceLine.line_id).desc())
        .limit(LINES_MAX)
    )
    return list(result)[::-1]
