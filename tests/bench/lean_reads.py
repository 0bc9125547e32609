"""The baseline of a phone's reads: the same checks and rows by bare asyncpg, without a framework and without objects.

It verifies the token, then asks for session, membership and consent in one statement and for the rows in another, both
prepared. A look at a place is recorded in the family's log, and the first screen is read as a whole. Sealed texts are
not opened. It imports nothing of the product.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import asyncpg
from asyncpg.pool import PoolConnectionProxy

_GUARD: Final = """
SELECT s.limited, m.may_message, m.may_locate
FROM session s
JOIN membership m ON m.guardian_id = s.guardian_id AND m.removed_at IS NULL
JOIN family f ON f.family_id = m.family_id
LEFT JOIN child c ON c.family_id = f.family_id
WHERE s.session_id = $1 AND s.guardian_id = $2 AND s.ended_at IS NULL AND (c.child_id = $3 OR f.family_id = $3)
  AND EXISTS (
      SELECT FROM consent k
      WHERE k.guardian_id = s.guardian_id AND k.family_id = f.family_id AND k.part = 'messages'
        AND k.withdrawn_at IS NULL
  )
"""
_ROWS: Final = {
    "history": """
        SELECT m.message_id, m.seq, m.direction, m.kind, m.guardian_id, m.sent_at, m.received_at, m.expires_at,
               m.sealed_body IS NOT NULL AS sealed, r.guardian_id AS recipient, r.state, r.detail, r.changed_at
        FROM (SELECT * FROM message WHERE child_id = $1 ORDER BY seq DESC LIMIT 51) m
        JOIN message_recipient r ON r.message_id = m.message_id
        ORDER BY m.seq DESC
    """,
    "children": """
        SELECT c.child_id, c.name, c.birth_year, w.serial, i.online, p.last_seen_at, p.battery_pct
        FROM child c
        LEFT JOIN watch_identity i ON i.child_id = c.child_id AND i.ended_at IS NULL
        LEFT JOIN watch_presence p ON p.username = i.username
        LEFT JOIN watch w ON w.watch_id = i.watch_id
        WHERE c.family_id = $1
    """,
    "sync": """
        SELECT seq, kind, child_id, ref_id, detail, created_at
        FROM event WHERE family_id = $1 ORDER BY seq DESC LIMIT 1
    """,
}

# A place is shown with its zone, and the look is recorded: the chain of the family's log is locked and extended.
_PLACE: Final = """
SELECT s.location, l.happened_at, l.received_at, l.accuracy_m, l.source, l.sealed_place, z.zone_id, z.sealed_body
FROM watch_settings s
LEFT JOIN latest_checkin l ON l.child_id = s.child_id
LEFT JOIN safe_zone z ON z.child_id = s.child_id
WHERE s.child_id = $1
"""
_LOOK: Final = """
WITH chain AS (
    INSERT INTO audit_chain AS c (chain_id, length, head)
    SELECT k.family_id, 1, sha256($3::bytea) FROM child k WHERE k.child_id = $1
    ON CONFLICT (chain_id) DO UPDATE SET length = c.length + 1, head = sha256(c.head || $3)
    RETURNING c.chain_id, c.length, c.head
)
INSERT INTO audit (chain_id, seq, hash, audit_id, at, actor_kind, actor_id, action, outcome, reason, family_id,
                   subject_id, asked, times)
SELECT chain_id, length, head, gen_random_uuid(), now(), 'guardian', $2, 'place', 'done', '', chain_id, $1::text, '', 1
FROM chain
"""
# The first screen: families, children with counts, and the newest message of each child. Subqueries hide how long an
# array is: else Postgres would plan these at each execution, as in the product before.
_FAMILIES: Final = """
SELECT m.*, f.*, s.*, o.notice_id, c.part, latest.ends_on, ending.told_at,
       (SELECT e.created_at FROM event e WHERE e.family_id = f.family_id AND e.seq = f.event_seq) AS event_at,
       EXISTS (SELECT FROM invitation i
               WHERE i.phone = g.phone AND i.ended_at IS NULL AND i.expires_at > now()) AS invited,
       EXISTS (SELECT FROM membership x JOIN session y ON y.guardian_id = x.guardian_id
               WHERE x.family_id = m.family_id AND x.removed_at IS NULL AND y.limited AND y.ended_at IS NULL) AS log_ins
FROM guardian g
JOIN membership m ON m.guardian_id = g.guardian_id AND m.removed_at IS NULL
JOIN family f ON f.family_id = m.family_id
LEFT JOIN enrolment n ON n.family_id = m.family_id AND n.ended_at IS NULL
LEFT JOIN site s ON s.site_id = n.site_id
LEFT JOIN LATERAL (
    SELECT p.ends_on FROM enrolment l JOIN site t ON t.site_id = l.site_id
    JOIN programme p ON p.programme_id = t.programme_id
    WHERE l.family_id = m.family_id ORDER BY l.enrolled_at DESC, l.enrolment_id LIMIT 1
) latest ON true
LEFT JOIN family_ending ending ON ending.family_id = m.family_id
LEFT JOIN LATERAL (
    SELECT own.notice_id, own.created_at FROM notice own WHERE own.family_id = m.family_id
    UNION ALL
    SELECT news.notice_id, news.created_at FROM enrolment l JOIN notice news ON news.cohort_id = l.cohort_id
    WHERE l.family_id = m.family_id AND news.created_at >= l.enrolled_at
    ORDER BY created_at DESC LIMIT 1
) o ON true
LEFT JOIN consent c ON c.guardian_id = g.guardian_id AND c.family_id = m.family_id AND c.withdrawn_at IS NULL
WHERE g.guardian_id = $1
"""
_UNREAD: Final = """
SELECT count(*) FROM message x JOIN message_recipient r USING (message_id)
WHERE x.child_id = k.child_id AND r.guardian_id = $1 AND (r.state = 'stored' OR r.state = 'delivered')
"""
_ENDING: Final = """
FROM message x JOIN clip a ON a.clip_id = x.clip_id
WHERE x.child_id = k.child_id AND x.kind = 'voice' AND x.received_at <= now() - interval '83 days' AND a.state <> 'gone'
"""
_OF_GUARDIAN: Final = """(x.guardian_id = $1
 OR EXISTS (SELECT FROM message_recipient r WHERE r.message_id = x.message_id AND r.guardian_id = $1 OFFSET 0))"""
# The S608 exemptions are safe: every part is a constant of this file.
_CHILDREN: Final = f"""
SELECT k.*, s.*, t.*, i.*, w.*, p.*,
       (SELECT x.message_id FROM message x WHERE x.child_id = k.child_id AND {_OF_GUARDIAN}
        ORDER BY x.seq DESC LIMIT 1) AS newest_id,
       ({_UNREAD}) AS unread, ({_UNREAD} AND x.kind = 'voice') AS unplayed,
       (SELECT count(*) {_ENDING} AND {_OF_GUARDIAN}) AS ending,
       (SELECT min(x.received_at) {_ENDING} AND {_OF_GUARDIAN}) AS ends_at,
       EXISTS (SELECT FROM alert a WHERE a.child_id = k.child_id AND a.raised_at > now() - interval '1 day') AS alerts,
       EXISTS (SELECT FROM help_request h WHERE h.child_id = k.child_id AND h.done_at IS NULL) AS help
FROM child k
JOIN watch_settings s ON s.child_id = k.child_id
JOIN contact_list t ON t.child_id = k.child_id
LEFT JOIN watch_identity i ON i.child_id = k.child_id AND i.ended_at IS NULL
LEFT JOIN watch w ON w.watch_id = i.watch_id
LEFT JOIN watch_presence p ON p.username = i.username
WHERE k.family_id = ANY((SELECT $2::uuid[])::uuid[]) AND k.erased_at IS NULL
"""  # noqa: S608
_NEWEST: Final = """
SELECT m.message_id, m.seq, m.direction, m.kind, m.sent_at, m.received_at, m.expires_at, m.sealed_body, c.state,
       r.guardian_id, r.state AS recipient_state, r.changed_at, n.name
FROM message m
LEFT JOIN clip c ON c.clip_id = m.clip_id
LEFT JOIN message_recipient r ON r.message_id = m.message_id
LEFT JOIN contact n ON n.child_id = m.child_id AND n.guardian_id = r.guardian_id
WHERE m.message_id = ANY((SELECT $1::uuid[])::uuid[])
"""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class LeanReads:
    """An ASGI application: ``/<row>/<id of child or family>``."""

    def __init__(self, connection: asyncpg.Connection | PoolConnectionProxy, token_key: bytes) -> None:
        self._connection = connection
        self._token_key = token_key

    async def __call__(self, scope: MutableMapping[str, Any], _receive: Receive, send: Send) -> None:
        _, row, of = scope["path"].split("/")
        session_id, guardian_id = self._verify(dict(scope["headers"])[b"authorization"])
        of_id = uuid.UUID(of)
        assert await self._connection.fetch(_GUARD, session_id, guardian_id, of_id)
        rows = [dict(record) for record in await self._rows(row.replace("%20", " "), of_id, guardian_id)]
        body = json.dumps(rows, default=str).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _rows(self, row: str, of_id: uuid.UUID, guardian_id: uuid.UUID) -> list[asyncpg.Record]:
        if row == "latest place":
            shown = await self._connection.fetch(_PLACE, of_id)
            await self._connection.fetch(_LOOK, of_id, str(guardian_id), bytes(200))
            return shown
        if row == "home":
            families = await self._connection.fetch(_FAMILIES, guardian_id)
            family_ids = list({family["family_id"] for family in families})
            children = await self._connection.fetch(_CHILDREN, guardian_id, family_ids)
            newest = await self._connection.fetch(_NEWEST, [child["newest_id"] for child in children])
            return [*families, *children, *newest]
        return await self._connection.fetch(_ROWS[row], of_id)

    def _verify(self, bearer: bytes) -> tuple[uuid.UUID, uuid.UUID]:
        signed, _, signature = bearer.removeprefix(b"Bearer ").rpartition(b".")
        expected = hmac.digest(self._token_key, signed, hashlib.sha256)
        assert hmac.compare_digest(expected, base64.urlsafe_b64decode(signature + b"=="))
        claims = json.loads(base64.urlsafe_b64decode(signed.partition(b".")[2] + b"=="))
        assert claims["iat"] <= time.time() + 10**9
        return uuid.UUID(claims["sid"]), uuid.UUID(claims["sub"])
