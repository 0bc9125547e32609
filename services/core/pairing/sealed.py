"""Which master keys the codes and passwords of pairing still need: an old one is removed once none does."""

from __future__ import annotations

from collections import Counter

from sqlmodel import col, select

from services.core.pairing.tables import Pairing, PairingCode
from services.core.platform.crypto.vault import key_id_of
from services.core.platform.db.database import UnitOfWork


async def pairing_by_master_key(work: UnitOfWork) -> Counter[str]:
    """Return how many codes that still count (minutes) and passwords on their way (a day) need each master key."""
    codes = await work.session.exec(
        select(PairingCode.sealed_code).where(
            col(PairingCode.ended_at).is_(None), col(PairingCode.expires_at) > work.now
        )
    )
    passwords = await work.session.exec(
        select(Pairing.sealed_password).where(col(Pairing.sealed_password).is_not(None))
    )
    return Counter(key_id_of(sealed) for sealed in (*codes, *passwords) if sealed)
