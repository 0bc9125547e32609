"""Who took consent back is in no number that is made from then on; published tables stand as they are."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import col, exists, or_, select

from services.core.consents.rules import Part
from services.core.consents.tables import Consent
from services.core.db.database import UnitOfWork
from services.core.families.tables import Family, Membership
from services.core.usage.counting import forget_conversations
from services.core.usage.tables import FamilyDay, UsagePopulation


async def forget_one_unmeasured(work: UnitOfWork) -> bool:
    """Delete what was counted of one family that may not be measured any more; return whether there was one.

    The health of its watch stays. It is in no population again before the next quarter.
    """
    agrees = exists().where(
        col(Consent.family_id) == col(Family.family_id),
        col(Consent.part) == Part.MEASUREMENT,
        col(Consent.withdrawn_at).is_(None),
        col(Membership.family_id) == col(Family.family_id),
        col(Membership.guardian_id) == col(Consent.guardian_id),
        col(Membership.is_primary).is_(True),
        col(Membership.removed_at).is_(None),
    )
    counted = exists().where(col(FamilyDay.family_id) == col(Family.family_id))
    populates = exists().where(col(UsagePopulation.family_id) == col(Family.family_id))
    found = await work.session.exec(
        select(Family.family_id).where(or_(counted, populates), ~agrees).limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )  # fmt: skip
    family_id = found.first()
    if family_id is None:
        return False
    await work.run(delete(FamilyDay).where(col(FamilyDay.family_id) == family_id))
    await work.run(delete(UsagePopulation).where(col(UsagePopulation.family_id) == family_id))
    await forget_conversations(work, {family_id: None})
    return True
