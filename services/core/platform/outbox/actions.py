"""Write what must be told, in the transaction of its cause; claim what is due."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.outbox.tables import OutboxRow

CHANNEL = "outbox"
# The kind of a text message that goes nowhere.
DECOY = "decoy"


async def notify_watch(work: UnitOfWork, username: str, *, greet: bool = False, back: bool = False) -> None:
    """Have a bridge look at what this identity should know and does not, and tell it.

    The row says "look", not what to send: what changed in between is told with it, and a repeat finds nothing to do.
    ``greet`` adds ``down/time``, the answer to hello; ``back`` has the guardians told that the watch is there again.
    """
    await _tell(work, "watch", username, {name: True for name, asked in (("greet", greet), ("back", back)) if asked})


async def notify_factory(work: UnitOfWork, serial: str) -> None:
    """Have a bridge tell the factory identity of ``serial`` how its pairing stands."""
    await _tell(work, "factory", serial, {})


async def send_sms(work: UnitOfWork, phone: str, locale: str, text: str, *, decoy: bool = False) -> None:
    """Have the worker send a text message; number and text are sealed until then.

    A ``decoy`` is written like any other and never sent: whoever asks cannot tell by the time which of them it was.
    """
    sealed = work.vault.seal(f"{phone}\x00{locale}\x00{text}".encode(), "sms")
    await _tell(work, DECOY if decoy else "sms", "", {"sealed": sealed.hex()})


async def request_rendition(work: UnitOfWork, clip_id: uuid.UUID, form: str, max_bytes: int = 0) -> None:
    """Have a worker decode a clip and make a form of it (at most ``max_bytes``; 0: as good as it gets)."""
    await _tell(work, "clip", str(clip_id), {"form": form, "max_bytes": max_bytes})


async def notify_phones(work: UnitOfWork, family_id: uuid.UUID, seq: int) -> None:
    """Have the worker look whom the family's event ``seq`` wakes, and at which endpoints."""
    await _tell(work, "wake", str(family_id), {"seq": seq})


async def queue_push(work: UnitOfWork, endpoint_id: uuid.UUID, note: dict[str, str]) -> None:
    """Have the worker send a note of ids and words to one push endpoint."""
    await _tell(work, "push", str(endpoint_id), note)


def unseal_sms(work: UnitOfWork, row: OutboxRow) -> tuple[str, str, str]:
    """Return phone, locale and text of an SMS row."""
    phone, locale, text = work.vault.unseal(bytes.fromhex(row.payload["sealed"]), "sms").decode().split("\x00", 2)
    return phone, locale, text


async def _tell(work: UnitOfWork, kind: str, target: str, payload: dict[str, Any]) -> None:
    work.add(OutboxRow(kind=kind, target=target, payload=payload, created_at=work.now, available_at=work.now))
    await work.notify(CHANNEL, kind)


async def claim(work: UnitOfWork, kinds: Collection[str]) -> OutboxRow | None:
    """Return the oldest due row of these kinds, locked for this transaction, or None; others skip it meanwhile."""
    found = await work.session.exec(
        select(OutboxRow)
        .where(col(OutboxRow.kind).in_(kinds), col(OutboxRow.available_at) <= work.now)
        .order_by(col(OutboxRow.available_at), col(OutboxRow.outbox_id))
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    return found.first()


async def done(work: UnitOfWork, row: OutboxRow) -> None:
    """Forget a row that was told."""
    await work.session.delete(row)


def defer(work: UnitOfWork, row: OutboxRow) -> None:
    """Try a claimed row again later: after 1, 2, 4 ... seconds, at most 5 minutes."""
    row.attempts += 1
    # The exponent is bounded, too: a row may have been tried for weeks.
    row.available_at = work.now + timedelta(seconds=min(2 ** min(row.attempts - 1, 9), 300))
    work.add(row)


async def defer_by_id(work: UnitOfWork, outbox_id: int) -> None:
    """Put off a row whose own transaction failed; one that is gone or claimed again is left alone."""
    row = await work.session.get(OutboxRow, outbox_id, with_for_update={"skip_locked": True})
    if row is not None:
        defer(work, row)
