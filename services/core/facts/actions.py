"""Write facts."""

from __future__ import annotations

import uuid
from datetime import datetime

from services.core.db.database import UnitOfWork
from services.core.facts.tables import Fact


def record_fact(
    work: UnitOfWork,
    kind: str,
    *,
    watch_id: uuid.UUID | None = None,
    child_id: uuid.UUID | None = None,
    family_id: uuid.UUID | None = None,
    ref_id: uuid.UUID | None = None,
    happened_at: datetime | None = None,
    voice_ms: int | None = None,
) -> None:
    """Note that something happened, without saying what was said or where; ``happened_at`` is the watch's own time."""
    work.add(
        Fact(
            kind=kind, watch_id=watch_id, child_id=child_id, family_id=family_id, ref_id=ref_id,
            happened_at=happened_at, received_at=work.now,
            voice_ms=voice_ms,
        )
    )  # fmt: skip
