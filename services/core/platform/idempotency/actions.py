"""Answer a repeated uplink id with the first receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import tuple_, update
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.tables import Uplink


@dataclass(frozen=True)
class Answer:
    """The receipt of an uplink; ``code`` and ``detail`` are words of the watch protocol."""

    code: str
    detail: str | None = None


STORED = Answer("stored")
DUPLICATE = Answer("duplicate")


def rejected(detail: str) -> Answer:
    """Return the receipt of a permanently rejected uplink."""
    return Answer("rejected", detail)


async def known_answer(work: UnitOfWork, username: str, ref: str, fingerprint: str) -> Answer | None:
    """Return the receipt for an id that was already used, or None when the id is new.

    Same content: ``duplicate``, or the same rejection. Other content: ``rejected id_conflict``.
    """
    known = await work.session.get(Uplink, (username, ref))
    if known is None:
        return None
    # The digest is empty after its purge: the id alone then identifies the retry.
    if known.fingerprint and known.fingerprint != fingerprint:
        return rejected("id_conflict")
    return DUPLICATE if known.code == "stored" else Answer(known.code, known.detail)


async def remember(work: UnitOfWork, username: str, ref: str, *, kind: str, fingerprint: str, answer: Answer) -> Answer:
    """Store the digest and the receipt of this id, and return the receipt.

    If two transactions use the same id, the second fails here (IntegrityError) and rolls back; its retry returns the
    first one's receipt.
    """
    work.add(
        Uplink(
            username=username, ref=ref, kind=kind, fingerprint=fingerprint, code=answer.code, detail=answer.detail,
            received_at=work.now,
        )
    )  # fmt: skip
    await work.flush()
    return answer


# Promised in docs/privacy.md. Watches resend uplinks without a receipt for at most as long.
FINGERPRINTS_KEPT_FOR: Final = timedelta(days=30)
_BATCH_ROWS: Final = 500


async def purge_one_fingerprint_batch(work: UnitOfWork) -> bool:
    """Clear a batch of content digests older than 30 days; return whether there were any.

    Ids and receipts stay, so a retry still creates no second message. Safe to repeat and to run in parallel.
    """
    old = (
        select(Uplink.username, Uplink.ref)
        .where(col(Uplink.fingerprint) != "", col(Uplink.received_at) <= work.now - FINGERPRINTS_KEPT_FOR)
        .limit(_BATCH_ROWS)
        .with_for_update(skip_locked=True)
    )
    purged = await work.run(
        update(Uplink).where(tuple_(col(Uplink.username), col(Uplink.ref)).in_(old)).values(fingerprint="")
    )
    return bool(purged.rowcount)
