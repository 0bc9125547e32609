"""Deletion of families that gave no consent within 30 days; only their code, phone number and site were stored."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from services.core.devices.watches.tables import Watch
from services.core.office.hand_outs.watches import note_withdrawn
from services.core.people.accounts.tables import Guardian
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Enrolment, Family, Membership
from services.core.platform.audit.actions import SYSTEM, record_audit
from services.core.platform.db.database import UnitOfWork

WAITS_FOR_CONSENT = timedelta(days=30)


async def purge_one_unconsented(work: UnitOfWork) -> bool:
    """Delete one family that gave no consent within 30 days; return whether there was one. Safe to run twice.

    The broker rejects log-ins of the family's watches, and the watches are listed for collection. Guardian accounts
    without another family are deleted. A family that withdrew its consent is not affected.
    """
    result = await work.session.exec(
        select(Family)
        .where(
            ~select(Consent.consent_id).where(col(Consent.family_id) == col(Family.family_id)).exists(),
            ~select(Enrolment.enrolment_id)
            .where(
                col(Enrolment.family_id) == col(Family.family_id),
                col(Enrolment.enrolled_at) > work.now - WAITS_FOR_CONSENT,
            )
            .exists(),
            col(Family.created_at) <= work.now - WAITS_FOR_CONSENT,
        )
        .order_by(col(Family.created_at), col(Family.family_id))
        .limit(1)
    )
    family = result.first()
    if family is None:
        return False
    await _take_back_watches(work, family)
    # The family's row is locked last, following the lock order. The lock keeps new consents from referencing the row.
    locked = await work.session.exec(select(Family).where(col(Family.family_id) == family.family_id).with_for_update())
    consented = await work.session.exec(select(Consent.consent_id).where(col(Consent.family_id) == family.family_id))
    if locked.first() is None or consented.first() is not None:
        # The family consented or was deleted meanwhile. Roll back; the next call selects another family.
        await work.roll_back()
        return True
    guardians = (
        await work.session.exec(select(Membership.guardian_id).where(col(Membership.family_id) == family.family_id))
    ).all()
    await work.run(delete(Family).where(col(Family.family_id) == family.family_id))
    elsewhere = select(Membership.guardian_id).where(col(Membership.guardian_id).in_(guardians))
    await work.run(
        delete(Guardian).where(col(Guardian.guardian_id).in_(guardians), col(Guardian.guardian_id).not_in(elsewhere))
    )
    record_audit(work, SYSTEM, "family.forgotten", family_id=family.family_id)
    return True


async def _take_back_watches(work: UnitOfWork, family: Family) -> None:
    watches = await work.session.exec(
        select(Watch)
        .where(col(Watch.handed_out_to) == family.family_id)
        .order_by(col(Watch.watch_id))
        .with_for_update(key_share=True)
    )
    for watch in watches:
        if watch.state == "handed_out":
            await note_withdrawn(work, SYSTEM, watch, "returned")
