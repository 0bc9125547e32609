"""Remove the rows of an erasure, and everything that only those rows led to."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import String, cast, delete, update
from sqlmodel import col, exists, select

from services.core.conversation.audio_assets.tables import AudioAsset
from services.core.conversation.messages.tables import Message, MessageRecipient
from services.core.devices.alerts.tables import Alert
from services.core.devices.contacts.tables import Contact
from services.core.devices.watches.tables import WatchIdentity
from services.core.people.accounts.tables import Guardian, LoginChallenge
from services.core.people.households.tables import Child, Enrolment, Family, Invitation, Membership
from services.core.platform.blobs.tables import Blob
from services.core.platform.db.database import Database, UnitOfWork
from services.core.platform.db.faults import is_collision, is_database_unavailable
from services.core.platform.erasure_ledger import CHILD
from services.core.platform.inbox.tables import InboxItem
from services.core.platform.outbox.actions import unseal_sms
from services.core.platform.outbox.tables import OutboxRow
from services.core.privacy.tables import Erasure


async def remove_now(database: Database, erasure_id: uuid.UUID) -> None:
    """Remove the rows of a committed erasure now; on a temporary conflict the worker removes them later."""
    try:
        async with database.begin() as work:
            await _remove(work, await work.session.get(Erasure, erasure_id, with_for_update={"skip_locked": True}))
    except Exception as error:
        if not is_collision(error) and not is_database_unavailable(error):
            raise


async def remove_one_erased(work: UnitOfWork) -> bool:
    """Remove the rows of one unfinished erasure; return whether there was one. Idempotent."""
    result = await work.session.exec(
        select(Erasure)
        .where(col(Erasure.rows_gone_at).is_(None))
        .order_by(col(Erasure.asked_at))
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return await _remove(work, result.first())


async def _remove(work: UnitOfWork, erasure: Erasure | None) -> bool:
    if erasure is None or erasure.rows_gone_at is not None:
        return False
    if erasure.what == CHILD:
        await _remove_child(work, erasure.subject_id)
    else:
        await _remove_family(work, erasure)
    erasure.rows_gone_at = work.now
    work.add(erasure)
    return True


async def _remove_child(work: UnitOfWork, child_id: uuid.UUID) -> None:
    usernames = select(WatchIdentity.username).where(col(WatchIdentity.child_id) == child_id)
    clips = select(cast(col(AudioAsset.clip_id), String)).where(col(AudioAsset.child_id) == child_id)
    await work.run(delete(OutboxRow).where(col(OutboxRow.target).in_(usernames)))
    await work.run(delete(OutboxRow).where(col(OutboxRow.target).in_(clips)))
    # Text messages about a call for help, to guardians and to whoever lives with the child.
    for called in (
        select(cast(col(Alert.alert_id), String)).where(col(Alert.child_id) == child_id),
        select(cast(col(Contact.contact_id), String)).where(col(Contact.child_id) == child_id),
    ):
        await work.run(delete(OutboxRow).where(col(OutboxRow.kind) == "sms", col(OutboxRow.target).in_(called)))
    # Queued notifications about the child. A push that is already out finds no event to fetch.
    about = col(OutboxRow.payload)["child_id"].astext
    await work.run(delete(OutboxRow).where(col(OutboxRow.kind) == "push", about == str(child_id)))
    # The sweep deletes the objects later; until then a hash would show whether a known recording was among them.
    await work.run(
        update(Blob).where(col(Blob.child_id) == child_id).values(state="leaving", sha256="", changed_at=work.now)
    )
    # Large tables first, by their indexes: a cascade would search the inbox items of each message one by one.
    messages = select(Message.message_id).where(col(Message.child_id) == child_id)
    await work.run(delete(InboxItem).where(col(InboxItem.child_id) == child_id))
    await work.run(delete(MessageRecipient).where(col(MessageRecipient.message_id).in_(messages)))
    await work.run(delete(Message).where(col(Message.child_id) == child_id))
    # Every other row of a child has a cascading foreign key; a test walks all tables for that.
    await work.run(delete(Child).where(col(Child.child_id) == child_id))


async def _remove_family(work: UnitOfWork, erasure: Erasure) -> None:
    family_id = erasure.family_id
    children = await work.session.exec(select(Child.child_id).where(Child.family_id == family_id))
    for child_id in children.all():
        await _remove_child(work, child_id)
    members = await work.session.exec(
        select(Guardian)
        .join(Membership, col(Membership.guardian_id) == col(Guardian.guardian_id))
        .where(Membership.family_id == family_id)
        .distinct()
    )
    guardians = members.all()
    invited = await work.session.exec(select(Invitation.phone).where(Invitation.family_id == family_id))
    enrolled = await work.session.exec(select(Enrolment.guardian_phone).where(Enrolment.family_id == family_id))
    phones = {*(guardian.phone for guardian in guardians), *invited.all(), *enrolled.all()}
    about = col(OutboxRow.payload)["family_id"].astext
    await work.run(delete(OutboxRow).where(col(OutboxRow.kind) == "push", about == str(family_id)))
    await work.run(delete(OutboxRow).where(col(OutboxRow.kind) == "wake", col(OutboxRow.target) == str(family_id)))
    await work.run(delete(Family).where(col(Family.family_id) == family_id))
    for guardian in guardians:
        if not await _is_needed(work, guardian.guardian_id, guardian.phone):
            await work.run(delete(Guardian).where(col(Guardian.guardian_id) == guardian.guardian_id))
    await _forget_phones(work, [phone for phone in phones if not await _has_account(work, phone)], erasure)


async def _is_needed(work: UnitOfWork, guardian_id: uuid.UUID, phone: str) -> bool:
    """Return whether an account serves another family, or is invited or enrolled there."""
    result = await work.session.exec(
        select(
            exists().where(col(Membership.guardian_id) == guardian_id, col(Membership.removed_at).is_(None))
            | exists().where(col(Enrolment.guardian_phone) == phone, col(Enrolment.ended_at).is_(None))
        )
    )
    return bool(result.one())


async def _has_account(work: UnitOfWork, phone: str) -> bool:
    result = await work.session.exec(select(Guardian.guardian_id).where(Guardian.phone == phone))
    return result.first() is not None


async def _forget_phones(work: UnitOfWork, phones: Sequence[str], erasure: Erasure) -> None:
    """Delete codes and earlier text messages; the message that announces the erasure is still to be sent."""
    await work.run(delete(LoginChallenge).where(col(LoginChallenge.phone).in_(phones)))
    waiting = await work.session.exec(
        select(OutboxRow).where(
            col(OutboxRow.kind) == "sms", col(OutboxRow.created_at) < erasure.asked_at
        ).with_for_update(skip_locked=True)
    )  # fmt: skip
    for row in waiting.all():
        if unseal_sms(work.vault, row).phone in phones:
            await work.session.delete(row)
