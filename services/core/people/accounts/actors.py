"""Audit actors for staff."""

from __future__ import annotations

import uuid

from services.core.platform.audit.actions import Actor


def staff_actor(staff_id: uuid.UUID) -> Actor:
    """Return the audit actor of a staff member."""
    return Actor("staff", str(staff_id))
