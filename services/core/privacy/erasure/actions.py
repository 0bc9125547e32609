"""Erase a child or a family: first the key, so that nothing can be decrypted; then the rows and what depends on them.

There are two transactions. The first destroys keys, ends access, notifies guardians and writes the ledger before the
erasure is confirmed. The second removes the rows; the worker completes it if the process ends in between. The blob
store follows: a sweep deletes objects whose rows have lost their child.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

from sqlalchemy import delete, update
from sqlmodel import col, select

from services.core.devices.watches.queries import current_identity, standing_identity
from services.core.pairing.actions import end_pairing
from services.core.pairing.rules import UnpairReason
from services.core.people.accounts.actions import access_changed
from services.core.people.accounts.tables import Guardian
from services.core.people.households.errors import NotFoundError
from services.core.people.households.queries import guardians_of
from services.core.people.households.tables import Child, Enrolment, Family, Invitation, Membership
from services.core.platform.audit.actions import SYSTEM, Actor, guardian_actor, record_audit
from services.core.platform.db.columns import new_id
from services.core.platform.db.database import UnitOfWork
from services.core.platform.erasure_ledger import CHILD, FAMILY, ErasureLedger, LedgerEntry
from services.core.platform.events.actions import record_event
from services.core.platform.outbox.actions import send_sms
from services.core.privacy.sms_texts import erased_text
from services.core.privacy.tables import Erasure, ErasureLedgerRow, Export


async def erase_child(work: UnitOfWork, ledger: ErasureLedger, child_id: uuid.UUID, by: uuid.UUID) -> Erasure:
    """Destroy a child's key, end its watch's access and notify the other guardians.

    The caller has checked that ``by`` is the first guardian, commits, and then removes the rows. Raises NotFoundError
    for a child that is erased already.
    """
    child = await work.session.get(Child, child_id)
    if child is None or child.erased_at is not None:
        raise NotFoundError
    family_id = child.family_id
    erasure = _erasure(work, CHILD, child_id, family_id, by)
    await _close_child(work, child_id, guardian_actor(by))
    others = [guardian for _, guardian in await guardians_of(work, family_id) if guardian.guardian_id != by]
    await _notify(work, others, CHILD)
    record_audit(work, guardian_actor(by), "child.erased", family_id=family_id, subject_id=child_id)
    # The child's own events are deleted with its rows. This event names only the id that apps have to forget.
    await record_event(work, family_id, "child.erased", ref_id=child_id, detail={"erasure_id": str(erasure.erasure_id)})
    await append_to_ledger(work, ledger, erasure)
    return erasure


async def erase_family(work: UnitOfWork, ledger: ErasureLedger, family_id: uuid.UUID, by: uuid.UUID | None) -> Erasure:
    """Destroy the keys of all children, end all access and notify the other guardians.

    ``by`` is the first guardian, as the caller has checked; None when the retention period ended: then all guardians
    are notified. The caller commits, then removes the rows. Raises NotFoundError for a family that is erased already.
    """
    actor = SYSTEM if by is None else guardian_actor(by)
    erasure = _erasure(work, FAMILY, family_id, family_id, by)
    others = [guardian for _, guardian in await guardians_of(work, family_id) if guardian.guardian_id != by]
    await _close_family(work, family_id, actor)
    await _notify(work, others, FAMILY)
    record_audit(work, actor, "family.erased", family_id=family_id, subject_id=family_id)
    await append_to_ledger(work, ledger, erasure)
    return erasure


async def erase_again(work: UnitOfWork, entry: LedgerEntry) -> Erasure | None:
    """Apply a ledger entry to a database restored from before it; return None when the database holds nothing of it."""
    family_id = await _family_of(work, entry)
    if family_id is None:
        await _list_unheld(work, entry)
        return None
    erasure = await work.session.get(Erasure, entry.erasure_id)
    if erasure is None:
        erasure = _erasure(work, entry.what, entry.subject_id, family_id, None, entry.erasure_id)
    erasure.rows_gone_at = None
    if entry.what == CHILD:
        await _close_child(work, entry.subject_id, SYSTEM)
    else:
        await _close_family(work, entry.subject_id, SYSTEM)
    if await work.session.get(ErasureLedgerRow, entry.erasure_id) is None:
        work.add(_ledger_row(work, erasure))
    action = "child.erased" if entry.what == CHILD else "family.erased"
    record_audit(work, SYSTEM, action, family_id=family_id, subject_id=entry.subject_id)
    return erasure


async def _list_unheld(work: UnitOfWork, entry: LedgerEntry) -> None:
    """Copy an entry about which nothing is held, so that the database is seen to be up to date with the ledger."""
    if await work.session.get(ErasureLedgerRow, entry.erasure_id) is None:
        family_id = entry.subject_id if entry.what == FAMILY else uuid.UUID(int=0)
        work.add(
            ErasureLedgerRow(
                erasure_id=entry.erasure_id, what=entry.what, subject_id=entry.subject_id, family_id=family_id,
                written_at=work.now,
            )
        )  # fmt: skip


async def append_to_ledger(work: UnitOfWork, ledger: ErasureLedger, erasure: Erasure) -> None:
    """Write an erasure to the ledger, as the last step before the commit: every entry will be carried out."""
    work.add(_ledger_row(work, erasure))
    await work.flush()
    entry = LedgerEntry(erasure.erasure_id, erasure.what, erasure.subject_id)
    await asyncio.to_thread(ledger.append, entry)


async def _close_child(work: UnitOfWork, child_id: uuid.UUID, actor: Actor) -> None:
    """Destroy the key and everything readable without it; the watch loses access and is told to wipe itself."""
    # Lock order: the watch identity before the child, as everywhere.
    identity = await current_identity(work, child_id)
    if identity is not None:
        await standing_identity(work, identity.username, lock=True)
    child = await work.session.get(Child, child_id, with_for_update={"key_share": True}, populate_existing=True)
    if child is None or child.erased_at is not None:
        raise NotFoundError
    # Copies of the erased data, whoever requested them: key and row now, the object in the next sweep.
    await work.run(delete(Export).where(col(Export.family_id) == child.family_id))
    child.wrapped_key = b""
    child.name = ""
    child.birth_year = None
    child.sealed_birth_date = None
    child.erased_at = work.now
    work.add(child)
    await work.flush()
    if identity is not None:
        await end_pairing(work, actor, identity, UnpairReason.ERASED)


async def _close_family(work: UnitOfWork, family_id: uuid.UUID, actor: Actor) -> None:
    """Close every child and refuse every account of the family: guardians, invited phones, enrolled phones."""
    children = await work.session.exec(
        select(Child.child_id)
        .where(Child.family_id == family_id, col(Child.erased_at).is_(None))
        .order_by(col(Child.child_id))
    )
    for child_id in children.all():
        await _close_child(work, child_id, actor)
    family = await work.session.get(Family, family_id, with_for_update={"key_share": True}, populate_existing=True)
    if family is None or family.erased_at is not None:
        raise NotFoundError
    family.erased_at = work.now
    work.add(family)
    for _, guardian in await guardians_of(work, family_id):
        await access_changed(work, guardian.guardian_id)
    await work.run(
        update(Membership)
        .where(col(Membership.family_id) == family_id, col(Membership.removed_at).is_(None))
        .values(removed_at=work.now)
    )
    await work.run(
        update(Invitation)
        .where(col(Invitation.family_id) == family_id, col(Invitation.ended_at).is_(None))
        .values(ended_at=work.now, end_reason="revoked")
    )
    await work.run(
        update(Enrolment)
        .where(col(Enrolment.family_id) == family_id, col(Enrolment.ended_at).is_(None))
        .values(ended_at=work.now)
    )


async def _notify(work: UnitOfWork, guardians: Sequence[Guardian], what: str) -> None:
    for guardian in guardians:
        content = erased_text("child" if what == CHILD else "family", guardian.locale)
        await send_sms(work, guardian.phone, content)


async def _family_of(work: UnitOfWork, entry: LedgerEntry) -> uuid.UUID | None:
    if entry.what == CHILD:
        child = await work.session.get(Child, entry.subject_id)
        return None if child is None or child.erased_at is not None else child.family_id
    family = await work.session.get(Family, entry.subject_id)
    return None if family is None or family.erased_at is not None else family.family_id


def _erasure(
    work: UnitOfWork, what: str, subject_id: uuid.UUID, family_id: uuid.UUID, by: uuid.UUID | None,
    erasure_id: uuid.UUID | None = None,
) -> Erasure:  # fmt: skip
    erasure = Erasure(
        erasure_id=erasure_id or new_id(), what=what, subject_id=subject_id, family_id=family_id, asked_by=by,
        asked_at=work.now,
    )  # fmt: skip
    work.add(erasure)
    return erasure


def _ledger_row(work: UnitOfWork, erasure: Erasure) -> ErasureLedgerRow:
    return ErasureLedgerRow(
        erasure_id=erasure.erasure_id, what=erasure.what, subject_id=erasure.subject_id,
        family_id=erasure.family_id, written_at=work.now,
    )  # fmt: skip
