"""The rows that the product writes for a voice message, an SOS and a hello, by prepared statements and nothing else.

The product's checks are made as statements too: the standing watch, the known id, the recipients and their consent.
Rows of the outbox are deleted in a transaction of their own, as their consumers do.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from tests.bench.end_to_end.relayed import Clip

_SEALED: Final = bytes(93)
_LOCK: Final = """
SELECT i.username, i.child_id, i.family_id, i.watch_id, i.hello, p.last_seen_at
  FROM watch_identity i JOIN watch_presence p USING (username)
 WHERE i.username = ANY($1::text[]) AND i.ended_at IS NULL ORDER BY i.username FOR NO KEY UPDATE
"""
_SEEN: Final = (
    "UPDATE watch_presence SET last_seen_at = $2::timestamptz WHERE username = ANY($1::text[])"
    " AND (last_seen_at IS NULL OR last_seen_at < $2::timestamptz - interval '1 minute')"
)
_KNOWN: Final = "SELECT fingerprint, code, detail FROM uplink WHERE username = $1 AND ref = $2"
_REMEMBER: Final = (
    "INSERT INTO uplink (username, ref, kind, fingerprint, code, received_at) VALUES ($1, $2, $3, $4, 'stored', $5)"
)
_RECIPIENTS: Final = """
SELECT n.guardian_id, n.wire_id FROM contact n JOIN child k USING (child_id)
  JOIN membership m ON m.family_id = k.family_id AND m.guardian_id = n.guardian_id
 WHERE n.child_id = $1 AND n.removed_at IS NULL AND n.state = 'approved' AND m.removed_at IS NULL AND m.may_message
   AND EXISTS (SELECT FROM consent c WHERE c.family_id = k.family_id AND c.part = 'messages'
     AND c.guardian_id = n.guardian_id AND c.withdrawn_at IS NULL)
"""
_CHUNKS_READ: Final = """
SELECT uplink.ref IS NOT NULL, clip_chunk.size_bytes, audio_upload.size_bytes, audio_upload_total.size_bytes,
       child.wrapped_key
  FROM unnest($1::text[], $2::text[], $3::int[], $4::uuid[]) AS given(username, ref, number, child_id)
  JOIN child ON child.child_id = given.child_id
  LEFT JOIN uplink USING (username, ref) LEFT JOIN clip_chunk USING (username, ref, number)
  LEFT JOIN audio_upload USING (username, ref) LEFT JOIN audio_upload_total USING (username)
"""
_CHUNKS: Final = """
INSERT INTO clip_chunk (username, ref, number, size_bytes, sealed_sound, received_at)
SELECT *, $6::timestamptz FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::bytea[])
ON CONFLICT (username, ref, number) DO UPDATE SET sealed_sound = excluded.sealed_sound
"""
_UPLOADS: Final = """
WITH upload AS (
 INSERT INTO audio_upload (username, ref, size_bytes, received_at)
 SELECT username, ref, sum(size), $4::timestamptz
 FROM unnest($1::text[], $2::text[], $3::int[]) AS g(username, ref, size) GROUP BY 1, 2
 ON CONFLICT (username, ref) DO UPDATE SET size_bytes = audio_upload.size_bytes + excluded.size_bytes
)
INSERT INTO audio_upload_total (username, size_bytes)
SELECT username, sum(size) FROM unnest($1::text[], $3::int[]) AS g(username, size) GROUP BY 1
ON CONFLICT (username) DO UPDATE SET size_bytes = audio_upload_total.size_bytes + excluded.size_bytes
"""
_ASSEMBLE: Final = "SELECT number, sealed_sound FROM clip_chunk WHERE username = $1 AND ref = $2 ORDER BY number"
_DROP_CHUNKS: Final = """
WITH upload AS (DELETE FROM audio_upload WHERE username = $1 AND ref = $2 RETURNING size_bytes),
 chunks AS (DELETE FROM clip_chunk WHERE username = $1 AND ref = $2)
UPDATE audio_upload_total SET size_bytes = audio_upload_total.size_bytes - upload.size_bytes FROM upload
WHERE username = $1
"""
_RESERVE: Final = (
    "INSERT INTO blob (blob_id, child_id, state, size_bytes, sha256, created_at, changed_at)"
    " VALUES ($1, $2, 'writing', $3, $4, $5, $5)"
)
_CLIP: Final = """
WITH kept AS (
 UPDATE blob SET state = 'kept', changed_at = $7 WHERE blob_id = $3 AND state <> 'leaving' RETURNING blob_id)
INSERT INTO clip (clip_id, child_id, blob_id, size_bytes, sha256, claimed_codec, claimed_ms, state, tries, created_at)
SELECT $1, $2, blob_id, $4, $5, 'amr-nb', $6, 'raw', 0, $7 FROM kept
"""
_MESSAGE: Final = """
WITH numbered AS (UPDATE child SET message_seq = message_seq + 1 WHERE child_id = $2 RETURNING message_seq),
 stored AS (
 INSERT INTO message (message_id, child_id, seq, direction, kind, username, ref, fingerprint, sealed_body, clip_id,
  sent_at, received_at, expires_at)
 SELECT $1, $2, message_seq, 'to_family', 'voice', $3, $4, $5, $6, $7, $8, $8, $9 FROM numbered)
INSERT INTO message_recipient (recipient_id, message_id, guardian_id, contact_wire_id, state, changed_at)
SELECT gen_random_uuid(), $1, guardian_id, wire_id, 'stored', $8
FROM unnest($10::uuid[], $11::text[]) AS given(guardian_id, wire_id)
"""
_MESSAGE_DOWN: Final = """
WITH numbered AS (
 UPDATE child SET message_seq = message_seq + 1, inbox_seq = inbox_seq + 1 WHERE child_id = $2
 RETURNING message_seq, inbox_seq),
 stored AS (
 INSERT INTO message (message_id, child_id, seq, direction, kind, guardian_id, client_key, ref, fingerprint,
  sealed_body, clip_id, received_at, expires_at)
 SELECT $1, $2, message_seq, 'to_child', 'voice', $3, $4, $4, $5, $6, $7, $8, $9 FROM numbered),
 recipient AS (
 INSERT INTO message_recipient (recipient_id, message_id, state, changed_at)
 SELECT gen_random_uuid(), $1, 'stored', $8 FROM numbered)
INSERT INTO inbox_item (inbox_item_id, child_id, seq, ref, kind, message_id, state, announced_to, announcements,
 created_at, fetched_from, fetch_stalls, fetch_restarts)
SELECT gen_random_uuid(), $2, inbox_seq, $4, 'message', $1, 'waiting', NULL, 0, $8, -1, 0, 0 FROM numbered
"""
_OUTBOX: Final = (
    "INSERT INTO outbox (kind, target, payload, priority, created_at, available_at, attempts)"
    " SELECT $1, target, $3::jsonb, 2, $4, $4, 0 FROM unnest($2::text[]) AS target RETURNING outbox_id"
)
_SETTLE: Final = "DELETE FROM outbox WHERE outbox_id = ANY($1::bigint[])"
_CLAIM: Final = "UPDATE outbox SET attempts = attempts + 1, claimed_until = $2 WHERE outbox_id = ANY($1::bigint[])"
_EVENT: Final = """
WITH numbered AS (UPDATE family SET event_seq = event_seq + 1 WHERE family_id = $1 RETURNING event_seq)
INSERT INTO event (family_id, seq, kind, child_id, ref_id, guardian_id, needs_right, detail, created_at)
SELECT $1, event_seq, $2, $3, $4, $5, $6, '{}', $7 FROM numbered
"""
_FACTS: Final = """
INSERT INTO fact (fact_id, kind, watch_id, child_id, family_id, received_at, voice_ms)
SELECT gen_random_uuid(), $1, g.watch_id, g.child_id, g.family_id, $5, $6
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS g(watch_id, child_id, family_id)
WHERE EXISTS (SELECT FROM membership JOIN consent USING (family_id, guardian_id)
 WHERE membership.family_id = g.family_id AND membership.is_primary AND membership.removed_at IS NULL
  AND consent.part = 'measurement' AND consent.withdrawn_at IS NULL)
"""
_CALLED: Final = (
    "SELECT alert_id FROM alert WHERE child_id = $1 AND escalate_at IS NOT NULL ORDER BY raised_at LIMIT 1"
    " FOR NO KEY UPDATE"
)
_GO_ON: Final = "UPDATE alert SET calling_until_at = $2, escalate_at = $2 WHERE alert_id = $1"
_ALERT: Final = """
INSERT INTO alert (alert_id, child_id, family_id, kind, username, watch_id, ref, happened_at, raised_at, escalated_to,
 escalate_at, calling_step, calling_until_at)
VALUES ($1, $2, $3, 'sos', $4, $5, $6, $7, $7, '[]', NULL, 'begin', NULL)
"""
_CALLED_ALREADY: Final = "UPDATE alert SET state = 'calling', state_at = $2 WHERE alert_id = $1"
_BEGIN_AGAIN: Final = (
    "UPDATE inbox_item SET announced_to = NULL, announcements = 0, next_announce_at = NULL"
    " WHERE child_id = ANY($1::uuid[]) AND state = 'waiting'"
)
_RESEND: Final = """
UPDATE message_recipient SET told_state = NULL WHERE message_id IN (SELECT message_id FROM message
 WHERE username = ANY($1::text[])) AND told_state IS NOT NULL AND seen_state IS DISTINCT FROM told_state
"""
_HOLD: Final = "SELECT FROM family WHERE family_id = ANY($1::uuid[]) ORDER BY family_id FOR NO KEY UPDATE"
_HELLO: Final = """
UPDATE watch_identity SET connection_nonce = g.nonce, last_hello_at = $3, hello = hello FROM
 unnest($1::text[], $2::text[]) AS g(username, nonce) WHERE watch_identity.username = g.username
"""
_HELLO_SEEN: Final = (
    "UPDATE watch_presence SET last_seen_at = $2, clock_skew_s = 0, battery_pct = 81, battery_at = $2"
    " WHERE username = ANY($1::text[])"
)
_UNCONFIRMED: Final = "SELECT pairing_id FROM pairing WHERE username = ANY($1::text[]) AND confirmed_at IS NULL"
_FETCH: Final = """
UPDATE inbox_item SET fetched_from = $3, next_announce_at = $4 WHERE child_id = $1 AND ref = $2
RETURNING message_id
"""
_DELIVERED: Final = """
WITH item AS (
 UPDATE inbox_item SET state = 'delivered', done_at = $3 WHERE child_id = $1 AND ref = $2 RETURNING message_id)
UPDATE message_recipient SET state = 'delivered', changed_at = $3, delivered_at = $3
WHERE message_id IN (SELECT message_id FROM item) AND guardian_id IS NULL
"""
Connection = asyncpg.Connection | PoolConnectionProxy


class LeanRows:
    """Writes the product's rows; see `relayed.Rows`."""

    keeps_chunks = True

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def chunks(self, chunks: list[tuple[str, str, int, bytes]]) -> None:
        """Write chunks of any number of watches under one commit."""
        now = datetime.now(UTC)
        users, refs, numbers, sounds = map(list, zip(*chunks, strict=True))
        sizes = [len(sound) for sound in sounds]
        async with self._pool.acquire() as postgres, postgres.transaction():
            of = await self._lock(postgres, sorted(set(users)), now)
            await postgres.fetch(_CHUNKS_READ, users, refs, numbers, [of[user]["child_id"] for user in users])
            await postgres.fetch(_CHUNKS, users, refs, numbers, sizes, sounds, now)
            await postgres.fetch(_UPLOADS, users, refs, sizes, now)

    async def reserve(self, user: str, clip: Clip) -> None:
        """Check the message and write the row of its file."""
        now = datetime.now(UTC)
        async with self._pool.acquire() as postgres, postgres.transaction():
            of = (await self._lock(postgres, [user], now))[user]
            await postgres.fetch(_KNOWN, user, clip.ref)
            await postgres.fetch(_RECIPIENTS, of["child_id"])
            await postgres.fetch(_ASSEMBLE, user, clip.ref)
            await postgres.fetch(_RESERVE, clip.id, of["child_id"], clip.size_bytes, clip.sha256, now)

    async def voice(self, user: str, clip: Clip) -> None:
        """Write the message with all that the product writes with it."""
        now = datetime.now(UTC)
        async with self._pool.acquire() as postgres:
            async with postgres.transaction():
                of = (await self._lock(postgres, [user], now))[user]
                child, family = of["child_id"], of["family_id"]
                await postgres.fetch(_KNOWN, user, clip.ref)
                recipients = await postgres.fetch(_RECIPIENTS, child)
                clip_id, message_id = uuid.uuid4(), uuid.uuid4()
                await postgres.fetch(_CLIP, clip_id, child, clip.id, clip.size_bytes, clip.sha256, 15000, now)
                await postgres.fetch(
                    _MESSAGE, message_id, child, user, clip.ref, clip.sha256, _SEALED, clip_id, now,
                    now + timedelta(days=30), [row[0] for row in recipients], [row[1] for row in recipients],
                )  # fmt: skip
                queued = await postgres.fetch(_OUTBOX, "bench", [str(clip_id)], "{}", now)
                for guardian_id, _ in recipients:
                    await postgres.fetch(
                        _EVENT, family, "message.created", child, message_id, guardian_id, "message", now
                    )  # fmt: skip
                    queued += await postgres.fetch(_OUTBOX, "bench", [str(family)], "{}", now)
                await self._fact(postgres, "message_to_family_stored", [of], now)
                await postgres.fetch(_REMEMBER, user, clip.ref, "voice", clip.sha256, now)
                await postgres.fetch(_DROP_CHUNKS, user, clip.ref)
            await self._settle(postgres, queued)

    async def alert(self, user: str, ref: str) -> None:
        """Write an SOS; calls about one of the child's may go on."""
        now = datetime.now(UTC)
        async with self._pool.acquire() as postgres:
            async with postgres.transaction():
                of = (await self._lock(postgres, [user], now))[user]
                child, family = of["child_id"], of["family_id"]
                await postgres.fetch(_KNOWN, user, ref)
                alert_id = uuid.uuid4()
                called = await postgres.fetch(_CALLED, child)
                if called:
                    await postgres.fetch(_GO_ON, called[0][0], now)
                await postgres.fetch(_ALERT, alert_id, child, family, user, of["watch_id"], ref, now)
                await postgres.fetch(_CALLED_ALREADY, alert_id, now)
                queued = await postgres.fetch(_OUTBOX, "bench", [user], "{}", now)
                await self._fact(postgres, "alert_sos", [of], now)
                await postgres.fetch(_EVENT, family, "alert.raised", child, alert_id, None, "", now)
                queued += await postgres.fetch(_OUTBOX, "bench", [str(family)], "{}", now)
                await postgres.fetch(_REMEMBER, user, ref, "alert", ref, now)
            await self._settle(postgres, queued)

    async def hellos(self, hellos: list[tuple[str, str]]) -> None:
        """Write hellos of any number of watches under one commit."""
        now = datetime.now(UTC)
        newest = dict(hellos)
        async with self._pool.acquire() as postgres:
            async with postgres.transaction():
                of = await self._lock(postgres, sorted(newest), now)
                users = list(of)
                await postgres.fetch(_BEGIN_AGAIN, [row["child_id"] for row in of.values()])
                await postgres.fetch(_RESEND, users)
                await postgres.fetch(_HOLD, [row["family_id"] for row in of.values()])
                await postgres.fetch(_HELLO, users, [newest[user] for user in users], now)
                await postgres.fetch(_HELLO_SEEN, users, now)
                await self._fact(postgres, "hello", list(of.values()), now)
                queued = await postgres.fetch(_OUTBOX, "bench", users, '{"greet": true}', now)
                await postgres.fetch(_UNCONFIRMED, users)
            await postgres.fetch(_CLAIM, [row[0] for row in queued], now)
            await self._settle(postgres, queued)

    async def voice_down(self, user: str, clip: Clip) -> None:
        """Write a recording for a watch, with what the product writes with it."""
        now = datetime.now(UTC)
        async with self._pool.acquire() as postgres:
            async with postgres.transaction():
                of = (await self._lock(postgres, [user], now))[user]
                child, family = of["child_id"], of["family_id"]
                recipients = await postgres.fetch(_RECIPIENTS, child)
                clip_id, message_id = uuid.uuid4(), uuid.uuid4()
                await postgres.fetch(_CLIP, clip_id, child, clip.id, clip.size_bytes, clip.sha256, 15000, now)
                await postgres.fetch(
                    _MESSAGE_DOWN, message_id, child, recipients[0][0], clip.ref, clip.sha256, _SEALED, clip_id, now,
                    now + timedelta(days=30),
                )  # fmt: skip
                queued = await postgres.fetch(_OUTBOX, "bench", [str(clip_id), user], "{}", now)
                for guardian_id, _ in recipients:
                    await postgres.fetch(
                        _EVENT, family, "message.created", child, message_id, guardian_id, "message", now
                    )  # fmt: skip
                    queued += await postgres.fetch(_OUTBOX, "bench", [str(family)], "{}", now)
                await self._fact(postgres, "message_to_child_stored", [of], now)
            await self._settle(postgres, queued)

    async def fetched(self, user: str, ref: str, first: int) -> None:
        """Note how far a watch has fetched a recording."""
        now = datetime.now(UTC)
        async with self._pool.acquire() as postgres, postgres.transaction():
            of = (await self._lock(postgres, [user], now))[user]
            await postgres.fetch(_FETCH, of["child_id"], ref, first, now + timedelta(minutes=1))

    async def delivered(self, user: str, ref: str) -> None:
        """Note the receipt of a watch, with the event for the guardians."""
        now = datetime.now(UTC)
        async with self._pool.acquire() as postgres:
            async with postgres.transaction():
                of = (await self._lock(postgres, [user], now))[user]
                await postgres.fetch(_DELIVERED, of["child_id"], ref, now)
                await postgres.fetch(
                    _EVENT, of["family_id"], "message.state", of["child_id"], None, None, "message", now
                )  # fmt: skip
                await self._fact(postgres, "message_to_child_delivered", [of], now)
                queued = await postgres.fetch(_OUTBOX, "bench", [user], "{}", now)
            await self._settle(postgres, queued)

    async def _lock(self, postgres: Connection, users: list[str], now: datetime) -> dict[str, asyncpg.Record]:
        rows = await postgres.fetch(_LOCK, users)
        if any(row["last_seen_at"] is None or now - row["last_seen_at"] > timedelta(minutes=1) for row in rows):
            await postgres.fetch(_SEEN, users, now)
        return {row["username"]: row for row in rows}

    async def _fact(self, postgres: Connection, kind: str, of: list[asyncpg.Record], now: datetime) -> None:
        columns: list[list[Any]] = [[row[name] for row in of] for name in ("watch_id", "child_id", "family_id")]
        await postgres.fetch(_FACTS, kind, *columns, now, None)

    async def _settle(self, postgres: Connection, queued: list[asyncpg.Record]) -> None:
        await postgres.fetch("SELECT pg_notify('bench', '')")
        await postgres.fetch(_SETTLE, [row[0] for row in queued])
