"""Families that withdrew consent, or whose programme ended long ago, are in no number published from then on.

Published tables stay as they are: they are about groups and name no family.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete
from sqlmodel import col, exists, or_, select

from services.core.devices.watches.tables import Watch
from services.core.measurement.counting.actions import purge_conversations
from services.core.measurement.tables import FamilyDay, UsagePopulation, UsageReport, WatchDay
from services.core.people.consents.rules import Part
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Enrolment, Family, Membership
from services.core.people.programme.tables import Programme, Site
from services.core.platform.db.database import UnitOfWork
from services.core.platform.facts.tables import Fact

_OF_FAMILIES: Final = (Fact, UsageReport, WatchDay, FamilyDay, UsagePopulation)


async def purge_one_unmeasured(work: UnitOfWork) -> bool:
    """Delete the counts of one family that may not be measured any more; return whether there was one.

    The health of its watch stays. The family is in no population again before the next quarter.
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
    result = await work.session.exec(
        select(Family.family_id).where(or_(counted, populates), ~agrees).limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )  # fmt: skip
    family_id = result.first()
    if family_id is None:
        return False
    await work.run(delete(FamilyDay).where(col(FamilyDay.family_id) == family_id))
    await work.run(delete(UsagePopulation).where(col(UsagePopulation.family_id) == family_id))
    await purge_conversations(work, {family_id: None})
    return True


async def purge_one_long_over(work: UnitOfWork) -> bool:
    """Delete the facts of one family or one watch whose programme ended longer ago than facts are kept.

    Returns whether there was one. A family that continued in another programme is not affected.
    """
    over = await work.session.exec(
        select(Site.site_id)
        .join(Programme, col(Programme.programme_id) == col(Site.programme_id))
        .where(col(Programme.ends_on) < (work.now - work.retention.usage).date())
    )
    site_ids = over.all()
    return bool(site_ids) and (await _forget_family_at(work, site_ids) or await _forget_watch_at(work, site_ids))


async def _forget_family_at(work: UnitOfWork, site_ids: Sequence[uuid.UUID]) -> bool:
    kept = [exists().where(col(table.family_id) == col(Family.family_id)) for table in _OF_FAMILIES]
    here = exists().where(
        col(Enrolment.family_id) == col(Family.family_id), col(Enrolment.site_id).in_(site_ids)
    )  # fmt: skip
    elsewhere = exists().where(
        col(Enrolment.family_id) == col(Family.family_id), col(Enrolment.site_id).not_in(site_ids)
    )  # fmt: skip
    result = await work.session.exec(
        select(Family.family_id).where(here, ~elsewhere, or_(*kept)).limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )  # fmt: skip
    family_id = result.first()
    if family_id is None:
        return False
    for table in _OF_FAMILIES:
        await work.run(delete(table).where(col(table.family_id) == family_id))
    return True


async def _forget_watch_at(work: UnitOfWork, site_ids: Sequence[uuid.UUID]) -> bool:
    """Return whether there was one. Facts without a family are the watch's, and the watch belongs to its site."""
    of_nobody = (col(Fact.watch_id) == col(Watch.watch_id)) & col(Fact.family_id).is_(None)
    result = await work.session.exec(
        select(Watch.watch_id).where(col(Watch.site_id).in_(site_ids), exists().where(of_nobody)).limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )  # fmt: skip
    watch_id = result.first()
    if watch_id is None:
        return False
    await work.run(delete(Fact).where(col(Fact.watch_id) == watch_id, col(Fact.family_id).is_(None)))
    return True
