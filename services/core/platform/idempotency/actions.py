"""Answer repeated ids of watches as the first time."""

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
    """The answer to an uplink; ``code`` and ``detail`` are words of the protocol."""

    code: str
    detail: str | None = None


STORED = Answer("stored")
DUPLICATE = Answer("duplicate")


def rejected(detail: str) -> Answer:
    """Return the answer that an uplink was rejected for good."""
    return Answer("rejected", detail)


async def known_answer(work: UnitOfWork, username: str, ref: str, fingerprint: str) -> Answer | None:
    """Return the answer to a repeat of this id, or None when the id is new.

    Same content: ``duplicate``, or the same rejection again. Other content: ``rejected id_conflict``.
    """
    known = await work.session.get(Uplink, (username, ref))
    if known is None:
        return None
    # Empty: it was purged, and the id alone makes it a repeat.
    if known.fingerprint and known.fingerprint != fingerprint:
        return rejected("id_conflict")
    return DUPLICATE if known.code == "stored" else Answer(known.code, known.detail)


async def remember(work: UnitOfWork, username: str, ref: str, *, kind: str, fingerprint: str, answer: Answer) -> Answer:
    """Store the content's digest and the answer for this id, and return the answer.

    Of two transactions with the same id the second fails here (IntegrityError), rolls back, and finds the first's
    answer when it is tried again.
    """
    work.add(
        Uplink(
            username=username, ref=ref, kind=kind, fingerprint=fingerprint, code=answer.code, detail=answer.detail,
            received_at=work.now,
        )
    )  # fmt: skip
    await work.flush()
    return answer


# What docs/privacy.md promises. A watch repeats what has no receipt for at most as long.
FINGERPRINTS_KEPT_FOR: Final = timedelta(days=30)
_BATCH_ROWS: Final = 500


async def purge_one_fingerprint_batch(work: UnitOfWork) -> bool:
    """Clear a batch of digests of what watches sent 30 days ago or earlier; return whether there were any.

    The ids and their answers stay, so that a repeat is still no second message. Safe to run twice, and by many.
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
