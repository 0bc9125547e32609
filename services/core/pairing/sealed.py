"""Which master keys the stored codes and passwords of pairings still need, before an old key is removed."""

from __future__ import annotations

from collections import Counter

from sqlmodel import col, select

from services.core.pairing.tables import Pairing, PairingCode
from services.core.platform.crypto.vault import key_id_of
from services.core.platform.db.database import UnitOfWork


async def pairing_by_master_key(work: UnitOfWork) -> Counter[str]:
    """Return, by master key, the number of current codes (minutes) and unconfirmed passwords (a day) that need it."""
    codes = await work.session.exec(
        select(PairingCode.sealed_code).where(
            col(PairingCode.ended_at).is_(None), col(PairingCode.expires_at) > work.now
        )
    )
    passwords = await work.session.exec(
        select(Pairing.sealed_password).where(col(Pairing.sealed_password).is_not(None))
    )
    return Counter(key_id_of(sealed) for sealed in (*codes, *passwords) if sealed)
