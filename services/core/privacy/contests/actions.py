"""A guardian contests a right of another guardian; every guardian sees it and staff decide. No free text is stored."""

from __future__ import annotations

import uuid

from sqlmodel import col, select

from services.core.devices.contacts.guardians import follow_change
from services.core.people.accounts.actions import access_changed
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.errors import NotFoundError, PrimaryGuardianError
from services.core.people.households.queries import guardians_of, membership_in, rights_of
from services.core.people.households.rules import Right
from services.core.people.households.tables import Membership
from services.core.platform.audit.actions import Actor, guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.privacy.errors import ContestExistsError, LastMessengerError
from services.core.privacy.tables import Contest


async def contest_right(
    work: UnitOfWork, family_id: uuid.UUID, by: uuid.UUID, about_id: uuid.UUID, right: Right
) -> Contest:
    """Contest a right of another guardian. Raises NotFoundError, ContestExistsError."""
    mine = await membership_in(work, family_id, by, lock=True)
    theirs = await membership_in(work, family_id, about_id)
    if mine is None or theirs is None or by == about_id or not rights_of(theirs).has(right):
        raise NotFoundError
    standing = await work.session.exec(
        select(Contest.contest_id).where(
            Contest.family_id == family_id, Contest.raised_by == by, Contest.about_id == about_id,
            Contest.right == right.value, Contest.state == "open",
        )
    )  # fmt: skip
    if standing.first() is not None:
        raise ContestExistsError
    contest = Contest(family_id=family_id, raised_by=by, about_id=about_id, right=right.value, raised_at=work.now)
    work.add(contest)
    await work.flush()
    await _pause_locating(work, family_id, about_id)
    record_audit(work, guardian_actor(by), "right.contested", family_id=family_id, subject_id=about_id)
    await _notify(work, contest)
    return contest


async def withdraw_contest(work: UnitOfWork, family_id: uuid.UUID, by: uuid.UUID, contest_id: uuid.UUID) -> None:
    """Withdraw a contest; repeating the call changes nothing. Raises NotFoundError."""
    contest = await _locked(work, contest_id)
    if contest is None or contest.family_id != family_id or contest.raised_by != by:
        raise NotFoundError
    if contest.state != "open":
        return
    await _end(work, contest, "withdrawn")
    record_audit(work, guardian_actor(by), "right.contest_withdrawn", family_id=family_id, subject_id=contest.about_id)
    await _notify(work, contest)


async def settle_contest(work: UnitOfWork, actor: Actor, contest_id: uuid.UUID, *, uphold: bool) -> Contest:
    """Settle a contest: upholding removes the right, except from the first guardian; dismissing keeps it.

    Repeating the call changes nothing. Raises NotFoundError, PrimaryGuardianError, LastMessengerError.
    """
    contest = await _locked(work, contest_id)
    if contest is None:
        raise NotFoundError
    if contest.state != "open":
        return contest
    if uphold:
        await _take_away(work, actor, contest)
    await _end(work, contest, "upheld" if uphold else "dismissed")
    action = "right.contest_upheld" if uphold else "right.contest_dismissed"
    record_audit(work, actor, action, family_id=contest.family_id, subject_id=contest.about_id)
    await _notify(work, contest)
    return contest


async def check_removal(work: UnitOfWork, contest: Contest) -> None:
    """Refuse to remove a right of the first guardian, or the right to message of the last guardian who can use it.

    A guardian who has not consented to messages, or took the consent back, cannot.

    Raises PrimaryGuardianError, LastMessengerError.
    """
    members = [member for member, _ in await guardians_of(work, contest.family_id)]
    if any(member.guardian_id == contest.about_id and member.is_primary for member in members):
        raise PrimaryGuardianError
    if contest.right != Right.MESSAGE:
        return
    for member in members:
        is_other = member.guardian_id != contest.about_id and member.may_message
        if is_other and await has_consent(work, member.guardian_id, contest.family_id, Part.MESSAGES):
            return
    raise LastMessengerError


async def _take_away(work: UnitOfWork, actor: Actor, contest: Contest) -> None:
    await check_removal(work, contest)
    theirs = await membership_in(work, contest.family_id, contest.about_id, lock=True)
    if theirs is None:
        return
    theirs.may_message &= contest.right != Right.MESSAGE
    theirs.may_locate &= contest.right != Right.LOCATE
    theirs.may_manage &= contest.right != Right.MANAGE
    work.add(theirs)
    await work.flush()
    record_audit(work, actor, "guardian.rights_changed", family_id=contest.family_id, subject_id=contest.about_id)
    await follow_change(work, actor, contest.family_id, contest.about_id)


async def _locked(work: UnitOfWork, contest_id: uuid.UUID) -> Contest | None:
    result = await work.session.exec(
        select(Contest).where(col(Contest.contest_id) == contest_id).with_for_update(key_share=True)
    )
    return result.first()


async def _end(work: UnitOfWork, contest: Contest, state: str) -> None:
    contest.state = state
    contest.ended_at = work.now
    work.add(contest)
    await work.flush()
    await _pause_locating(work, contest.family_id, contest.about_id)


async def _pause_locating(work: UnitOfWork, family_id: uuid.UUID, about_id: uuid.UUID) -> None:
    """Pause a guardian's right to locate while the first guardian contests a right of theirs, and no longer."""
    theirs = await membership_in(work, family_id, about_id, lock=True)
    if theirs is None:
        return
    first = (
        select(Membership.guardian_id)
        .where(
            Membership.family_id == family_id, col(Membership.is_primary).is_(True),
            col(Membership.removed_at).is_(None),
        )
        .scalar_subquery()
    )  # fmt: skip
    standing = await work.session.exec(
        select(Contest.contest_id)
        .where(
            Contest.family_id == family_id, Contest.about_id == about_id, Contest.state == "open",
            col(Contest.raised_by) == first,
        )
        .limit(1)
    )  # fmt: skip
    is_paused = standing.first() is not None
    if theirs.locate_paused != is_paused:
        theirs.locate_paused = is_paused
        work.add(theirs)
        await access_changed(work, about_id)


async def _notify(work: UnitOfWork, contest: Contest) -> None:
    await record_event(
        work, contest.family_id, "contest.changed", ref_id=contest.contest_id, detail={"state": contest.state}
    )
