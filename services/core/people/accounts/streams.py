"""Open event streams of a guardian, counted in the database across all processes.

A stream beyond the limit is opened, and the oldest one is closed: a phone that lost its network cannot close its old
streams, and must receive events again without waiting for a timeout.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.people.accounts.actions import access_changed
from services.core.people.accounts.rules import StoredSession, session_is_live
from services.core.people.accounts.tables import Guardian, OpenStream
from services.core.platform.db.database import UnitOfWork
from services.core.platform.limits.rules import MOST_STREAMS_OF_GUARDIAN, MOST_STREAMS_OF_SESSION

# Removes the rows of killed processes. A client connected for longer reconnects with its last event id.
STREAM_LIVES: Final = timedelta(days=1)
_BATCH_ROWS: Final = 500


async def open_stream(work: UnitOfWork, session_id: uuid.UUID, guardian_id: uuid.UUID) -> int:
    """Record a new stream and return its number; close the oldest streams beyond the limits, in any process.

    The guardian's row is locked, so that concurrent calls count each other.
    """
    await work.session.exec(
        select(Guardian.guardian_id).where(Guardian.guardian_id == guardian_id).with_for_update(key_share=True)
    )
    stream = OpenStream(session_id=session_id, guardian_id=guardian_id, opened_at=work.now)
    work.add(stream)
    await work.flush()
    result = await work.session.exec(
        select(OpenStream.stream_no, OpenStream.session_id)
        .where(OpenStream.guardian_id == guardian_id)
        .order_by(col(OpenStream.stream_no).desc())
    )
    newest = [(stream_no, of_session) for stream_no, of_session in result if stream_no is not None]
    too_many = [stream_no for stream_no, of_session in newest if of_session == session_id][MOST_STREAMS_OF_SESSION:]
    too_many += [stream_no for stream_no, _ in newest if stream_no not in too_many][MOST_STREAMS_OF_GUARDIAN:]
    if too_many:
        await close_streams(work, too_many)
        await access_changed(work, guardian_id)
    return newest[0][0]


# The session of a stream that is still open, as a part of a `NamedStatement`.
SESSION_OF_STREAM: Final = """
SELECT session.created_at, session.last_used_at, session.ended_at, session.limited
FROM open_stream JOIN session USING (session_id) WHERE open_stream.stream_no = :stream_no
"""


def may_stream(session: StoredSession, now: datetime) -> bool:
    """Return whether a session may have streams: it is live and unlimited."""
    return session_is_live(session, now) and not session.limited


async def close_streams(work: UnitOfWork, stream_nos: Collection[int]) -> None:
    """Remove these streams from the count. Repeating the call changes nothing."""
    if stream_nos:
        await work.run(delete(OpenStream).where(col(OpenStream.stream_no).in_(stream_nos)))


async def purge_old_streams(work: UnitOfWork) -> bool:
    """Delete a batch of streams older than a day; return whether there were any. Safe to run twice."""
    old = (
        select(OpenStream.stream_no)
        .where(col(OpenStream.opened_at) <= work.now - STREAM_LIVES)
        .limit(_BATCH_ROWS)
        .with_for_update(skip_locked=True)
    )
    gone = await work.run(
        delete(OpenStream).where(col(OpenStream.stream_no).in_(old)).returning(col(OpenStream.stream_no))
    )
    return bool(gone.all())
