"""Record every access of a guardian to a child's places; every guardian of the family can read the log."""

from __future__ import annotations

import uuid

from services.core.people.households.tables import Child
from services.core.platform.audit.actions import guardian_actor, record_audit
from services.core.platform.db.database import UnitOfWork


def record_place_access(work: UnitOfWork, guardian_id: uuid.UUID, child: Child) -> None:
    """Record that a guardian requested a child's place, also when the response contained none."""
    record_audit(work, guardian_actor(guardian_id), "place", family_id=child.family_id, subject_id=child.child_id)
