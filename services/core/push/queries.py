"""Whom an event may wake, and which guardians could be reached at all."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import col, select

from services.core.accounts.rules import REFRESH_LIFETIME
from services.core.accounts.tables import Session
from services.core.db.database import UnitOfWork
from services.core.families.queries import guardians_of, invitations_of
from services.core.push.tables import PushEndpoint


@dataclass(frozen=True)
class Reach:
    """Over which channels a guardian can be reached now."""

    guardian_id: uuid.UUID
    has_session: bool
    has_push: bool
    # They have entered a code that was sent there.
    phone_confirmed: bool

    @property
    def is_reachable(self) -> bool:
        """Whether at least one channel works."""
        return self.has_session or self.has_push or self.phone_confirmed


@dataclass(frozen=True)
class Readiness:
    """Who of a family can be reached, and how many are expected and have not come yet."""

    guardians: list[Reach]
    invited: int

    @property
    def is_ready(self) -> bool:
        """Whether the watch can be handed out: somebody is there, and everybody who is there can be reached."""
        return bool(self.guardians) and all(one.is_reachable for one in self.guardians)


async def readiness_of_family(work: UnitOfWork, family_id: uuid.UUID) -> Readiness:
    """Return how the guardians of a family can be reached, before a watch is handed out to them."""
    guardian_ids = [guardian.guardian_id for _, guardian in await guardians_of(work, family_id)]
    sessions = await work.session.exec(
        select(
            Session.guardian_id,
            func.bool_or(
                col(Session.ended_at).is_(None)
                & ~col(Session.limited)
                & (col(Session.last_used_at) > work.now - REFRESH_LIFETIME)
            ),
        )
        .where(col(Session.guardian_id).in_(guardian_ids))
        .group_by(col(Session.guardian_id))
    )
    live = dict(sessions.all())
    pushed = await work.session.exec(
        select(PushEndpoint.guardian_id)
        .join(Session, col(Session.session_id) == col(PushEndpoint.session_id))
        .where(
            col(PushEndpoint.guardian_id).in_(guardian_ids),
            col(PushEndpoint.failing_since_at).is_(None),
            col(Session.ended_at).is_(None),
        )
    )
    with_push = set(pushed.all())
    return Readiness(
        guardians=[
            Reach(one, has_session=bool(live.get(one)), has_push=one in with_push, phone_confirmed=one in live)
            for one in guardian_ids
        ],
        invited=len(await invitations_of(work, family_id)),
    )
