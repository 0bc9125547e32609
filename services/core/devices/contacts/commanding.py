"""Commands of guardians: who may request which, and which guardian the child sees."""

from __future__ import annotations

from services.core.devices.commands.actions import Asker, queue_command
from services.core.devices.commands.rules import CommandKind
from services.core.devices.contacts.queries import contacts_of
from services.core.devices.watches.errors import LocationOffError
from services.core.devices.watches.queries import settings_of_child
from services.core.devices.watches.tables import WatchCommand
from services.core.people.consents.errors import ConsentRequiredError
from services.core.people.consents.queries import has_consent
from services.core.people.consents.rules import Part
from services.core.people.households.errors import RightMissingError
from services.core.people.households.queries import rights_of
from services.core.people.households.rules import Right
from services.core.people.households.tables import Child, Membership
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork
from services.core.platform.errors import CoreError

# The right that each command needs. Every guardian who may message may let the watch ring.
_RIGHTS = {
    CommandKind.LOCATE: Right.LOCATE,
    CommandKind.RING: Right.MESSAGE,
    CommandKind.RESTART: Right.MANAGE,
    CommandKind.LOST: Right.MANAGE,
    CommandKind.FOUND: Right.MANAGE,
}


async def command_watch(work: UnitOfWork, child: Child, membership: Membership, kind: CommandKind) -> WatchCommand:
    """Queue a command for the child's watch if the guardian may; every attempt is recorded in the audit log.

    To locate, a guardian needs the right, their own consent to location, and a place in the child's contact list: the
    child sees who located the watch. Raises RightMissingError, ConsentRequiredError, LocationOffError, NoWatchError,
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
    return await queue_command(work, child.child_id, kind, Asker(membership.guardian_id, wire_id))


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
