"""A guardian has a child's watch do something: who may, and who the child is told it was."""

from __future__ import annotations

from services.core.audit.actions import guardian_actor, record_audit
from services.core.consents.errors import ConsentRequiredError
from services.core.consents.queries import has_consent
from services.core.consents.rules import Part
from services.core.contacts.queries import contacts_of
from services.core.db.database import UnitOfWork
from services.core.errors import CoreError
from services.core.families.errors import RightMissingError
from services.core.families.queries import rights_of
from services.core.families.rules import Right
from services.core.families.tables import Child, Membership
from services.core.watches.command_rules import CommandKind
from services.core.watches.commands import Asker, give_command
from services.core.watches.errors import LocationOffError
from services.core.watches.queries import settings_of_child
from services.core.watches.tables import WatchCommand

# What each command needs; to find a watch by its sound is for everyone who may talk to it.
_RIGHTS = {
    CommandKind.LOCATE: Right.LOCATE,
    CommandKind.RING: Right.MESSAGE,
    CommandKind.RESTART: Right.MANAGE,
    CommandKind.LOST: Right.MANAGE,
    CommandKind.FOUND: Right.MANAGE,
}


async def command_watch(work: UnitOfWork, child: Child, membership: Membership, kind: CommandKind) -> WatchCommand:
    """Have the child's watch do something, if this guardian may; every try is in the audit log.

    To locate, a guardian needs the right to, an own consent to location, and to stand in the child's contact list:
    the child sees who looked. Raises RightMissingError, ConsentRequiredError, LocationOffError, NoWatchError,
    CommandTooOftenError.
    """
    wire_id = await _wire_id(work, child, membership)
    refusal = await _refusal(work, child, membership, kind, wire_id)
    if refusal is not None:
        record_audit(
            work, guardian_actor(membership.guardian_id), f"command.{kind.value}", family_id=child.family_id,
            subject_id=child.child_id, refused=refusal.code,
        )  # fmt: skip
        work.keep_refusal()
        raise refusal
    return await give_command(work, child.child_id, kind, Asker(membership.guardian_id, wire_id))


async def _wire_id(work: UnitOfWork, child: Child, membership: Membership) -> str | None:
    for contact in await contacts_of(work, child.child_id):
        if contact.guardian_id == membership.guardian_id and contact.state == "approved":
            return contact.wire_id
    return None


async def _refusal(
    work: UnitOfWork, child: Child, membership: Membership, kind: CommandKind, wire_id: str | None
) -> CoreError | None:
    right = _RIGHTS[kind]
    if not rights_of(membership).has(right):
        return RightMissingError(right.value)
    if kind is not CommandKind.LOCATE:
        return None
    if wire_id is None:
        return RightMissingError(Right.MESSAGE.value)
    if not await has_consent(work, membership.guardian_id, child.family_id, Part.LOCATION):
        return ConsentRequiredError(Part.LOCATION)
    if not (await settings_of_child(work, child.child_id)).location:
        return LocationOffError()
    return None
