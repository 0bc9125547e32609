"""Log-ins from new devices that another guardian of the family can approve or refuse."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from services.core.people.accounts.actions import end_session_of
from services.core.people.accounts.devices import complete_second_step
from services.core.people.accounts.queries import session_stands
from services.core.people.accounts.tables import Guardian, Session
from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import families_of
from services.core.people.households.tables import Membership
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event


@dataclass(frozen=True)
class WaitingLogIn:
    """A log-in of another guardian that waits for approval."""

    session_id: uuid.UUID
    guardian_id: uuid.UUID
    display_name: str
    created_at: datetime


async def tell_waiting(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """Notify the guardian's families of a log-in under the guardian's number from a new device."""
    await _tell(work, guardian_id, session_id, "waiting")


async def log_ins_waiting_for(work: UnitOfWork, guardian_id: uuid.UUID) -> list[WaitingLogIn]:
    """Return the log-ins this guardian can approve: of other guardians of the same families, oldest first."""
    mine = select(Membership.family_id).where(
        Membership.guardian_id == guardian_id, col(Membership.removed_at).is_(None)
    )
    others = select(Membership.guardian_id).where(
        col(Membership.family_id).in_(mine), col(Membership.removed_at).is_(None), Membership.guardian_id != guardian_id
    )
    result = await work.session.exec(
        select(Session, Guardian)
        .join(Guardian, col(Guardian.guardian_id) == col(Session.guardian_id))
        .where(col(Session.limited), col(Session.ended_at).is_(None), col(Session.guardian_id).in_(others))
        .order_by(col(Session.created_at), col(Session.session_id))
    )
    return [
        WaitingLogIn(session.session_id, guardian.guardian_id, guardian.display_name, session.created_at)
        for session, guardian in result
        if session_stands(session, work.now)
    ]


async def approve_log_in(work: UnitOfWork, by: uuid.UUID, session_id: uuid.UUID) -> uuid.UUID:
    """Approve a log-in: the session becomes unlimited, its device known.

    Returns the id of its guardian; raises NotFoundError.
    """
    waiting = await _waiting(work, by, session_id)
    await complete_second_step(work, session_id, "guardian")
    record_audit(work, guardian_actor(by), "log_in.approved", subject_id=session_id)
    await _tell(work, waiting.guardian_id, session_id, "approved")
    return waiting.guardian_id


async def refuse_log_in(work: UnitOfWork, by: uuid.UUID, session_id: uuid.UUID) -> None:
    """Refuse a log-in as a stranger's: the session ends at once. Raises NotFoundError."""
    waiting = await _waiting(work, by, session_id)
    await end_session_of(work, waiting.guardian_id, session_id, "refused")
    record_audit(work, guardian_actor(by), "log_in.refused", subject_id=session_id)
    await _tell(work, waiting.guardian_id, session_id, "refused")


async def _waiting(work: UnitOfWork, by: uuid.UUID, session_id: uuid.UUID) -> WaitingLogIn:
    # Lock the row first, so that a decided log-in is not decided again.
    await work.session.get(Session, session_id, with_for_update={"key_share": True}, populate_existing=True)
    for one in await log_ins_waiting_for(work, by):
        if one.session_id == session_id:
            return one
    raise NotFoundError


async def _tell(work: UnitOfWork, guardian_id: uuid.UUID, session_id: uuid.UUID, state: str) -> None:
    # Families in a fixed order: each event locks its family's row.
    for _, family in sorted(await families_of(work, guardian_id), key=lambda one: one[1].family_id):
        await record_event(
            work, family.family_id, "log_in.changed", ref_id=session_id,
            detail={"state": state, "guardian_id": str(guardian_id)},
        )  # fmt: skip
