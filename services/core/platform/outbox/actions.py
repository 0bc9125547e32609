"""The transactional outbox: write effects with their cause; claim, settle and defer due rows.

A consumer claims a row and commits, makes the effect with no transaction open, then settles or defers the row. The
claim of a killed consumer expires and another consumer repeats the effect, so every effect happens at least once.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, delete, update
from sqlmodel import col

from services.core.platform.crypto.vault import Vault
from services.core.platform.db.database import UnitOfWork
from services.core.platform.db.prepared import object_of_no_session
from services.core.platform.db.together import Write
from services.core.platform.metrics.registry import WAITING_SECONDS, counter, histogram
from services.core.platform.outbox.rules import KINDS, SHORT_PAUSE_MAX_S, Urgency, pause_after
from services.core.platform.outbox.sms import SmsText, WaitingSms, sealed_payload, unseal_payload
from services.core.platform.outbox.tables import OutboxRow

CHANNEL = "outbox"
# The notification of a hello; those of rows name their kind.
GREETING = "greeting"
# The kind of a text message that is discarded unsent.
DECOY = "decoy"
_WAITED = histogram(
    "outbox_seconds", "From the cause of an effect to its end, by kind.", bounds_s=WAITING_SECONDS, kind=KINDS
)
_DEFERRED = counter("outbox_deferrals", "Effects that failed and are due again later, by kind.", kind=KINDS)
_COLUMNS: Final = ", ".join(OutboxRow.model_fields)
# Which row comes next; $1: kinds, $2: the least urgency, $3: now.
_NEXT: Final = """
SELECT outbox_id FROM outbox
 WHERE kind = ANY($1) AND priority <= $2 AND available_at <= $3 AND (claimed_until IS NULL OR claimed_until <= $3)
 ORDER BY priority, available_at, outbox_id LIMIT {rows_max} FOR NO KEY UPDATE SKIP LOCKED
"""


def _of_next(change: str, rows_max: str) -> str:
    """Return a statement that changes the next rows. ARRAY(...) is evaluated once: what it locks is what changes."""
    return f"{change} WHERE outbox_id = ANY(ARRAY({_NEXT.format(rows_max=rows_max)})) RETURNING {_COLUMNS}"


_CLAIM: Final = _of_next("UPDATE outbox SET attempts = attempts + 1, claimed_until = $4", "1")
_TAKE: Final = _of_next("DELETE FROM outbox", "$4")
# A consumer that loses so many races for rows leaves the rest to the others.
_CLAIM_TRIES = 5


class Effect(NamedTuple):
    """A row of the outbox that is not written yet."""

    kind: str
    target: str
    payload: dict[str, Any] = {}  # noqa: RUF012 - nothing changes it
    urgency: Urgency = Urgency.NORMAL


async def notify_watch(work: UnitOfWork, username: str, *, back: bool = False) -> None:
    """Queue a comparison of this identity's current state with what was sent to it; a bridge sends the difference.

    The row does not say what to send: later changes are sent with it, and a second row then sends nothing. ``back``
    informs the guardians that the watch is online again.
    """
    await _queue(work, "watch", username, {"back": True} if back else {})


def watch_notice(username: str) -> Effect:
    """Return the row of :func:`notify_watch`, for a statement that writes it with its cause."""
    return Effect("watch", username)


# A row of the outbox for each given watch for whose child an item waits; $1: user names, $2: children, $3: now,
# $4: urgency, $5: items that this statement settles. What waits later has a row of its own.
_NOTICES: Final = (
    (
        "notice",
        (
            "INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)"
            " SELECT 'watch', username, '{}'::jsonb, $4::smallint, $3::timestamptz, $3::timestamptz, 0"
            " FROM unnest($1::text[], $2::uuid[]) AS given(username, child_id)"
            " WHERE EXISTS (SELECT FROM inbox_item AS other WHERE other.child_id = given.child_id"
            " AND other.state = 'waiting' AND other.inbox_item_id <> ALL($5::uuid[])) RETURNING target"
        ),
    ),
)


def notices_of_waiting(
    work: UnitOfWork, children: Mapping[str, uuid.UUID], settled: Collection[uuid.UUID]
) -> Write:  # fmt: skip
    """Return what queues as :func:`notify_watch` does for those of these watches for whom another item waits.

    ``children``: the child of each user name; ``settled``: items that the same statement settles. The caller holds the
    identities locked and calls :func:`wake_bridges` where the part ``notice`` has rows.
    """
    return Write(_NOTICES, (list(children), list(children.values()), work.now, Urgency.NORMAL, list(settled)))


def wake_bridges(work: UnitOfWork) -> None:
    """Wake a claimer of watches' rows after the commit."""
    work.notify(CHANNEL, "watch")


async def greet_watches(work: UnitOfWork, usernames: Sequence[str]) -> None:
    """Queue ``down/time`` and what else is due for watches that said hello: one statement, and one wake-up.

    The time is sent at once, all else after the rows of messages.
    """
    if usernames:
        await work.fetch(_INSERT, "watch", list(usernames), '{"greet": true}', Urgency.AFTER_HELLO, work.now)
        work.notify(CHANNEL, GREETING)


async def notify_factory(work: UnitOfWork, serial: str) -> None:
    """Queue the pairing state of ``serial`` for its factory identity."""
    await _queue(work, "factory", serial, {})


async def notify_factories(work: UnitOfWork, serials: Sequence[str]) -> None:
    """Queue the pairing states of many factory identities: one statement for the rows, one for the wake-up."""
    if serials:
        await work.fetch(_INSERT, "factory", list(serials), "{}", Urgency.NORMAL, work.now)
        work.notify(CHANNEL, "factory")


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
    await _queue(work, *rendition_request(clip_id, form, max_bytes))


def rendition_request(clip_id: uuid.UUID, form: str, max_bytes: int = 0) -> Effect:
    """Return the row of :func:`request_rendition`, for a statement that writes it with its cause."""
    return Effect("clip", str(clip_id), {"form": form, "max_bytes": max_bytes})


def phones_notice(family_id: uuid.UUID, urgency: Urgency) -> Effect:
    """Return the row that fans an event of the family out to the push endpoints of its recipients.

    The statement that numbers the event adds ``{"seq": ...}`` to the payload.
    """
    return Effect("wake", str(family_id), urgency=urgency)


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
    await work.fetch(_INSERT, kind, [target], json.dumps(payload), urgency, work.now)
    work.notify(CHANNEL, kind)


# Rows of one kind and payload for any number of targets.
_INSERT: Final = (
    "INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)"
    " SELECT $1, target, $3::text::jsonb, $4, $5::timestamptz, $5::timestamptz, 0 FROM unnest($2::text[]) AS target"
)


async def claim(
    work: UnitOfWork, kinds: Collection[str], *, lease: timedelta, at_least: Urgency = Urgency.NORMAL
) -> OutboxRow | None:
    """Claim the most urgent, then oldest, due row of these kinds for the length of ``lease``; None when none is due.

    The caller commits at once, so that a claim needs neither BEGIN nor COMMIT. Rows less urgent than ``at_least`` are
    ignored. ``lease`` must exceed the deadline of the effect; otherwise a second consumer repeats an effect that is
    still running.
    """
    rows = await work.fetch_last(_CLAIM, list(kinds), at_least.value, work.now, work.now + lease)
    # It belongs to no session: what becomes of it is written by statements of their own.
    return object_of_no_session(OutboxRow, rows[0]) if rows else None


async def take(work: UnitOfWork, kinds: Collection[str], *, rows_max: int) -> list[OutboxRow]:
    """Settle up to ``rows_max`` due rows of these kinds, the most urgent first, and return them.

    For effects that are rows of this database: the caller writes them in the same transaction, so no claim is needed. A
    rollback leaves the rows due.
    """
    rows = await work.fetch(_TAKE, list(kinds), Urgency.NORMAL.value, work.now, rows_max)
    claimed = [object_of_no_session(OutboxRow, row) for row in rows]
    claimed.sort(key=lambda row: (row.priority, row.available_at, row.outbox_id))
    for row in claimed:
        _WAITED.observe((work.now - row.created_at).total_seconds(), kind=row.kind)
    return claimed


# The first due rows, none of a target that has a claimed row, and the locks of their targets, which are acquired in the
# order of their keys, so that two consumers never wait for each other. $1: kinds, $2: now, $3: targets to leave out.
_LOCK_FIRST: Final = """
WITH first AS MATERIALIZED (
 SELECT outbox_id, target, kind, priority, available_at FROM outbox AS waiting
 WHERE kind = ANY($1) AND available_at <= $2 AND (claimed_until IS NULL OR claimed_until <= $2)
  AND target <> ALL($3::text[])
  AND NOT EXISTS (SELECT FROM outbox AS sibling WHERE sibling.target = waiting.target AND sibling.kind = ANY($1)
   AND sibling.outbox_id <> waiting.outbox_id AND sibling.claimed_until > $2)
 ORDER BY priority, available_at, outbox_id LIMIT $4 FOR NO KEY UPDATE OF waiting SKIP LOCKED
), locked AS MATERIALIZED (
 SELECT pg_advisory_xact_lock(key) FROM (
  SELECT DISTINCT hashtextextended('outbox/' || target, 0) AS key FROM first ORDER BY key) AS keys
)
SELECT outbox_id, target, kind FROM first, (SELECT count(*) FROM locked) AS all_locked
ORDER BY priority, available_at, outbox_id
"""
_CLAIM_FIRST: Final = f"""
UPDATE outbox AS waiting SET attempts = attempts + 1, claimed_until = $4::timestamptz
 WHERE outbox_id = ANY($3::bigint[]) AND NOT EXISTS (
  SELECT FROM outbox AS sibling WHERE sibling.target = waiting.target AND sibling.kind = ANY($1)
   AND sibling.outbox_id <> waiting.outbox_id AND (sibling.claimed_until > $2 OR (sibling.available_at <= $2
    AND (sibling.priority, sibling.available_at, sibling.outbox_id)
     < (waiting.priority, waiting.available_at, waiting.outbox_id))))
 RETURNING {", ".join(f"waiting.{name}" for name in OutboxRow.model_fields)}
"""  # noqa: S608 - names of our own columns


async def claim_in_order(
    work: UnitOfWork, kinds: Collection[str], *, lease: timedelta, rows_max: int = 1
) -> list[OutboxRow]:
    """Claim up to ``rows_max`` due rows as :func:`claim` does, each of another target, and return them in their order.

    Only a target's first due row is claimed, and no row of a target that has a claimed row.
    """
    passed_over: list[str] = []
    for _ in range(_CLAIM_TRIES):
        candidates = await work.fetch(_LOCK_FIRST, list(kinds), work.now, passed_over, rows_max)
        if not candidates:
            return []
        first_of_target: dict[str, int] = {}
        for outbox_id, target, _kind in candidates:
            first_of_target.setdefault(target, outbox_id)
        # Two consumers may have chosen two rows of one target at the same time: its lock serialises their checks, and
        # the consumer of the later row leaves it, whichever of them gets the lock first.
        claimed = await work.fetch(
            _CLAIM_FIRST, list(kinds), work.now, list(first_of_target.values()), work.now + lease
        )
        if len(claimed) < len(first_of_target):
            # Meanwhile the consumer of an earlier row may have looked and found the later one locked: look again.
            work.notify(CHANNEL, *dict.fromkeys(kind for _outbox_id, _target, kind in candidates))
        if claimed:
            rows = [object_of_no_session(OutboxRow, row) for row in claimed]
            return sorted(rows, key=lambda row: (row.priority, row.available_at, row.outbox_id))
        passed_over += first_of_target
    return []


class Greeting(NamedTuple):
    """A claimed row of a watch that said hello; ``attempts`` fences the claim."""

    outbox_id: int
    username: str
    attempts: int


_CLAIM_GREETINGS: Final = """
UPDATE outbox SET attempts = attempts + 1, claimed_until = $2::timestamptz
WHERE outbox_id IN (
 SELECT outbox_id FROM outbox WHERE kind = 'watch' AND payload ? 'greet' AND available_at <= $1
  AND (claimed_until IS NULL OR claimed_until <= $1)
 ORDER BY outbox_id LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED)
RETURNING outbox_id, target, attempts
"""
_RELEASE_GREETINGS: Final = """
UPDATE outbox SET payload = payload - $3::text[], attempts = outbox.attempts - 1, claimed_until = NULL
FROM unnest($1::bigint[], $2::int[]) AS claim(outbox_id, attempts)
WHERE outbox.outbox_id = claim.outbox_id AND outbox.attempts = claim.attempts
"""


async def claim_greetings(work: UnitOfWork, *, lease: timedelta, rows_max: int) -> list[Greeting]:
    """Claim due rows of watches that said hello, oldest first, so that the time is sent before anything else.

    During a storm of hellos a complete row costs milliseconds, sending the time alone almost nothing.
    """
    rows = await work.fetch(_CLAIM_GREETINGS, work.now, work.now + lease, rows_max)
    return sorted(Greeting(*row) for row in rows)


async def settle_greetings(work: UnitOfWork, greetings: Collection[Greeting]) -> None:
    """Release rows whose time was sent; their other effects are due now. Rows claimed since by others are skipped."""
    await _release_greetings(work, greetings, without=["greet"])
    work.notify(CHANNEL, "watch")


async def release_greetings(work: UnitOfWork, greetings: Collection[Greeting]) -> None:
    """Release rows whose time was not sent: they are due at once, without counting an attempt."""
    await _release_greetings(work, greetings, without=[])
    work.notify(CHANNEL, GREETING)


async def _release_greetings(work: UnitOfWork, greetings: Collection[Greeting], *, without: list[str]) -> None:
    await work.fetch(
        _RELEASE_GREETINGS, [row.outbox_id for row in greetings], [row.attempts for row in greetings], without
    )  # fmt: skip


_PAYLOADS: Final = (
    (
        "payloads",
        (
            "UPDATE outbox SET payload = given.payload::jsonb"
            " FROM unnest($1::bigint[], $2::text[]) AS given(outbox_id, payload)"
            " WHERE outbox.outbox_id = given.outbox_id"
        ),
    ),
)


def payloads(rows: Collection[OutboxRow]) -> Write:
    """Return what writes the payloads of rows that this transaction has claimed."""
    return Write(_PAYLOADS, ([row.outbox_id for row in rows], [json.dumps(row.payload) for row in rows]))


# Attempts are counted by claims: the number fences a consumer that was frozen while another one claimed the row.
_AS_CLAIMED: Final = """
FROM unnest($1::bigint[], $2::int[]) AS claim(outbox_id, attempts)
WHERE outbox.outbox_id = claim.outbox_id AND outbox.attempts = claim.attempts
"""


async def release_all(work: UnitOfWork, rows: Collection[OutboxRow]) -> None:
    """Release claims as :func:`release` does."""
    if rows:
        await work.fetch(
            f"UPDATE outbox SET attempts = outbox.attempts - 1, claimed_until = NULL {_AS_CLAIMED}",  # noqa: S608
            [row.outbox_id for row in rows], [row.attempts for row in rows],
        )  # fmt: skip


async def settle_all(work: UnitOfWork, rows: Collection[OutboxRow]) -> None:
    """Delete rows as :func:`settle` does."""
    if not rows:
        return
    await work.fetch_last(
        f"DELETE FROM outbox {_AS_CLAIMED.replace('FROM', 'USING', 1)}",  # noqa: S608
        [row.outbox_id for row in rows], [row.attempts for row in rows],
    )  # fmt: skip
    for row in rows:
        _WAITED.observe((work.now - row.created_at).total_seconds(), kind=row.kind)


# $3: kinds, $4: now.
_SETTLE_AND_LOOK: Final = f"""
WITH gone AS (DELETE FROM outbox {_AS_CLAIMED.replace("FROM", "USING", 1)})
SELECT EXISTS (SELECT FROM outbox WHERE kind = ANY($3::text[]) AND available_at <= $4
 AND (claimed_until IS NULL OR claimed_until <= $4) AND outbox_id <> ALL($1))
"""  # noqa: S608 - parts of our own


async def settle_and_look(work: UnitOfWork, rows: Collection[OutboxRow], kinds: Collection[str]) -> bool:
    """Delete rows as :func:`settle_all` does; return whether another row of these kinds seems to be due.

    What becomes due later is announced by its own notification, so that nobody has to look again.
    """
    found = await work.fetch_last(
        _SETTLE_AND_LOOK, [row.outbox_id for row in rows], [row.attempts for row in rows], list(kinds), work.now
    )  # fmt: skip
    for row in rows:
        _WAITED.observe((work.now - row.created_at).total_seconds(), kind=row.kind)
    return bool(found[0][0])


async def release(work: UnitOfWork, row: OutboxRow) -> None:
    """Release a claim without counting an attempt: the row is due at once."""
    values = {"attempts": row.attempts - 1, "claimed_until": None}
    await work.run(update(OutboxRow).where(*_is_claimed_as(row)).values(**values))


async def settle(work: UnitOfWork, row: OutboxRow) -> None:
    """Delete a row after its effect, at the end of a transaction, which may be this statement alone.

    A row that another consumer has claimed since is left to that consumer.
    """
    await settle_all(work, [row])


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
