"""Invitations of a guardian by phone; the invited person learns nothing of the family before consenting."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlmodel import col, func, select

from services.core.people.accounts.actions import access_changed
from services.core.people.accounts.phone_numbers import mobile_phone
from services.core.people.accounts.queries import guardian_by_phone
from services.core.people.accounts.sms_texts import invitation_text
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.actions import record_consent
from services.core.people.consents.rules import Part, Proof, check_text_is_current
from services.core.people.households import rules
from services.core.people.households.errors import (
    AlreadyGuardianError,
    FamilyFullError,
    InvitationEndedError,
    InvitationExistsError,
    NotFoundError,
)
from services.core.people.households.queries import (
    latest_site_of_family,
    membership_in,
    site_of_family,
    standing_of,
)
from services.core.people.households.rules import Rights
from services.core.people.households.tables import Family, Invitation, Membership
from services.core.people.privacy_notices.queries import version_to_record
from services.core.people.programme.tables import Site
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.locales import region_of
from services.core.platform.outbox.actions import send_sms
from services.core.platform.text_rules import OPTIONAL_NAME, check_text


@dataclass(frozen=True)
class Invited:
    """The invited phone, its role and its rights."""

    phone: str
    relation: str
    display_name: str
    rights: Rights
    # ISO 3166-1, as selected for a number without country code; default: the country of the site.
    country: str | None = None


async def invite(work: UnitOfWork, family_id: uuid.UUID, by: Guardian, invited: Invited) -> Invitation:
    """Invite a phone by an SMS that names no family; the invitation is valid for 14 days.

    ``by`` has the right to manage. Raises PhoneInvalidError, TextNotAllowedError, RelationUnknownError,
    RightNotYoursError, AlreadyGuardianError, InvitationExistsError, FamilyFullError.
    """
    site = await site_of_family(work, family_id)
    phone = mobile_phone(invited.phone, invited.country or (site.country if site else region_of(by.locale)))
    giver = await membership_in(work, family_id, by.guardian_id)
    if giver is None:
        raise NotFoundError
    rules.check_grant(standing_of(giver), Rights(may_message=False), invited.rights)
    relation = rules.check_relation(invited.relation)
    display_name = check_text("display_name", invited.display_name, OPTIONAL_NAME)
    await _lock_family(work, family_id)
    known = await guardian_by_phone(work, phone)
    if known is not None and await membership_in(work, family_id, known.guardian_id) is not None:
        raise AlreadyGuardianError
    standing = await _standing_invitations(work, family_id)
    for old in [invitation for invitation in standing if invitation.expires_at <= work.now]:
        _end(work, old, "expired")
        standing.remove(old)
    if any(invitation.phone == phone for invitation in standing):
        raise InvitationExistsError
    if len(standing) >= rules.MAX_INVITATIONS:
        raise FamilyFullError("invitations", rules.MAX_INVITATIONS)
    if await _count_guardians(work, family_id) + len(standing) >= rules.MAX_GUARDIANS:
        raise FamilyFullError("guardians", rules.MAX_GUARDIANS)
    await work.flush()
    invitation = Invitation(
        family_id=family_id, phone=phone, display_name=display_name, relation=relation,
        may_message=invited.rights.may_message, may_locate=invited.rights.may_locate,
        may_manage=invited.rights.may_manage, invited_by=by.guardian_id, created_at=work.now,
        expires_at=work.now + rules.INVITATION_LIFETIME,
    )  # fmt: skip
    work.add(invitation)
    await work.flush()
    locale = known.locale if known is not None else by.locale
    await send_sms(work, phone, invitation_text(locale, work.host))
    record_audit(
        work, guardian_actor(by.guardian_id), "invitation.made", family_id=family_id,
        subject_id=invitation.invitation_id,
    )  # fmt: skip
    await record_event(
        work, family_id, "guardians.changed", ref_id=invitation.invitation_id, needs_right=rules.Right.MANAGE
    )
    return invitation


async def revoke_invitation(work: UnitOfWork, family_id: uuid.UUID, by: uuid.UUID, invitation_id: uuid.UUID) -> None:
    """Revoke an invitation; repeating the call changes nothing.

    Raises NotFoundError; InvitationEndedError once accepted.
    """
    invitation = await _locked(work, invitation_id)
    if invitation is None or invitation.family_id != family_id:
        raise NotFoundError
    if invitation.end_reason == "accepted":
        raise InvitationEndedError("accepted")
    if invitation.ended_at is not None:
        return
    _end(work, invitation, "revoked")
    record_audit(work, guardian_actor(by), "invitation.revoked", family_id=family_id, subject_id=invitation_id)
    await record_event(work, family_id, "guardians.changed", ref_id=invitation_id, needs_right=rules.Right.MANAGE)


async def decline_invitation(work: UnitOfWork, guardian: Guardian, invitation_id: uuid.UUID) -> None:
    """Decline an invitation; repeating it changes nothing. Raises NotFoundError; InvitationEndedError once accepted."""
    invitation = await _locked(work, invitation_id)
    if invitation is None or invitation.phone != guardian.phone:
        raise NotFoundError
    if invitation.end_reason == "accepted":
        raise InvitationEndedError("accepted")
    if invitation.ended_at is not None:
        return
    _end(work, invitation, "declined")
    record_audit(
        work, guardian_actor(guardian.guardian_id), "invitation.declined", family_id=invitation.family_id,
        subject_id=invitation_id,
    )  # fmt: skip
    await record_event(
        work, invitation.family_id, "guardians.changed", ref_id=invitation_id, needs_right=rules.Right.MANAGE
    )


async def site_of_invitation(work: UnitOfWork, guardian: Guardian, invitation_id: uuid.UUID) -> Site | None:
    """Return the site of the family that invited this guardian's phone; raises NotFoundError for any other id."""
    invitation = await work.session.get(Invitation, invitation_id)
    if invitation is None or invitation.phone != guardian.phone:
        raise NotFoundError
    return await latest_site_of_family(work, invitation.family_id)


async def take_invitation(
    work: UnitOfWork,
    guardian: Guardian,
    invitation_id: uuid.UUID,
    *,
    text_version: str,
    locale: str,
    notice_version: str | None = None,
) -> Membership:
    """Join the family and record the consent to messages in one transaction; a second call returns the membership.

    ``notice_version`` is that of the privacy notice which the app showed. Raises NotFoundError, InvitationEndedError,
    ConsentTextUnknownError, NoticeOutdatedError, SiteIncompleteError.
    """
    check_text_is_current(Part.MESSAGES, text_version, locale)
    invitation = await _locked(work, invitation_id)
    if invitation is None or invitation.phone != guardian.phone:
        raise NotFoundError
    membership = await membership_in(work, invitation.family_id, guardian.guardian_id, lock=True)
    if invitation.ended_at is not None or invitation.expires_at <= work.now:
        if invitation.end_reason == "accepted" and membership is not None:
            return membership
        raise InvitationEndedError(invitation.end_reason or "expired")
    site = await latest_site_of_family(work, invitation.family_id)
    in_force = await version_to_record(work, site, notice_version)
    if membership is None:
        membership = Membership(
            family_id=invitation.family_id, guardian_id=guardian.guardian_id, relation=invitation.relation,
            may_message=invitation.may_message, may_locate=invitation.may_locate, may_manage=invitation.may_manage,
            joined_at=work.now,
        )  # fmt: skip
    work.add(membership)
    _end(work, invitation, "accepted")
    # The family's name for this guardian, until the guardian sets one.
    if not guardian.display_name and invitation.display_name:
        guardian.display_name = invitation.display_name
        work.add(guardian)
    await work.flush()
    await record_consent(
        work, guardian.guardian_id, invitation.family_id, part=Part.MESSAGES, text_version=text_version,
        locale=locale, proof=Proof(), notice_version=in_force,
    )  # fmt: skip
    record_audit(
        work, guardian_actor(guardian.guardian_id), "guardian.joined", family_id=invitation.family_id,
        subject_id=guardian.guardian_id,
    )  # fmt: skip
    await access_changed(work, guardian.guardian_id)
    return membership


async def _locked(work: UnitOfWork, invitation_id: uuid.UUID) -> Invitation | None:
    return await work.session.get(Invitation, invitation_id, with_for_update={"key_share": True})


async def _lock_family(work: UnitOfWork, family_id: uuid.UUID) -> None:
    await work.session.exec(
        select(Family.family_id).where(Family.family_id == family_id).with_for_update(key_share=True)
    )


async def _standing_invitations(work: UnitOfWork, family_id: uuid.UUID) -> list[Invitation]:
    result = await work.session.exec(
        select(Invitation).where(Invitation.family_id == family_id, col(Invitation.ended_at).is_(None))
    )
    return list(result)


async def _count_guardians(work: UnitOfWork, family_id: uuid.UUID) -> int:
    result = await work.session.exec(
        select(func.count()).where(col(Membership.family_id) == family_id, col(Membership.removed_at).is_(None))
    )
    return result.one()


def _end(work: UnitOfWork, invitation: Invitation, reason: str) -> None:
    invitation.ended_at = work.now
    invitation.end_reason = reason
    work.add(invitation)
