"""Every look at a place is written down, for every guardian to read: who, when, at which child."""

from __future__ import annotations

import uuid

from services.core.people.households.tables import Child
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork


def record_place_access(work: UnitOfWork, guardian_id: uuid.UUID, child: Child) -> None:
    """Write down that a guardian looked where a child is or was, also when there was nothing to see."""
    record_audit(work, guardian_actor(guardian_id), "place", family_id=child.family_id, subject_id=child.child_id)
