"""Which guardians can be reached, and over which channels."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from sqlmodel import col, select

from services.core.devices.push.tables import PushEndpoint
from services.core.people.accounts.rules import REFRESH_LIFETIME
from services.core.people.accounts.tables import Guardian, Session
from services.core.people.households.queries import guardians_of, invitations_of
from services.core.people.households.tables import Family, Membership
from services.core.platform.db.database import UnitOfWork


@dataclass(frozen=True)
class Reach:
    """The channels over which a guardian can be reached now."""

    guardian_id: uuid.UUID
    has_session: bool
    has_push: bool
    # The guardian entered a code sent to the phone, so that an escalated SOS arrives there as a text message.
    phone_confirmed: bool

    @property
    def is_reachable(self) -> bool:
        """Whether at least one channel notifies the guardian. A session alone does not."""
        return self.has_push or self.phone_confirmed


@dataclass(frozen=True)
class Readiness:
    """Which guardians of a family can be reached, and how many invitations are open."""

    guardians: list[Reach]
    invited: int

    @property
    def is_ready(self) -> bool:
        """Whether the watch can be handed out: the family has a guardian, and every guardian can be reached."""
        return bool(self.guardians) and all(guardian.is_reachable for guardian in self.guardians)


async def readiness_of_family(work: UnitOfWork, family_id: uuid.UUID) -> Readiness:
    """Return how the guardians of a family can be reached, before a watch is handed out to them."""
    reached = await _reach(work, [guardian for _, guardian in await guardians_of(work, family_id)])
    return Readiness(guardians=reached, invited=len(await invitations_of(work, family_id)))


async def guardians_with_fresh_push(
    work: UnitOfWork, guardian_ids: Collection[uuid.UUID], fresh_for: timedelta
) -> set[uuid.UUID]:
    """Return those of these guardians of whom an endpoint took a note within ``fresh_for`` and whose session stands."""
    result = await work.session.exec(
        select(PushEndpoint.guardian_id)
        .join(Session, col(Session.session_id) == col(PushEndpoint.session_id))
        .where(
            col(PushEndpoint.guardian_id).in_(guardian_ids),
            col(PushEndpoint.taken_at) > work.now - fresh_for,
            col(Session.ended_at).is_(None),
            ~col(Session.limited),
            col(Session.last_used_at) > work.now - REFRESH_LIFETIME,
        )
    )
    return set(result)


async def families_not_reached(
    work: UnitOfWork, family_codes: Collection[str], *, joined_only: bool = False
) -> set[str]:
    """Return those of these families, by code, to which no watch should be handed out yet; unknown codes are skipped.

    Either no guardian has joined (left out with ``joined_only``), or one cannot be reached. Staff do not learn which
    guardian.
    """
    result = await work.session.exec(
        select(Family.family_code, Guardian)
        .outerjoin(
            Membership, (col(Membership.family_id) == col(Family.family_id)) & col(Membership.removed_at).is_(None)
        )
        .outerjoin(Guardian, col(Guardian.guardian_id) == col(Membership.guardian_id))
        .where(col(Family.family_code).in_(family_codes))
    )
    of_code: dict[str, list[Guardian]] = {}
    for code, guardian in cast("list[tuple[str, Guardian | None]]", result.all()):
        of_code.setdefault(code, []).extend([] if guardian is None else [guardian])
    everybody = {guardian.guardian_id: guardian for guardians in of_code.values() for guardian in guardians}
    reached = {
        guardian.guardian_id for guardian in await _reach(work, list(everybody.values())) if guardian.is_reachable
    }
    return {
        code
        for code, guardians in of_code.items()
        if (not guardians and not joined_only) or not {guardian.guardian_id for guardian in guardians} <= reached
    }


async def _reach(work: UnitOfWork, guardians: Sequence[Guardian]) -> list[Reach]:
    if not guardians:
        return []
    # One statement: a hand-out asks it for every watch.
    result = await work.session.exec(
        select(
            Session.guardian_id,
            ~col(Session.limited) & (col(Session.last_used_at) > work.now - REFRESH_LIFETIME),
            PushEndpoint.guardian_id,
        )
        .outerjoin(
            PushEndpoint,
            (col(PushEndpoint.session_id) == col(Session.session_id)) & col(PushEndpoint.failing_since_at).is_(None),
        )
        .where(
            col(Session.guardian_id).in_([guardian.guardian_id for guardian in guardians]),
            col(Session.ended_at).is_(None),
        )
    )
    sessions = result.all()
    live = {guardian_id for guardian_id, is_live, _ in sessions if is_live}
    with_push = {guardian_id for _, _, guardian_id in sessions}
    return [
        Reach(
            guardian.guardian_id, has_session=guardian.guardian_id in live, has_push=guardian.guardian_id in with_push,
            phone_confirmed=guardian.phone_confirmed_at is not None,
        )
        for guardian in guardians
    ]  # fmt: skip
