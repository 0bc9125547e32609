"""Staff as the audit log names them."""

from __future__ import annotations

import uuid

from services.core.platform.audit.actions import Actor


def staff_actor(staff_id: uuid.UUID) -> Actor:
    """Return the actor for a staff member."""
    return Actor("staff", str(staff_id))
