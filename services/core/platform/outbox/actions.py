"""The transactional outbox: write effects with their cause; claim, settle and defer due rows.

A consumer claims a row and commits, makes the effect with no transaction open, then settles or defers the row. The
claim of a killed consumer expires and another consumer repeats the effect, so every effect happens at least once.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, literal_column, or_, text, tuple_, update
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col, exists, select

from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import UnitOfWork
from services.core.platform.metrics.registry import WAITING_SECONDS, counter, histogram
from services.core.platform.outbox.rules import KINDS, SHORT_PAUSE_MAX_S, Urgency, pause_after
from services.core.platform.outbox.sms import SmsText, WaitingSms, sealed_payload, unseal_payload
from services.core.platform.outbox.tables import OutboxRow

CHANNEL = "outbox"
# The kind of a text message that is discarded unsent.
DECOY = "decoy"
_WAITED = histogram(
    "outbox_seconds", "From the cause of an effect to its end, by kind.", bounds_s=WAITING_SECONDS, kind=KINDS
)
_DEFERRED = counter("outbox_deferrals", "Effects that failed and are due again later, by kind.", kind=KINDS)
# A consumer that loses so many races for rows leaves the rest to the others.
_CLAIM_TRIES = 5


async def notify_watch(work: UnitOfWork, username: str, *, back: bool = False) -> None:
    """Queue a comparison of this identity's current state with what was sent to it; a bridge sends the difference.

    The row does not say what to send: later changes are sent with it, and a second row then sends nothing. ``back``
    informs the guardians that the watch is online again.
    """
    await _queue(work, "watch", username, {"back": True} if back else {})


async def greet_watches(work: UnitOfWork, usernames: Sequence[str]) -> None:
    """Queue ``down/time`` and what else is due for watches that said hello: one statement, and one wake-up."""
    if usernames:
        work.add(*(_row(work, "watch", username, {"greet": True}, Urgency.NORMAL) for username in usernames))
        await work.notify(CHANNEL, "watch")


async def notify_factory(work: UnitOfWork, serial: str) -> None:
    """Queue the pairing state of ``serial`` for its factory identity."""
    await _queue(work, "factory", serial, {})


async def notify_factories(work: UnitOfWork, serials: Sequence[str]) -> None:
    """Queue the pairing states of many factory identities: one statement for the rows, one for the wake-up."""
    if serials:
        work.add(*(_row(work, "factory", serial, {}, Urgency.NORMAL) for serial in serials))
        await work.notify(CHANNEL, "factory")


async def send_sms(
    work: UnitOfWork, phone: str, content: SmsText, *, urgency: Urgency = Urgency.NORMAL, decoy: bool = False,
    target: str = "",
) -> None:  # fmt: skip
    """Queue a text message; number (E.164), text, kind and parameters are sealed in the row.

    A ``decoy`` is written like any other message and discarded by the worker, so that the response time of the caller
    does not depend on whether the number is known. ``target`` is an id by which waiting messages can be discarded.
    """
    await _queue(work, DECOY if decoy else "sms", target, sealed_payload(work.vault, phone, content), urgency)


async def discard_sms(work: UnitOfWork, targets: Collection[str]) -> None:
    """Delete the text messages for these targets that wait; one that is being sent at this moment is sent."""
    if targets:
        await work.run(delete(OutboxRow).where(col(OutboxRow.kind) == "sms", col(OutboxRow.target).in_(targets)))


async def request_rendition(work: UnitOfWork, clip_id: uuid.UUID, form: str, max_bytes: int = 0) -> None:
    """Queue the decoding of an audio asset and its rendition in ``form``, at most ``max_bytes`` (0: unlimited)."""
    await _queue(work, "clip", str(clip_id), {"form": form, "max_bytes": max_bytes})


async def notify_phones(work: UnitOfWork, family_id: uuid.UUID, seq: int, urgency: Urgency = Urgency.NORMAL) -> None:
    """Queue the fan-out of the family's event ``seq`` to the push endpoints of its recipients."""
    await _queue(work, "wake", str(family_id), {"seq": seq}, urgency)


async def queue_push(
    work: UnitOfWork, endpoint_id: uuid.UUID, note: dict[str, str], urgency: Urgency = Urgency.NORMAL
) -> None:
    """Queue a push notification of ids and words for one push endpoint."""
    await _queue(work, "push", str(endpoint_id), note, urgency)


def unseal_sms(vault: Vault, row: OutboxRow) -> WaitingSms:
    """Return the message of an SMS row, of whichever age; raises SealBrokenError."""
    return unseal_payload(vault, row.payload, row.outbox_id)


async def _queue(
    work: UnitOfWork, kind: str, target: str, payload: dict[str, Any], urgency: Urgency = Urgency.NORMAL
) -> None:
    work.add(_row(work, kind, target, payload, urgency))
    await work.notify(CHANNEL, kind)


def _row(work: UnitOfWork, kind: str, target: str, payload: dict[str, Any], urgency: Urgency) -> OutboxRow:
    return OutboxRow(
        kind=kind, target=target, payload=payload, priority=urgency, created_at=work.now, available_at=work.now
    )


async def claim(
    work: UnitOfWork, kinds: Collection[str], *, lease: timedelta, at_least: Urgency = Urgency.NORMAL
) -> OutboxRow | None:
    """Claim the most urgent, then oldest, due row of these kinds for the length of ``lease``; None when none is due.

    The claim holds once the caller has committed. Rows less urgent than ``at_least`` are ignored. ``lease`` must exceed
    the deadline of the effect; otherwise a second consumer repeats an effect that is still running.
    """
    return await _claim(work, lease, col(OutboxRow.kind).in_(kinds), col(OutboxRow.priority) <= at_least)


async def claim_in_order(work: UnitOfWork, kinds: Collection[str], *, lease: timedelta) -> OutboxRow | None:
    """Like :func:`claim`, but only a target's first due row, and no row of a target that has a claimed row."""
    sibling = aliased(OutboxRow)
    is_sibling = and_(
        col(sibling.target) == col(OutboxRow.target), col(sibling.kind).in_(kinds),
        col(sibling.outbox_id) != col(OutboxRow.outbox_id),
    )  # fmt: skip
    is_claimed = col(sibling.claimed_until) > work.now
    is_earlier = and_(
        col(sibling.available_at) <= work.now, tuple_(*_order_of(sibling)) < tuple_(*_order_of(OutboxRow))
    )
    is_busy = exists().where(is_sibling, is_claimed)
    is_behind = exists().where(is_sibling, or_(is_claimed, is_earlier))
    conditions = [col(OutboxRow.kind).in_(kinds), ~is_busy]
    for _ in range(_CLAIM_TRIES):
        row = await _claim(work, lease, *conditions)
        if row is None:
            return None
        # Two consumers may have chosen two rows of one target at the same time: the lock serialises their checks, and
        # the consumer of the later row releases it, whichever of them gets the lock first.
        await work.run(
            text("SELECT pg_advisory_xact_lock(hashtextextended('outbox/' || :target, 0))"), {"target": row.target}
        )
        is_ours = await work.session.exec(select(~is_behind).where(col(OutboxRow.outbox_id) == row.outbox_id))
        if is_ours.first():
            return row
        await release(work, row)
        conditions.append(col(OutboxRow.target) != row.target)
    return None


def _order_of(row: type[OutboxRow]) -> tuple[Mapped[int], Mapped[datetime], Mapped[int | None]]:
    return col(row.priority), col(row.available_at), col(row.outbox_id)


async def _claim(work: UnitOfWork, lease: timedelta, *conditions: ColumnElement[bool]) -> OutboxRow | None:
    rows = await work.session.exec(
        select(OutboxRow)
        .where(
            *conditions,
            col(OutboxRow.available_at) <= work.now,
            or_(col(OutboxRow.claimed_until).is_(None), col(OutboxRow.claimed_until) <= work.now),
        )
        .order_by(*_order_of(OutboxRow))
        .limit(1)
        .with_for_update(of=OutboxRow, key_share=True, skip_locked=True)
    )
    row = rows.first()
    if row is not None:
        row.attempts += 1
        row.claimed_until = work.now + lease
        work.add(row)
        await work.flush()
    return row


async def claim_greetings(work: UnitOfWork, *, lease: timedelta, rows_max: int) -> list[OutboxRow]:
    """Claim due rows of watches that said hello, oldest first, so that the time is sent before anything else.

    During a storm of hellos a complete row costs tens of milliseconds, sending the time alone almost nothing.
    """
    rows = await work.session.exec(
        select(OutboxRow)
        .where(
            col(OutboxRow.kind) == "watch",
            text("payload ? 'greet'"),
            col(OutboxRow.available_at) <= work.now,
            or_(col(OutboxRow.claimed_until).is_(None), col(OutboxRow.claimed_until) <= work.now),
        )
        .order_by(col(OutboxRow.outbox_id))
        .limit(rows_max)
        .with_for_update(of=OutboxRow, key_share=True, skip_locked=True)
    )
    claimed = list(rows)
    for row in claimed:
        row.attempts += 1
        row.claimed_until = work.now + lease
        work.add(row)
    return claimed


async def settle_greetings(work: UnitOfWork, rows: Collection[OutboxRow]) -> None:
    """Release rows whose time was sent; their other effects are due now. Rows claimed since by others are skipped."""
    claims = tuple_(col(OutboxRow.outbox_id), col(OutboxRow.attempts))
    await work.run(
        update(OutboxRow)
        .where(claims.in_([(row.outbox_id, row.attempts) for row in rows]))
        .values(
            payload=literal_column("payload - 'greet'"), attempts=col(OutboxRow.attempts) - 1, claimed_until=None
        )
    )  # fmt: skip
    await work.notify(CHANNEL, "watch")


async def awaits_greeting(work: UnitOfWork, username: str) -> bool:
    """Return whether a hello of this user has not been answered with the time yet."""
    rows = await work.session.exec(
        select(OutboxRow.outbox_id)
        .where(col(OutboxRow.kind) == "watch", col(OutboxRow.target) == username, text("payload ? 'greet'"))
        .limit(1)
    )
    return rows.first() is not None


async def release(work: UnitOfWork, row: OutboxRow) -> None:
    """Release a claim without counting an attempt: the row is due at once."""
    values = {"attempts": row.attempts - 1, "claimed_until": None}
    await work.run(update(OutboxRow).where(*_is_claimed_as(row)).values(**values))


async def settle(work: UnitOfWork, row: OutboxRow) -> None:
    """Delete a row after its effect. A row that another consumer has claimed since is left to that consumer."""
    await work.run(delete(OutboxRow).where(*_is_claimed_as(row)))
    _WAITED.observe((work.now - row.created_at).total_seconds(), kind=row.kind)


async def defer(work: UnitOfWork, row: OutboxRow) -> None:
    """Release a claimed row whose effect failed; it is due again after a pause that doubles with each attempt.

    A row that was deleted, or that another consumer has claimed since, stays unchanged.
    """
    await _defer(work, row, pause_after(row.attempts))


async def defer_briefly(work: UnitOfWork, row: OutboxRow) -> None:
    """Like :func:`defer`, but for 15 s at most: for an urgent effect that surely was not made."""
    await _defer(work, row, pause_after(row.attempts, SHORT_PAUSE_MAX_S))


async def _defer(work: UnitOfWork, row: OutboxRow, pause: timedelta) -> None:
    values = {"available_at": work.now + pause, "claimed_until": None}
    await work.run(update(OutboxRow).where(*_is_claimed_as(row)).values(**values))
    _DEFERRED.count(kind=row.kind)


def _is_claimed_as(row: OutboxRow) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    # Attempts are counted by claims: the number fences a consumer that was frozen while another one claimed the row.
    return col(OutboxRow.outbox_id) == row.outbox_id, col(OutboxRow.attempts) == row.attempts


async def defer_by_id(work: UnitOfWork, outbox_id: int) -> None:
    """Defer a row whose claim was rolled back with its transaction; a row deleted or claimed since is unchanged."""
    row = await work.session.get(OutboxRow, outbox_id, with_for_update={"skip_locked": True})
    if row is not None and (row.claimed_until is None or row.claimed_until <= work.now):
        row.attempts += 1
        row.available_at = work.now + pause_after(row.attempts)
        work.add(row)
        _DEFERRED.count(kind=row.kind)
