"""The key that seals everything a child says and is told."""

from __future__ import annotations

from services.core.db.database import UnitOfWork
from services.core.families.tables import Child


def data_key(work: UnitOfWork, child: Child) -> bytes:
    """Return the child's data key (32 bytes); raises SealBrokenError once it has been destroyed."""
    return work.vault.unwrap_key(child.wrapped_key, f"child/{child.child_id}")
