"""Which master keys the text messages that wait still need: an old one is removed once none does."""

from __future__ import annotations

from collections import Counter

from sqlmodel import select

from services.core.platform.crypto.vault import key_id_of
from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.tables import OutboxRow


async def sms_by_master_key(work: UnitOfWork) -> Counter[str]:
    """Return how many text messages that were not handed over yet need each master key."""
    found = await work.session.exec(select(OutboxRow.payload).where(OutboxRow.kind == "sms"))
    return Counter(key_id_of(bytes.fromhex(payload["sealed"])) for payload in found)
