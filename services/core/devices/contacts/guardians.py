"""Changes of guardians and children together with their effects on the watches, in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from services.core.devices.contacts.actions import changed, next_wire_id
from services.core.devices.contacts.location import follow_location_consent
from services.core.devices.contacts.queries import contact_list, contacts_of
from services.core.devices.contacts.rules import displayed_name
from services.core.devices.contacts.tables import Contact, ContactList
from services.core.devices.watch_settings.quiet_rules import utc_offset_s
from services.core.devices.watches.tables import WatchSettings
from services.core.people.accounts.actions import access_changed
from services.core.people.accounts.rules import busy_until
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.actions import end_consent, record_consent
from services.core.people.consents.errors import ConsentRequiredError
from services.core.people.consents.queries import consents_of, guardians_who_consented
from services.core.people.consents.rules import Part, Proof
from services.core.people.consents.tables import Consent
from services.core.people.households.actions import add_child, change_rights, end_membership
from services.core.people.households.errors import NotFoundError
from services.core.people.households.invitations import take_invitation
from services.core.people.households.queries import (
    children_of,
    families_of,
    guardians_of,
    latest_site_of_family,
    membership_in,
    site_of_family,
)
from services.core.people.households.rules import Rights
from services.core.people.households.tables import Child, Membership
from services.core.people.privacy_notices.queries import version_to_record
from services.core.platform.audit.actions import Actor, guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.events.actions import record_event
from services.core.platform.facts.actions import forget_measured
from services.core.platform.locales import fitting_locale
from services.core.platform.text_rules import NAME, check_text


async def create_child(
    work: UnitOfWork,
    family_id: uuid.UUID,
    guardian_id: uuid.UUID,
    name: str,
    birth_year: int | None,
    birth_date: date | None = None,
) -> Child:
    """Add a child with watch settings of its site and a contact list of the guardians.

    Raises what families.actions.add_child raises.
    """
    child = await add_child(work, family_id, guardian_id, name, birth_year, birth_date)
    site = await site_of_family(work, family_id)
    timezone = site.timezone if site else "UTC"
    work.add(
        WatchSettings(
            child_id=child.child_id, timezone=timezone, language=site.locale if site else fitting_locale(None),
            utc_offset_s=utc_offset_s(timezone, work.now), changed_at=work.now,
        ),
        ContactList(child_id=child.child_id, changed_at=work.now),
    )  # fmt: skip
    await work.flush()
    await _follow_guardians_of_child(work, child)
    await record_event(work, family_id, "child.changed", child_id=child.child_id)
    return child


async def give_consent(
    work: UnitOfWork,
    membership: Membership,
    *,
    part: Part,
    text_version: str,
    locale: str,
    proof: Proof,
    notice_version: str | None = None,
) -> Consent:
    """Record consent; a consent to messages adds the guardian to the contact lists of the family's watches.

    ``notice_version`` is that of the privacy notice which the app showed. Raises ConsentTextUnknownError,
    ConsentProofError, TextNotAllowedError, NoticeOutdatedError, SiteIncompleteError.
    """
    site = await latest_site_of_family(work, membership.family_id)
    in_force = await version_to_record(work, site, notice_version)
    await membership_in(work, membership.family_id, membership.guardian_id, lock=True)
    consent = await record_consent(
        work, membership.guardian_id, membership.family_id, part=part, text_version=text_version, locale=locale,
        proof=proof, notice_version=in_force,
    )  # fmt: skip
    await follow_guardian(work, membership.family_id, membership.guardian_id)
    return consent


async def withdraw_consent(work: UnitOfWork, membership: Membership, part: Part) -> None:
    """Withdraw consent; processing of this kind ends at once. A repeat changes nothing."""
    if await end_consent(work, membership.guardian_id, membership.family_id, part):
        await work.flush()
        # Lists before settings before events: follow_guardian holds the lists, and the family comes last.
        await _lock_lists(work, [membership.family_id])
        if part is Part.MEASUREMENT and membership.is_primary:
            await forget_measured(work, membership.family_id)
        if part is Part.LOCATION:
            actor = guardian_actor(membership.guardian_id)
            await follow_location_consent(work, membership.family_id, actor, withdrawn_by=membership)
        await follow_guardian(work, membership.family_id, membership.guardian_id)


async def change_guardian(
    work: UnitOfWork, family_id: uuid.UUID, by: uuid.UUID, guardian_id: uuid.UUID, *, rights: Rights,
    relation: str | None,
) -> Membership:  # fmt: skip
    """Change a guardian's rights and relation. Raises what families.actions.change_rights raises."""
    membership = await change_rights(work, family_id, by, guardian_id, rights=rights, relation=relation)
    await follow_change(work, guardian_actor(by), family_id, guardian_id)
    return membership


async def follow_change(work: UnitOfWork, actor: Actor, family_id: uuid.UUID, guardian_id: uuid.UUID) -> None:
    """Update the watches and open streams after a change of a guardian's rights."""
    await _lock_lists(work, [family_id])
    await follow_location_consent(work, family_id, actor)
    await follow_guardian(work, family_id, guardian_id)


async def hide_number(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID, *, hidden: bool) -> None:
    """Hide a guardian's own number from the watches and from the other guardians, or show it again.

    Without the number the watch cannot call the guardian; messages still arrive. A repeat changes nothing.
    Raises NotFoundError.
    """
    membership = await membership_in(work, family_id, guardian_id, lock=True)
    if membership is None:
        raise NotFoundError
    if membership.number_hidden == hidden:
        return
    membership.number_hidden = hidden
    work.add(membership)
    await work.flush()
    action = "guardian.number_hidden" if hidden else "guardian.number_shown"
    record_audit(work, guardian_actor(guardian_id), action, family_id=family_id, subject_id=guardian_id)
    await follow_guardian(work, family_id, guardian_id)


async def remove_guardian(work: UnitOfWork, family_id: uuid.UUID, by: uuid.UUID, guardian_id: uuid.UUID) -> None:
    """Remove a guardian from the family and from its watches. Raises NotFoundError, PrimaryGuardianError."""
    await end_membership(work, family_id, by, guardian_id)
    await follow_change(work, guardian_actor(by), family_id, guardian_id)


async def accept_invitation(
    work: UnitOfWork,
    guardian: Guardian,
    invitation_id: uuid.UUID,
    *,
    text_version: str,
    locale: str,
    notice_version: str | None = None,
) -> Membership:
    """Join a family with consent, and appear on its watches. Raises what invitations.take_invitation raises."""
    membership = await take_invitation(
        work, guardian, invitation_id, text_version=text_version, locale=locale, notice_version=notice_version
    )
    await follow_guardian(work, membership.family_id, guardian.guardian_id)
    return membership


async def rename_guardian(
    work: UnitOfWork, guardian: Guardian, *, display_name: str | None, locale: str | None
) -> Guardian:
    """Change a guardian's own name and language; watches that show the old name get the new one.

    Raises TextNotAllowedError; ConsentRequiredError for a name before any consent: nothing is stored without one.
    """
    old_name = guardian.display_name
    if display_name is not None:
        given = await consents_of(work, guardian.guardian_id)
        if not any(consent.part == Part.MESSAGES and consent.withdrawn_at is None for consent in given):
            raise ConsentRequiredError(Part.MESSAGES)
        guardian.display_name = check_text("display_name", display_name, NAME)
    if locale is not None:
        guardian.locale = fitting_locale(locale)
    work.add(guardian)
    await work.flush()
    if guardian.display_name != old_name:
        await _rename_contacts(work, guardian, old_name)
    return guardian


async def set_busy(work: UnitOfWork, guardian: Guardian, until: datetime | None) -> Guardian:
    """Set until when a guardian is on shift (None or a past time: not on shift); children's watches show it.

    Raises BusyTooLongError.
    """
    guardian.busy_until_at = busy_until(until, work.now)
    work.add(guardian)
    await work.flush()
    held_in = sorted(await families_of(work, guardian.guardian_id), key=lambda membership: membership[1].family_id)
    await _lock_lists(work, [family.family_id for _, family in held_in])
    for _, family in held_in:
        for child in await children_of(work, family.family_id):
            locked_list = await contact_list(work, child.child_id, lock=True)
            if any(contact.guardian_id == guardian.guardian_id for contact in await contacts_of(work, child.child_id)):
                await changed(work, child, locked_list)
    return guardian


async def _rename_contacts(work: UnitOfWork, guardian: Guardian, old_name: str) -> None:
    # Each event locks its family: families in one order, so that two calls cannot deadlock.
    held_in = sorted(await families_of(work, guardian.guardian_id), key=lambda membership: membership[1].family_id)
    await _lock_lists(work, [family.family_id for _, family in held_in])
    for membership, family in held_in:
        locale = await _locale_of(work, family.family_id)
        for child in await children_of(work, family.family_id):
            locked_list = await contact_list(work, child.child_id, lock=True)
            for contact in await contacts_of(work, child.child_id):
                # Keep a name that the family chose for the watch.
                if contact.guardian_id == guardian.guardian_id and contact.name == displayed_name(
                    old_name, membership.relation, locale
                ):
                    contact.name = guardian.display_name
                    work.add(contact)
                    await changed(work, child, locked_list)


async def renumber_contacts(work: UnitOfWork, guardian: Guardian, old_phone: str) -> None:
    """Replace a guardian's old number by the new one on the watches that hold it."""
    held_in = sorted(await families_of(work, guardian.guardian_id), key=lambda membership: membership[1].family_id)
    await _lock_lists(work, [family.family_id for _, family in held_in])
    for _, family in held_in:
        for child in await children_of(work, family.family_id):
            locked_list = await contact_list(work, child.child_id, lock=True)
            for contact in await contacts_of(work, child.child_id):
                if contact.guardian_id == guardian.guardian_id and contact.number == old_phone:
                    contact.number = guardian.phone
                    work.add(contact)
                    await changed(work, child, locked_list)


async def _lock_lists(work: UnitOfWork, family_ids: Sequence[uuid.UUID]) -> None:
    """Lock the lists of all children of these families before the first event locks a family.

    A change of one list locks the list and then the family. A second list locked after the family could deadlock with
    it.
    """
    child_ids = [child.child_id for family_id in family_ids for child in await children_of(work, family_id)]
    for child_id in sorted(child_ids):
        await contact_list(work, child_id, lock=True)


async def follow_guardian(work: UnitOfWork, family_id: uuid.UUID, guardian_id: uuid.UUID) -> None:
    """Update every child's list and the guardian's open streams after a change of a guardian."""
    await _lock_lists(work, [family_id])
    for child in await children_of(work, family_id):
        await _follow_guardians_of_child(work, child)
    await access_changed(work, guardian_id)
    await record_event(work, family_id, "guardians.changed", ref_id=guardian_id)


async def _follow_guardians_of_child(work: UnitOfWork, child: Child) -> None:
    """Make the list hold exactly the guardians who may message and have consented; a new version only on a change."""
    locked_list = await contact_list(work, child.child_id, lock=True)
    consented = await guardians_who_consented(work, child.family_id, Part.MESSAGES)
    wanted = {
        guardian.guardian_id: (membership, guardian)
        for membership, guardian in await guardians_of(work, child.family_id)
        if membership.may_message and guardian.guardian_id in consented
    }
    standing = await contacts_of(work, child.child_id)
    locale = await _locale_of(work, child.family_id)
    gone = [contact for contact in standing if contact.guardian_id is not None and contact.guardian_id not in wanted]
    for left in gone:
        left.removed_at = work.now
        work.add(left)
    held_already = {contact.guardian_id: contact for contact in standing}
    dirty = bool(gone)
    position = max((contact.position for contact in standing), default=0)
    for guardian_id, (membership, guardian) in wanted.items():
        contact: Contact | None = held_already.get(guardian_id)
        if contact is None:
            position += 1
            work.add(await _contact_of(work, child, locked_list, guardian, membership, position))
            dirty = True
            continue
        if contact.number != _number_of(guardian, membership):
            contact.number = _number_of(guardian, membership)
            contact.may_call = not membership.number_hidden
            work.add(contact)
            dirty = True
        if contact.relation != membership.relation:
            if contact.name == displayed_name(guardian.display_name, contact.relation, locale):
                contact.name = displayed_name(guardian.display_name, membership.relation, locale)
            contact.relation = membership.relation
            work.add(contact)
            dirty = True
    if dirty:
        await changed(work, child, locked_list)


async def _contact_of(
    work: UnitOfWork, child: Child, locked_list: ContactList, guardian: Guardian, membership: Membership, position: int
) -> Contact:
    name = displayed_name(guardian.display_name, membership.relation, await _locale_of(work, child.family_id))
    return Contact(
        child_id=child.child_id, wire_id=next_wire_id(locked_list, "g"), guardian_id=guardian.guardian_id,
        name=name, relation=membership.relation,
        number=_number_of(guardian, membership), may_message=True, may_call=not membership.number_hidden,
        position=position, state="approved", approved_by=guardian.guardian_id, created_at=work.now,
    )  # fmt: skip


def _number_of(guardian: Guardian, membership: Membership) -> str | None:
    return None if membership.number_hidden else guardian.phone


async def _locale_of(work: UnitOfWork, family_id: uuid.UUID) -> str:
    site = await site_of_family(work, family_id)
    return fitting_locale(site.locale if site else None)
