"""Answer a repeated uplink id with the first receipt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import tuple_, update
from sqlmodel import col, select

from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.together import Write, write_together
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


# What is known of the id $2 of the watch $1.
KNOWN: Final = "SELECT fingerprint, code, detail FROM uplink WHERE username = $1 AND ref = $2"


async def known_answer(work: UnitOfWork, username: str, ref: str, fingerprint: str) -> Answer | None:
    """Return the receipt for an id that was already used, or None when the id is new.

    Same content: ``duplicate``, or the same rejection. Other content: ``rejected id_conflict``.
    """
    known = await work.fetch(KNOWN, username, ref)
    return answer_of(known[0], fingerprint) if known else None


def answer_of(known: Iterable[Any], fingerprint: str) -> Answer:
    """Return the receipt of a row of `KNOWN` for content with this digest, as :func:`known_answer` does."""
    known_fingerprint, code, detail = known
    # The digest is empty after its purge: the id alone then identifies the retry.
    if known_fingerprint and known_fingerprint != fingerprint:
        return rejected("id_conflict")
    return DUPLICATE if code == "stored" else Answer(code, detail)


async def remember(work: UnitOfWork, username: str, ref: str, *, kind: str, fingerprint: str, answer: Answer) -> Answer:
    """Store the digest and the receipt of this id, and return the receipt.

    If two transactions use the same id, the second fails here (UniqueViolationError) and rolls back; its retry returns
    the first one's receipt.
    """
    await write_together(work, remembered(work, username, ref, kind=kind, fingerprint=fingerprint, answer=answer))
    return answer


_REMEMBER: Final = """
INSERT INTO uplink (username, ref, kind, fingerprint, code, detail, received_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
"""


def remembered(work: UnitOfWork, username: str, ref: str, *, kind: str, fingerprint: str, answer: Answer) -> Write:
    """Return what :func:`remember` writes, to be written together with other rows."""
    return Write((("remembered", _REMEMBER),), (username, ref, kind, fingerprint, answer.code, answer.detail, work.now))


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
