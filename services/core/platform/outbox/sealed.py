"""Count the master keys that waiting outbox rows need: an old key can be removed once no row needs it."""

from __future__ import annotations

from collections import Counter

from sqlmodel import col, select

from services.core.platform.crypto.vault import key_id_of
from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.tables import OutboxRow


async def sealed_rows_by_master_key(work: UnitOfWork) -> Counter[str]:
    """Return how many waiting rows (text messages, messages to watches) need each master key."""
    is_sealed = col(OutboxRow.payload)["sealed"].astext.is_not(None)
    payloads = await work.session.exec(select(OutboxRow.payload).where(is_sealed))
    return Counter(key_id_of(bytes.fromhex(payload["sealed"])) for payload in payloads)
