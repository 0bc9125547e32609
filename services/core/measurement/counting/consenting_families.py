"""Families that may be measured: the primary guardian's consent to measurement is in force, and since when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlmodel import col, select

from services.core.people.consents.rules import Part
from services.core.people.consents.tables import Consent
from services.core.people.households.tables import Membership
from services.core.platform.db.database import UnitOfWork


async def measured_since(work: UnitOfWork, family_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Return since when each of these families may be measured; families without consent in force are missing.

    A newer text agreed to without a gap continues the older consent. A new primary guardian has to agree again.
    """
    rows = await work.session.exec(
        select(Consent.family_id, Consent.given_at, Consent.withdrawn_at)
        .join(
            Membership,
            (col(Membership.family_id) == col(Consent.family_id))
            & (col(Membership.guardian_id) == col(Consent.guardian_id)),
        )
        .where(
            col(Consent.family_id).in_(list(family_ids)),
            Consent.part == Part.MEASUREMENT,
            col(Membership.is_primary).is_(True),
            col(Membership.removed_at).is_(None),
        )
        .order_by(col(Consent.given_at).desc())
    )
    since: dict[uuid.UUID, datetime] = {}
    for family_id, given_at, withdrawn_at in rows:
        if withdrawn_at is None or since.get(family_id) == withdrawn_at:
            since[family_id] = given_at
    return since


async def is_measured(work: UnitOfWork, family_id: uuid.UUID) -> bool:
    """Return whether this family may be measured now."""
    return family_id in await measured_since(work, [family_id])
