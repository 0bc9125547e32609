"""What is read about families, always from the side of who asks."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Collection

from sqlmodel import col, func, select

from services.core.people.accounts.tables import Guardian
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.errors import FamilyUnknownError
from services.core.people.households.rules import Rights, Standing
from services.core.people.households.tables import Child, Enrolment, Family, Invitation, Membership
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork

_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def rights_of(membership: Membership) -> Rights:
    """Return the rights a membership gives now."""
    may_locate = membership.may_locate and not membership.locate_paused
    return Rights(membership.may_message, may_locate, membership.may_manage)


def stored_rights_of(membership: Membership) -> Rights:
    """Return the rights of a membership as they are stored, also those that are paused."""
    return Rights(membership.may_message, membership.may_locate, membership.may_manage)


def standing_of(membership: Membership) -> Standing:
    """Return how a guardian stands in the family."""
    return Standing(rights_of(membership), membership.is_primary)


async def membership_in(
    work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID, *, lock: bool = False
) -> Membership | None:
    """Return the guardian's standing membership in the family, or None; ``lock`` holds its row."""
    statement = select(Membership).where(
        Membership.family_id == family_id,
        Membership.guardian_id == guardian_id,
        col(Membership.removed_at).is_(None),
    )
    if lock:
        # Read anew: what was loaded before the lock may be stale by now.
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await work.session.exec(statement)).first()


async def families_of(work: UnitOfWork, guardian_id: uuid.UUID) -> list[tuple[Membership, Family]]:
    """Return every family the guardian belongs to now, the longest first."""
    result = await work.session.exec(
        select(Membership, Family)
        .join(Family, col(Family.family_id) == col(Membership.family_id))
        .where(Membership.guardian_id == guardian_id, col(Membership.removed_at).is_(None))
        .order_by(col(Membership.joined_at), col(Membership.membership_id))
    )
    return [(membership, family) for membership, family in result]


async def event_numbers(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the number of the newest event of each of these families; one question for all of them."""
    if not family_ids:
        return {}
    result = await work.session.exec(
        select(Family.family_id, Family.event_seq).where(col(Family.family_id).in_(family_ids))
    )
    return dict(result.all())


async def child_by_id(work: UnitOfWork, child_id: uuid.UUID) -> Child | None:
    """Return a child, whoever asks: the caller checks that the family is theirs. One that is being erased is gone."""
    child = await work.session.get(Child, child_id)
    return None if child is None or child.erased_at is not None else child


async def family_meant(
    work: UnitOfWork, *, child_id: str = "", family_id: str = "", family_code: str = ""
) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Return the family, and the child, that an address names, as given there; nothing of what is erased or never was.

    For the log of refusals: whoever asked is told nothing of it.
    """
    with contextlib.suppress(ValueError):
        if child_id:
            child = await child_by_id(work, uuid.UUID(child_id))
            return (None, None) if child is None else (child.family_id, child.child_id)
        # Nobody has looked yet at what was given as a code: what is none is not asked for.
        if family_id or _CODE.fullmatch(family_code):
            named = Family.family_id == uuid.UUID(family_id) if family_id else Family.family_code == family_code
            result = await work.session.exec(select(Family.family_id).where(named, col(Family.erased_at).is_(None)))
            return result.first(), None
    return None, None


async def children_of(work: UnitOfWork, family_id: uuid.UUID) -> list[Child]:
    """Return the children of a family, in the order they were added."""
    result = await work.session.exec(
        select(Child)
        .where(Child.family_id == family_id, col(Child.erased_at).is_(None))
        .order_by(col(Child.created_at), col(Child.child_id))
    )
    return list(result)


async def guardians_of(work: UnitOfWork, family_id: uuid.UUID) -> list[tuple[Membership, Guardian]]:
    """Return the guardians of a family now, the first to join first."""
    result = await work.session.exec(
        select(Membership, Guardian)
        .join(Guardian, col(Guardian.guardian_id) == col(Membership.guardian_id))
        .where(Membership.family_id == family_id, col(Membership.removed_at).is_(None))
        .order_by(col(Membership.joined_at), col(Membership.membership_id))
    )
    return [(membership, guardian) for membership, guardian in result]


async def primary_has_consented(work: UnitOfWork, family_id: uuid.UUID) -> bool:
    """Tell whether the first guardian's consent to messages stands: before it nothing of a child is stored."""
    result = await work.session.exec(
        select(Membership.guardian_id).where(
            Membership.family_id == family_id, col(Membership.is_primary), col(Membership.removed_at).is_(None)
        )
    )
    primary = result.first()
    return primary is not None and await has_consent(work, primary, family_id, Part.MESSAGES)


async def invitations_for(work: UnitOfWork, phone: str) -> list[tuple[Invitation, Family]]:
    """Return the invitations of a phone that can still be accepted, the newest first."""
    result = await work.session.exec(
        select(Invitation, Family)
        .join(Family, col(Family.family_id) == col(Invitation.family_id))
        .where(Invitation.phone == phone, col(Invitation.ended_at).is_(None), col(Invitation.expires_at) > work.now)
        .order_by(col(Invitation.created_at).desc(), col(Invitation.invitation_id))
    )
    return [(invitation, family) for invitation, family in result]


async def invitations_of(work: UnitOfWork, family_id: uuid.UUID) -> list[Invitation]:
    """Return a family's invitations that can still be accepted, the newest first."""
    result = await work.session.exec(
        select(Invitation)
        .where(
            Invitation.family_id == family_id,
            col(Invitation.ended_at).is_(None),
            col(Invitation.expires_at) > work.now,
        )
        .order_by(col(Invitation.created_at).desc(), col(Invitation.invitation_id))
    )
    return list(result)


async def enrolments_of_phone(work: UnitOfWork, phone: str) -> list[tuple[Enrolment, Site]]:
    """Return the standing enrolments of a phone with their sites, the oldest first."""
    result = await work.session.exec(
        select(Enrolment, Site)
        .join(Site, col(Site.site_id) == col(Enrolment.site_id))
        .where(Enrolment.guardian_phone == phone, col(Enrolment.ended_at).is_(None))
        .order_by(col(Enrolment.enrolled_at), col(Enrolment.enrolment_id))
    )
    return [(enrolment, site) for enrolment, site in result]


async def standing_enrolment(
    work: UnitOfWork, family_code: str, *, lock: bool = False, site_id: uuid.UUID | None = None
) -> Enrolment:
    """Return the standing enrolment of the family with this code, its row held if asked; raises FamilyUnknownError.

    With ``site_id`` a family of another site is as unknown as one that does not exist.
    """
    # ASCII only: a code with anything else is in no row, and half a character would break the query.
    if not family_code.isascii() or "\x00" in family_code:
        raise FamilyUnknownError
    statement = (
        select(Enrolment)
        .join(Family, col(Family.family_id) == col(Enrolment.family_id))
        .where(col(Family.family_code) == family_code.strip().upper(), col(Enrolment.ended_at).is_(None))
    )
    if site_id is not None:
        statement = statement.where(col(Enrolment.site_id) == site_id)
    if lock:
        statement = statement.with_for_update(of=Enrolment, key_share=True)
    enrolment = (await work.session.exec(statement)).first()
    if enrolment is None:
        raise FamilyUnknownError
    return enrolment


async def site_of_family(work: UnitOfWork, family_id: uuid.UUID) -> Site | None:
    """Return the site where the family takes part now, or None after it has left."""
    result = await work.session.exec(
        select(Site)
        .join(Enrolment, col(Enrolment.site_id) == col(Site.site_id))
        .where(Enrolment.family_id == family_id, col(Enrolment.ended_at).is_(None))
    )
    return result.first()


async def is_expected(work: UnitOfWork, phone: str) -> bool:
    """Tell whether a phone may log in: it has an account, is enrolled, or is invited."""
    result = await work.session.exec(
        select(
            select(Guardian.guardian_id).where(Guardian.phone == phone).exists()
            | select(Enrolment.enrolment_id)
            .where(Enrolment.guardian_phone == phone, col(Enrolment.ended_at).is_(None))
            .exists()
            | select(Invitation.invitation_id)
            .where(
                Invitation.phone == phone,
                col(Invitation.ended_at).is_(None),
                col(Invitation.expires_at) > work.now,
            )
            .exists()
        )
    )
    return result.one()


async def count_children(work: UnitOfWork, family_id: uuid.UUID) -> int:
    """Return how many children a family has."""
    result = await work.session.exec(
        select(func.count()).where(col(Child.family_id) == family_id, col(Child.erased_at).is_(None))
    )
    return result.one()


async def family_at_site(work: UnitOfWork, site_id: uuid.UUID, family_code: str) -> tuple[Family, Enrolment] | None:
    """Return the family with this code if it takes part at the site now."""
    result = await work.session.exec(
        select(Family, Enrolment)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .where(Family.family_code == family_code, Enrolment.site_id == site_id, col(Enrolment.ended_at).is_(None))
    )
    return result.first()


async def primary_guardian(work: UnitOfWork, family_id: uuid.UUID) -> Guardian | None:
    """Return the family's primary guardian, or None before the first log-in."""
    return next((guardian for member, guardian in await guardians_of(work, family_id) if member.is_primary), None)
