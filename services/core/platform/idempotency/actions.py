"""Judge the ids that watches make."""

from __future__ import annotations

from dataclasses import dataclass

from services.core.platform.db.database import UnitOfWork
from services.core.platform.idempotency.tables import Uplink


@dataclass(frozen=True)
class Answer:
    """What a watch is told about an uplink; ``code`` and ``detail`` are words of the protocol."""

    code: str
    detail: str | None = None


STORED = Answer("stored")
DUPLICATE = Answer("duplicate")


def rejected(detail: str) -> Answer:
    """Return the answer that something was not and will not be taken."""
    return Answer("rejected", detail)


async def known_answer(work: UnitOfWork, username: str, ref: str, fingerprint: str) -> Answer | None:
    """Return what a repeat of this id gets, or None when the id is new.

    Same content: ``duplicate``, or the same rejection again. Other content: ``rejected id_conflict``.
    """
    known = await work.session.get(Uplink, (username, ref))
    if known is None:
        return None
    if known.fingerprint != fingerprint:
        return rejected("id_conflict")
    return DUPLICATE if known.code == "stored" else Answer(known.code, known.detail)


async def remember(work: UnitOfWork, username: str, ref: str, *, kind: str, fingerprint: str, answer: Answer) -> Answer:
    """Keep what this id stood for and return the answer.

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
