"""Log-ins from new devices: another guardian approves or refuses them, the owner of the number blocks them.

An approval counts within 30 minutes of the log-in, and 5 seconds after it was shown to the approver: nobody approves
by reflex what they have not read. The block holds for 24 hours.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, select

from services.core.people.accounts.actions import end_session_of
from services.core.people.accounts.devices import complete_second_step
from services.core.people.accounts.errors import LogInNotReadError, LogInTooOldError
from services.core.people.accounts.rules import (
    APPROVAL_LIFETIME,
    BLOCK_LIFETIME,
    LIMITED_LIFETIME,
    READING_TIME,
    REFRESH_LIFETIME,
    approval_is_open,
    wait_before_approval,
)
from services.core.people.accounts.tables import Guardian, Session
from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import families_of
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.limits.rules import whole_seconds


@dataclass(frozen=True)
class WaitingLogIn:
    """A log-in of another guardian that waits for approval: which phone, when, and whose number.

    ``phone`` is None where the guardian hides the number from the family.
    """

    session_id: uuid.UUID
    guardian_id: uuid.UUID
    display_name: str
    phone: str | None
    label: str
    created_at: datetime
    shown_at: datetime | None

    @property
    def approvable_from_at(self) -> datetime | None:
        """From when an approval counts; None until the log-in was shown to the approver."""
        return None if self.shown_at is None else self.shown_at + READING_TIME

    @property
    def approvable_until_at(self) -> datetime:
        """Until when the log-in can be approved."""
        return self.created_at + APPROVAL_LIFETIME


async def tell_waiting(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """Notify the guardian's families of a log-in under the guardian's number from a new device."""
    await _notify(work, guardian_id, session_id, "waiting")


# Parameters: the guardian; the times after which a limited session was opened, and any was used, if it is live.
_WAITING: Final = """
    SELECT s.session_id, g.guardian_id, g.display_name, CASE WHEN bool_or(NOT other.number_hidden) THEN g.phone END,
           s.label, s.created_at, shown.shown_at
    FROM membership mine
    JOIN membership other ON other.family_id = mine.family_id
    JOIN session s ON s.guardian_id = other.guardian_id
    JOIN guardian g ON g.guardian_id = other.guardian_id
    LEFT JOIN shown_log_in shown ON shown.session_id = s.session_id AND shown.guardian_id = $1
    WHERE mine.guardian_id = $1 AND mine.removed_at IS NULL AND other.guardian_id <> $1 AND other.removed_at IS NULL
      AND s.limited AND s.ended_at IS NULL AND s.created_at > $2 AND s.last_used_at > $3
    GROUP BY s.session_id, g.guardian_id, shown.shown_at
    ORDER BY s.created_at, s.session_id
"""
_SHOW: Final = f"""
    WITH waiting AS MATERIALIZED ({_WAITING}), new AS (
        INSERT INTO shown_log_in (session_id, guardian_id, shown_at)
        SELECT session_id, $1, $4::timestamptz FROM waiting WHERE shown_at IS NULL
        ON CONFLICT DO NOTHING
    )
    SELECT * FROM waiting ORDER BY created_at, session_id
"""  # noqa: S608 - parts of our own


async def log_ins_waiting_for(work: UnitOfWork, guardian_id: uuid.UUID) -> list[WaitingLogIn]:
    """Return the log-ins this guardian can approve or refuse: of other guardians of the same families, oldest first."""
    return [WaitingLogIn(*row) for row in await work.read(_WAITING, guardian_id, *_live_after(work))]


async def show_log_ins(work: UnitOfWork, guardian_id: uuid.UUID) -> list[WaitingLogIn]:
    """Return what :func:`log_ins_waiting_for` returns, and record that the guardian was shown it now or earlier.

    One statement, the last of its unit of work.
    """
    waiting = [
        WaitingLogIn(*row) for row in await work.fetch_last(_SHOW, guardian_id, *_live_after(work), work.now)
    ]  # fmt: skip
    return [replace(waiter, shown_at=waiter.shown_at or work.now) for waiter in waiting]


def _live_after(work: UnitOfWork) -> tuple[datetime, datetime]:
    """Return the times of `session_is_live`."""
    return work.now - LIMITED_LIFETIME, work.now - REFRESH_LIFETIME


async def approve_log_in(work: UnitOfWork, by: uuid.UUID, session_id: uuid.UUID) -> uuid.UUID:
    """Approve a log-in: the session becomes unlimited, its device known.

    Returns the id of its guardian; raises NotFoundError, LogInTooOldError, LogInNotReadError.
    """
    waiting = await _waiting(work, by, session_id)
    if not approval_is_open(waiting.created_at, work.now):
        raise LogInTooOldError
    wait = wait_before_approval(waiting.shown_at, work.now)
    if wait > timedelta(0):
        raise LogInNotReadError(whole_seconds(wait))
    await complete_second_step(work, session_id, "guardian")
    record_audit(work, guardian_actor(by), "log_in.approved", subject_id=session_id)
    await _notify(work, waiting.guardian_id, session_id, "approved")
    return waiting.guardian_id


async def refuse_log_in(work: UnitOfWork, by: uuid.UUID, session_id: uuid.UUID) -> None:
    """Refuse a log-in as a stranger's: the session ends at once. Raises NotFoundError."""
    waiting = await _waiting(work, by, session_id)
    await end_session_of(work, waiting.guardian_id, session_id, "refused")
    record_audit(work, guardian_actor(by), "log_in.refused", subject_id=session_id)
    await _notify(work, waiting.guardian_id, session_id, "refused")


async def block_new_phones(work: UnitOfWork, guardian_id: uuid.UUID) -> datetime:
    """End every waiting log-in under the guardian's own number and refuse new phones for 24 hours; return until when.

    A repeat counts the 24 hours anew.
    """
    guardian = await work.session.get_one(
        Guardian, guardian_id, with_for_update={"key_share": True}, populate_existing=True
    )
    until = guardian.new_phones_blocked_until_at = work.now + BLOCK_LIFETIME
    work.add(guardian)
    record_audit(work, guardian_actor(guardian_id), "new_phones.blocked", subject_id=guardian_id)
    waiting = await work.session.exec(
        select(Session.session_id)
        .where(Session.guardian_id == guardian_id, col(Session.limited), col(Session.ended_at).is_(None))
        .order_by(col(Session.session_id))
    )
    for session_id in waiting.all():
        await end_session_of(work, guardian_id, session_id, "blocked")
        await _notify(work, guardian_id, session_id, "blocked")
    return until


async def unblock_new_phones(work: UnitOfWork, guardian_id: uuid.UUID) -> None:
    """Let new phones log in under the guardian's number again; without a block nothing changes."""
    guardian = await work.session.get_one(
        Guardian, guardian_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if guardian.new_phones_blocked_until_at is not None:
        guardian.new_phones_blocked_until_at = None
        work.add(guardian)
        record_audit(work, guardian_actor(guardian_id), "new_phones.unblocked", subject_id=guardian_id)


async def _waiting(work: UnitOfWork, by: uuid.UUID, session_id: uuid.UUID) -> WaitingLogIn:
    # Lock the row first, so that a decided log-in is not decided again.
    await work.session.get(Session, session_id, with_for_update={"key_share": True}, populate_existing=True)
    for log_in in await log_ins_waiting_for(work, by):
        if log_in.session_id == session_id:
            return log_in
    raise NotFoundError


async def _notify(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID, state: str) -> None:
    # Families in a fixed order: each event locks its family's row.
    for _, family in sorted(await families_of(work, guardian_id), key=lambda membership: membership[1].family_id):
        await record_event(
            work, family.family_id, "log_in.changed", ref_id=session_id,
            detail={"state": state, "guardian_id": str(guardian_id)},
        )  # fmt: skip
