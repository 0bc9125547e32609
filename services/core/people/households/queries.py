"""Queries about families, always from the view of one guardian."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select

from services.core.people.accounts.phone_numbers import region_of_phone
from services.core.people.accounts.rules import StoredSession
from services.core.people.accounts.streams import SESSION_OF_STREAM, may_stream
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.errors import FamilyUnknownError
from services.core.people.households.rules import Rights, Standing
from services.core.people.households.tables import Child, Enrolment, Family, Invitation, Membership
from services.core.people.programme.tables import Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import NamedStatement, any_array, columns_of, objects_of
from services.core.platform.locales import fitting_locale

_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}")


def rights_of(membership: Membership) -> Rights:
    """Return the effective rights of a membership."""
    may_locate = membership.may_locate and not membership.locate_paused
    return Rights(membership.may_message, may_locate, membership.may_manage)


def stored_rights_of(membership: Membership) -> Rights:
    """Return the stored rights of a membership, including suspended ones."""
    return Rights(membership.may_message, membership.may_locate, membership.may_manage)


def standing_of(membership: Membership) -> Standing:
    """Return a guardian's standing in the family."""
    return Standing(rights_of(membership), membership.is_primary)


def has_primary_guardian() -> ColumnElement[bool]:
    """Return the condition that the family of a query's row has its first guardian: somebody has logged in."""
    return (
        select(Membership.membership_id)
        .where(
            col(Membership.family_id) == col(Family.family_id),
            col(Membership.removed_at).is_(None),
            col(Membership.is_primary),
        )
        .exists()
    )


async def membership_in(
    work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID, *, lock: bool = False
) -> Membership | None:
    """Return the guardian's current membership in the family, or None; ``lock`` locks its row."""
    statement = select(Membership).where(
        Membership.family_id == family_id,
        Membership.guardian_id == guardian_id,
        col(Membership.removed_at).is_(None),
    )
    if lock:
        # Read again: the object loaded before the lock may be stale.
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return (await work.session.exec(statement)).first()


async def families_of(work: UnitOfWork, guardian_id: uuid.UUID) -> list[tuple[Membership, Family]]:
    """Return every current family of the guardian, oldest membership first."""
    result = await work.session.exec(
        select(Membership, Family)
        .join(Family, col(Family.family_id) == col(Membership.family_id))
        .where(Membership.guardian_id == guardian_id, col(Membership.removed_at).is_(None))
        .order_by(col(Membership.joined_at), col(Membership.membership_id))
    )
    return [(membership, family) for membership, family in result]


@dataclass(frozen=True)
class EventReach:
    """A family whose events a guardian may follow, with the standing rights and consents.

    ``made_at``: the time of the event with the number asked for, else of the newest; None: there is no such event.
    """

    family_id: uuid.UUID
    joined_at: datetime
    rights: Rights
    parts: frozenset[str]
    newest_seq: int
    made_at: datetime | None


# Read at each look of a phone and of each stream: prepared once a connection, without objects of the ORM.
_REACH: Final = """
    SELECT m.family_id, m.joined_at, m.may_message, m.may_locate AND NOT m.locate_paused AS may_locate, m.may_manage,
           ARRAY(
               SELECT c.part FROM consent c
               WHERE c.guardian_id = m.guardian_id AND c.family_id = m.family_id AND c.withdrawn_at IS NULL
           ) AS parts,
           f.event_seq,
           (
               SELECT e.created_at FROM event e
               WHERE e.family_id = m.family_id AND e.seq = COALESCE(asked.seq, f.event_seq)
           ) AS made_at,
           m.membership_id
    FROM membership m
    JOIN family f ON f.family_id = m.family_id
    LEFT JOIN unnest(:family_ids::uuid[], :seqs::bigint[]) AS asked (family_id, seq)
        ON asked.family_id = m.family_id
    WHERE m.guardian_id = :guardian_id AND m.removed_at IS NULL
"""
_EVENT_REACH: Final = NamedStatement(f"{_REACH} ORDER BY m.joined_at, m.membership_id")
# Without a family one row, of nulls but for the session.
_STREAM_REACH: Final = NamedStatement(
    f"SELECT * FROM ({SESSION_OF_STREAM}) AS session LEFT JOIN ({_REACH}) AS reach ON true"  # noqa: S608 - our own
    " ORDER BY reach.joined_at, reach.membership_id"
)
_SESSION_COLUMNS: Final = 4


async def event_reach(work: UnitOfWork, guardian_id: uuid.UUID, seen: Mapping[uuid.UUID, int]) -> list[EventReach]:
    """Return every current family of the guardian, oldest membership first; ``seen``: last event number by family."""
    return _reached(await _EVENT_REACH.read(work, _reaching(guardian_id, seen)))


async def reach_of_stream(
    work: UnitOfWork, stream_no: int, guardian_id: uuid.UUID, seen: Mapping[uuid.UUID, int]
) -> list[EventReach] | None:
    """Return the same for an open stream of the guardian, by one statement; None: the stream or its session ended."""
    rows = await _STREAM_REACH.read(work, {**_reaching(guardian_id, seen), "stream_no": stream_no})
    if not rows or not may_stream(StoredSession(*rows[0][:_SESSION_COLUMNS]), work.now):
        return None
    return _reached([row[_SESSION_COLUMNS:] for row in rows if row[_SESSION_COLUMNS] is not None])


def _reaching(guardian_id: uuid.UUID, seen: Mapping[uuid.UUID, int]) -> dict[str, object]:
    return {"guardian_id": guardian_id, "family_ids": list(seen), "seqs": list(seen.values())}


def _reached(rows: Iterable[Iterable[Any]]) -> list[EventReach]:
    return [
        EventReach(family_id, joined_at, Rights(may_message, may_locate, may_manage), frozenset(parts), seq, made_at)
        for family_id, joined_at, may_message, may_locate, may_manage, parts, seq, made_at, _ in rows
    ]


async def event_numbers(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """Return the number of the newest event of each of these families, in one query."""
    if not family_ids:
        return {}
    result = await work.session.exec(
        select(Family.family_id, Family.event_seq).where(col(Family.family_id).in_(family_ids))
    )
    return dict(result.all())


async def child_by_id(work: UnitOfWork, child_id: uuid.UUID) -> Child | None:
    """Return a child, or None during its erasure. Does not authorise: the caller checks the family."""
    child = await work.session.get(Child, child_id)
    return None if child is None or child.erased_at is not None else child


async def family_meant(
    work: UnitOfWork, *, child_id: str = "", family_id: str = "", family_code: str = ""
) -> tuple[uuid.UUID | None, uuid.UUID | None]:
    """Return the ids of the family and child that a request's path names; None for erased and unknown ones.

    For the audit log of refusals; the response contains neither.
    """
    with contextlib.suppress(ValueError):
        if child_id:
            child = await child_by_id(work, uuid.UUID(child_id))
            return (None, None) if child is None else (child.family_id, child.child_id)
        # The code is unvalidated input: query only for a well-formed one.
        if family_id or _CODE.fullmatch(family_code):
            named = Family.family_id == uuid.UUID(family_id) if family_id else Family.family_code == family_code
            result = await work.session.exec(select(Family.family_id).where(named, col(Family.erased_at).is_(None)))
            return result.first(), None
    return None, None


async def children_of(work: UnitOfWork, family_id: uuid.UUID) -> list[Child]:
    """Return the children of a family, oldest entry first."""
    return await children_of_families(work, [family_id])


async def children_of_families(work: UnitOfWork, family_ids: Collection[uuid.UUID]) -> list[Child]:
    """Return the children of these families, oldest entry first."""
    rows = await work.read(
        f"SELECT {columns_of((Child, 'k'))} FROM child k"  # noqa: S608 - names of our own columns
        f" WHERE k.family_id = {any_array(1, 'uuid')} AND k.erased_at IS NULL ORDER BY k.created_at, k.child_id",
        list(family_ids),
    )
    return [objects_of(work, tuple(row), Child)[0] for row in rows]


async def guardians_of(work: UnitOfWork, family_id: uuid.UUID) -> list[tuple[Membership, Guardian]]:
    """Return the current guardians of a family, oldest membership first."""
    result = await work.session.exec(
        select(Membership, Guardian)
        .join(Guardian, col(Guardian.guardian_id) == col(Membership.guardian_id))
        .where(Membership.family_id == family_id, col(Membership.removed_at).is_(None))
        .order_by(col(Membership.joined_at), col(Membership.membership_id))
    )
    return [(membership, guardian) for membership, guardian in result]


async def primary_has_consented(work: UnitOfWork, family_id: uuid.UUID) -> bool:
    """Return whether the first guardian's consent to messages stands; before it no data of a child is stored."""
    result = await work.session.exec(
        select(Membership.guardian_id).where(
            Membership.family_id == family_id, col(Membership.is_primary), col(Membership.removed_at).is_(None)
        )
    )
    primary = result.first()
    return primary is not None and await has_consent(work, primary, family_id, Part.MESSAGES)


async def invitations_for(work: UnitOfWork, phone: str) -> list[tuple[Invitation, Family]]:
    """Return the standing invitations of a phone, newest first."""
    result = await work.session.exec(
        select(Invitation, Family)
        .join(Family, col(Family.family_id) == col(Invitation.family_id))
        .where(Invitation.phone == phone, col(Invitation.ended_at).is_(None), col(Invitation.expires_at) > work.now)
        .order_by(col(Invitation.created_at).desc(), col(Invitation.invitation_id))
    )
    return [(invitation, family) for invitation, family in result]


async def invitations_of(work: UnitOfWork, family_id: uuid.UUID) -> list[Invitation]:
    """Return the family's standing invitations, newest first."""
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
    """Return the standing enrolments of a phone with their sites, oldest first."""
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
    """Return the standing enrolment of the family with this code, optionally locked; raises FamilyUnknownError.

    With ``site_id``, a family of another site is reported as unknown.
    """
    # ASCII only: no stored code has other characters, and a lone surrogate would fail in the query.
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
    """Return the family's current site, or None after it has left."""
    result = await work.session.exec(
        select(Site)
        .join(Enrolment, col(Enrolment.site_id) == col(Site.site_id))
        .where(Enrolment.family_id == family_id, col(Enrolment.ended_at).is_(None))
    )
    return result.first()


async def latest_site_of_family(work: UnitOfWork, family_id: uuid.UUID) -> Site | None:
    """Return the site where the family is or was last enrolled: it stays responsible for what it collected."""
    result = await work.session.exec(
        select(Site)
        .join(Enrolment, col(Enrolment.site_id) == col(Site.site_id))
        .where(Enrolment.family_id == family_id)
        .order_by(col(Enrolment.ended_at).desc().nulls_first(), col(Enrolment.enrolled_at).desc())
        .limit(1)
    )
    return result.first()


_COUNTRY_AND_PHONE: Final = """
    SELECT (SELECT s.country FROM enrolment e JOIN site s ON s.site_id = e.site_id
            WHERE e.family_id = $1 AND e.ended_at IS NULL),
           (SELECT g.phone FROM membership m JOIN guardian g ON g.guardian_id = m.guardian_id
            WHERE m.family_id = $1 AND m.is_primary AND m.removed_at IS NULL)
"""


async def country_of(work: UnitOfWork, family_id: uuid.UUID) -> str | None:
    """Return the country (ISO 3166-1) in which a family lives: its site's, else that of the first guardian's number."""
    [(country, phone)] = await work.read(_COUNTRY_AND_PHONE, family_id)
    if country is not None:
        return str(country)
    return None if phone is None else region_of_phone(phone)


async def locale_of(work: UnitOfWork, family_id: uuid.UUID) -> str:
    """Return the language of a family: its site's, else that of the first guardian."""
    site = await site_of_family(work, family_id)
    if site is not None:
        return fitting_locale(site.locale)
    primary = await primary_guardian(work, family_id)
    return fitting_locale(None if primary is None else primary.locale)


async def is_expected(work: UnitOfWork, phone: str) -> bool:
    """Return whether a phone can log in: it has an account, is enrolled, or is invited."""
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
    """Return the number of children of a family."""
    result = await work.session.exec(
        select(func.count()).where(col(Child.family_id) == family_id, col(Child.erased_at).is_(None))
    )
    return result.one()


async def family_at_site(work: UnitOfWork, site_id: uuid.UUID, family_code: str) -> tuple[Family, Enrolment] | None:
    """Return the family with this code if it is enrolled at the site now, with its enrolment."""
    result = await work.session.exec(
        select(Family, Enrolment)
        .join(Enrolment, col(Enrolment.family_id) == col(Family.family_id))
        .where(Family.family_code == family_code, Enrolment.site_id == site_id, col(Enrolment.ended_at).is_(None))
    )
    return result.first()


async def primary_guardian(work: UnitOfWork, family_id: uuid.UUID) -> Guardian | None:
    """Return the family's primary guardian, or None before the first log-in."""
    return next((guardian for member, guardian in await guardians_of(work, family_id) if member.is_primary), None)
