"""Baselines of check-ins: MQTT in, one transaction for all that has arrived, PUBACK and receipt after the commit.

*bare* writes one row a fix and checks nothing. *lean* makes the product's checks and writes the product's rows: the
check-in, the latest place, the event and the number of its family, and the presence of the watch once a minute. Both
use prepared statements; neither seals, assesses or imports anything of the product.

    python -m tests.bench.end_to_end.reader bare|lean MQTT_PORT USER PASSWORD DSN
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import asyncpg

from tests.bench.end_to_end.wire import Mqtt, connect

_TABLE = """
CREATE TABLE IF NOT EXISTS bare_checkin (username text, ref text, tst bigint, child_id uuid, happened_at timestamptz,
 received_at timestamptz, content_mark bytea, quality text, reasons text, accuracy_m float8, source text,
 sealed_place bytea, PRIMARY KEY (username, ref, tst));
CREATE INDEX IF NOT EXISTS bare_checkin_child ON bare_checkin (child_id, happened_at);
CREATE INDEX IF NOT EXISTS bare_checkin_time ON bare_checkin USING brin (happened_at);
"""
_ARRAYS = (
    "$1::text[], $2::text[], $3::bigint[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::bytea[], $8::text[],"
    " $9::text[], $10::float8[], $11::text[], $12::bytea[]"
)
_BARE: Final = f"INSERT INTO bare_checkin SELECT * FROM unnest({_ARRAYS}) ON CONFLICT DO NOTHING"  # noqa: S608
_LEAN: Final = (
    "INSERT INTO checkin (username, ref, tst, child_id, happened_at, received_at, content_mark, quality, reasons,"  # noqa: S608
    f" accuracy_m, source, sealed_place) SELECT * FROM unnest({_ARRAYS}) ON CONFLICT DO NOTHING"
)
# The watch stands, location is on, a guardian consents; all rows of the watch are locked in the order of the names.
_CHECK: Final = """
SELECT i.username, i.child_id, i.family_id, p.last_seen_at, k.wrapped_key, s.timezone,
       s.location AND EXISTS (SELECT FROM membership m JOIN consent c USING (guardian_id, family_id)
         WHERE m.family_id = i.family_id AND m.removed_at IS NULL AND c.part = 'location' AND c.withdrawn_at IS NULL)
  FROM watch_identity i JOIN watch_presence p USING (username) JOIN child k USING (child_id)
  JOIN watch_settings s USING (child_id)
 WHERE i.username = ANY($1::text[]) AND i.ended_at IS NULL ORDER BY i.username FOR NO KEY UPDATE OF i, p
"""
_EARLIER: Final = (
    "SELECT watch_id, child_id, issued_at, ended_at FROM watch_identity"
    " WHERE child_id = ANY($1::uuid[]) AND ended_at IS NOT NULL"
)
_TAKEN: Final = """
SELECT username, ref FROM checkin JOIN unnest($1::text[], $2::text[]) AS g(username, ref) USING (username, ref)
UNION ALL SELECT username, ref FROM uplink JOIN unnest($1::text[], $2::text[]) AS g(username, ref) USING (username, ref)
"""
_PLACES: Final = "SELECT * FROM latest_checkin WHERE child_id = ANY($1::uuid[]) ORDER BY child_id FOR NO KEY UPDATE"
_ZONES: Final = "SELECT * FROM safe_zone WHERE child_id = ANY($1::uuid[]) ORDER BY zone_id FOR NO KEY UPDATE"
_LATEST: Final = """
INSERT INTO latest_checkin (child_id, happened_at, received_at, accuracy_m, source, sealed_place)
SELECT child_id, happened_at, received_at, 18, 'gps', sealed_place
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::bytea[])
 AS g(child_id, happened_at, received_at, sealed_place) ORDER BY 1
ON CONFLICT (child_id) DO UPDATE SET happened_at = excluded.happened_at, received_at = excluded.received_at,
 accuracy_m = excluded.accuracy_m, source = excluded.source, sealed_place = excluded.sealed_place
"""
_HOLD: Final = "SELECT FROM family WHERE family_id = ANY($1::uuid[]) ORDER BY family_id FOR NO KEY UPDATE"
_EVENTS: Final = """
WITH numbered AS (UPDATE family SET event_seq = event_seq + 1 WHERE family_id = ANY($1::uuid[])
 RETURNING family_id, event_seq)
INSERT INTO event (family_id, seq, kind, child_id, needs_right, detail, created_at)
SELECT family_id, event_seq, 'checkin.latest', child_id, 'locate', '{}', $3 FROM numbered
JOIN unnest($1::uuid[], $2::uuid[]) AS g(family_id, child_id) USING (family_id)
"""
_SEEN: Final = "UPDATE watch_presence SET last_seen_at = $2 WHERE username = ANY($1::text[])"
_CHILD = uuid.UUID(int=1)
_ROWS_MAX = 500
_SEEN_EVERY_S = 60
# (user name, id, instant) of each fix, with its place and accuracy.
Fix = tuple[str, str, int, float]
Store = Callable[[Sequence[Fix]], Awaitable[None]]


def _columns(fixes: Sequence[Fix], child_of: Callable[[str], uuid.UUID], now: datetime) -> list[list[Any]]:
    rows = [
        (
            name, ref, tst, child_of(name), datetime.fromtimestamp(tst, UTC), now, bytes(16), "good", "", accuracy_m,
            "gps", bytes(53),
        )
        for name, ref, tst, accuracy_m in fixes
    ]  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)]


async def _bare(postgres: asyncpg.Connection) -> Store:
    await postgres.execute(_TABLE)
    insert = await postgres.prepare(_BARE)

    async def store(fixes: Sequence[Fix]) -> None:
        await insert.fetch(*_columns(fixes, lambda _: _CHILD, datetime.now(UTC)))

    return store


async def _lean(postgres: asyncpg.Connection) -> Store:
    check, earlier, taken, places, zones, insert, latest, hold, events, seen = [
        await postgres.prepare(statement)
        for statement in (_CHECK, _EARLIER, _TAKEN, _PLACES, _ZONES, _LEAN, _LATEST, _HOLD, _EVENTS, _SEEN)
    ]

    async def store(fixes: Sequence[Fix]) -> None:
        now = datetime.now(UTC)
        newest: dict[str, int] = {}
        for name, _, tst, _ in fixes:
            newest[name] = max(tst, newest.get(name, 0))
        async with postgres.transaction():
            of = {row[0]: row for row in await check.fetch(list(newest)) if row[6]}
            children = [row[1] for row in of.values()]
            families = [row[2] for row in of.values()]
            await earlier.fetch(children)
            used = {tuple(row) for row in await taken.fetch([fix[0] for fix in fixes], [fix[1] for fix in fixes])}
            new = [fix for fix in fixes if fix[0] in of and fix[:2] not in used]
            sealed = {row["child_id"]: row["sealed_place"] for row in await places.fetch(children)}
            await zones.fetch(children)
            await insert.fetch(*_columns(new, lambda name: of[name][1], now))
            moments = [datetime.fromtimestamp(newest[name], UTC) for name in of]
            # The product opens the place again: it stays what it was.
            await latest.fetch(children, moments, [now] * len(of), [sealed.get(child, bytes(53)) for child in children])
            await hold.fetch(families)
            await events.fetch(families, children, now)
            due = [
                name for name, row in of.items() if row[3] is None or (now - row[3]).total_seconds() > _SEEN_EVERY_S
            ]  # fmt: skip
            if due:
                await seen.fetch(due, now)
        await postgres.execute("SELECT pg_notify('bench', '')")

    return store


async def main() -> None:
    """Read and store until killed."""
    kind, port, user, password, dsn = sys.argv[1], int(sys.argv[2]), *sys.argv[3:6]
    postgres = await asyncpg.connect(dsn)
    store = await (_bare if kind == "bare" else _lean)(postgres)
    queue: list[tuple[str, bytes, int]] = []
    arrived = asyncio.Event()

    def receive(_: Mqtt, topic: str, payload: bytes, number: int) -> None:
        queue.append((topic, payload, number))
        arrived.set()

    client = await connect(port, user, password, receive, client_id=f"{kind}-reader", acknowledges=False)
    await client.subscribe("sw/v1/+/up/location")
    print("ready", flush=True)
    while True:
        await arrived.wait()
        arrived.clear()
        while queue:
            fixes: list[Fix] = []
            answers, count = [], 0
            for topic, payload, number in queue:
                count += 1
                name = topic.split("/", 3)[2]
                body = json.loads(payload)
                entries = body if isinstance(body, list) else [body]
                fixes += [(name, entry["id"], entry["tst"], float(entry["acc"])) for entry in entries]
                refs = [entry["id"] for entry in entries]
                answers.append((name, number, {"refs": refs} if isinstance(body, list) else {"ref": refs[0]}))
                if len(fixes) >= _ROWS_MAX:
                    break
            del queue[:count]
            await store(fixes)
            for name, number, refs_sent in answers:
                client.acknowledge(number)
                client.publish(f"sw/v1/{name}/down/receipt", json.dumps({"code": "stored", **refs_sent}).encode())


if __name__ == "__main__":
    asyncio.run(main())
